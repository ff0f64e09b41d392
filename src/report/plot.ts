import type { PlotOptions } from '@observablehq/plot'
import { type Html, trusted } from './html.js'

type PlotModule = typeof import('@observablehq/plot')

/** Draws with Observable Plot, as an SVG that takes its colours from the page. */
export async function drawn(options: (Plot: PlotModule) => PlotOptions): Promise<Html> {
  return trusted(
    await svgOf((Plot) => {
      const { style, ...rest } = options(Plot)
      return {
        style: { background: 'none', overflow: 'visible', fontSize: '12px', ...(style as object) },
        ...rest,
      }
    }),
  )
}

/**
 * Draws with Observable Plot: the text of an SVG.
 *
 * Plot, and outside a browser a document for it to draw into, are loaded here and nowhere else: they are large, and
 * only a page needs them.
 */
export async function svgOf(options: (Plot: PlotModule) => PlotOptions): Promise<string> {
  const Plot = await import('@observablehq/plot')
  const document = globalThis.document ?? (await import('linkedom')).parseHTML('<html><body></body></html>').document
  return Plot.plot({ document: document as Document, ...options(Plot) }).outerHTML
}
