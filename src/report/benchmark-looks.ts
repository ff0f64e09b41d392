import type { BenchmarkInput } from './benchmark-input.js'
import { type Html, html, trusted } from './html.js'

/** How a method is drawn wherever it appears: by colour and by shape, as colours alone do not tell all readers apart. */
export interface Look {
  colour: string
  symbol: (typeof symbols)[number]
}

const symbols = ['circle', 'triangle', 'square', 'diamond', 'star', 'cross', 'wye', 'times'] as const

/** The looks of the methods by id, in the order in which they were named. */
export const looksOf = ({ methods }: Pick<BenchmarkInput, 'methods'>): ReadonlyMap<string, Look> =>
  new Map(
    methods.map(({ id }, i) => [
      id,
      { colour: `var(--m${(i % symbols.length) + 1})`, symbol: symbols[i % symbols.length] },
    ]),
  )

/** The same shapes, about 10 × 10 around the origin, for the key beside the plots. */
const shapes: Readonly<Record<Look['symbol'], string>> = {
  circle: 'M-4.5,0a4.5,4.5 0 1 0 9,0a4.5,4.5 0 1 0 -9,0',
  triangle: 'M0,-5.5L5,4L-5,4Z',
  square: 'M-4,-4h8v8h-8Z',
  diamond: 'M0,-6L4,0L0,6L-4,0Z',
  star: 'M0,-6L1.5,-1.9L5.7,-1.9L2.3,.7L3.5,4.9L0,2.4L-3.5,4.9L-2.3,.7L-5.7,-1.9L-1.5,-1.9Z',
  cross: 'M-1.7,-5h3.4v3.3h3.3v3.4h-3.3v3.3h-3.4v-3.3h-3.3v-3.4h3.3Z',
  wye: 'M-1.5,0L-5,-2.2L-3.5,-4.6L0,-2.3L3.5,-4.6L5,-2.2L1.5,0V5h-3Z',
  times: 'M-5,-3.2L-3.2,-5L0,-1.8L3.2,-5L5,-3.2L1.8,0L5,3.2L3.2,5L0,1.8L-3.2,5L-5,3.2L-1.8,0Z',
}

/** The method's shape as a small picture. */
export const mark = ({ colour, symbol }: Look): Html =>
  html`<svg viewBox="-7 -7 14 14" aria-hidden="true" width="13" height="13"><path d="${shapes[symbol]}" fill="${trusted(colour)}"/></svg>`

/** Which shape is which method. */
export const key = (looks: ReadonlyMap<string, Look>): Html =>
  html`<p class="key-line">${[...looks].map(([id, look]) => html`<span>${mark(look)}${id}</span>`)}</p>`
