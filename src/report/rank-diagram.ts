import type { CriticalDifference } from './benchmark-input.js'
import { type Html, html } from './html.js'
import { figure } from './words.js'

/** The axis stands between the names, which have the room of about 16 letters on either side. */
const [width, left, right, line] = [440, 134, 306, 21]

/**
 * The critical-difference diagram (Demšar 2006, JMLR 7:1): methods by mean rank, the best on the left; bars join methods
 * of which no two differ.
 */
export function rankDiagram({ ranks, alike, difference }: CriticalDifference, label: string): Html {
  const k = ranks.length
  const x = (rank: number) => Math.round(10 * (left + ((rank - 1) / (k - 1)) * (right - left))) / 10
  const ordered = [...ranks].sort((a, b) => a.rank - b.rank)
  const half = Math.ceil(k / 2)
  const axis = 58
  const barsEnd = axis + 14 + 9 * alike.length
  const height = barsEnd + 12 + line * half + 6
  const rankOf = new Map(ranks.map(({ method, rank }) => [method, rank]))
  const stems = ordered.map(({ method, rank }, at) => {
    const onLeft = at < half
    const y = barsEnd + 16 + line * (onLeft ? at : k - 1 - at)
    const end = onLeft ? left - 10 : right + 10
    const text = onLeft ? `${method} ${figure(rank, 2)}` : `${figure(rank, 2)} ${method}`
    return html`<path d="M${x(rank)} ${axis}V${y}H${end}"/><text x="${onLeft ? end - 5 : end + 5}" y="${y + 4}" text-anchor="${onLeft ? 'end' : 'start'}">${text}</text>`
  })
  const bars = alike.map((bar, n) => {
    const y = axis + 14 + 9 * n
    const [from, to] = [rankOf.get(bar[0]) ?? 1, rankOf.get(bar[bar.length - 1]) ?? 1]
    return html`<path class="bar-line" d="M${x(from) - 4} ${y}H${x(to) + 4}"/>`
  })
  const ticks = Array.from(
    { length: k },
    (_, n) =>
      html`<path d="M${x(n + 1)} ${axis - 5}v5"/><text x="${x(n + 1)}" y="${axis - 10}" text-anchor="middle">${n + 1}</text>`,
  )
  const ruler = Math.min(width - left - 10, Math.round((difference / (k - 1)) * (right - left)))
  return html`<svg class="ranks" viewBox="0 0 ${width} ${height}" role="img" aria-label="${label}">
<path d="M${left} 16h${ruler}m0 -4v8M${left} 12v8"/><text x="${left - 15}" y="20" text-anchor="end">differ from ${figure(difference, 2)}</text>
<path d="M${left} ${axis}H${right}"/>${ticks}${stems}${bars}</svg>`
}
