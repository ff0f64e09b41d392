import type { Slice } from './view.js'

/**
 * The outline of a region of a slice as an SVG path in pixels, along the edges of its voxels: what is drawn is what is
 * in the mask, no smoothing. Empty when the region is.
 */
export function outline(slice: Slice, inside: (value: number) => boolean): string {
  const { data, width, height } = slice
  const within = new Uint8Array((width + 2) * (height + 2))
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) within[x + 1 + (width + 2) * (y + 1)] = inside(data[x + width * y]) ? 1 : 0
  return runs(within, width, height, true) + runs(within, width, height, false)
}

/** Straight runs of edges between inside and outside: the horizontal ones, or the vertical ones. */
function runs(within: Uint8Array, width: number, height: number, horizontal: boolean): string {
  const [lines, along] = horizontal ? [height, width] : [width, height]
  const [step, across] = horizontal ? [1, width + 2] : [width + 2, 1]
  let path = ''
  for (let line = 0; line <= lines; line++) {
    let from = -1
    for (let n = 0; n <= along; n++) {
      const at = step * (n + 1) + across * (line + 1)
      const edge = n < along && within[at] !== within[at - across]
      if (edge && from < 0) from = n
      if (!edge && from >= 0) {
        path += horizontal ? `M${from} ${line}h${n - from}` : `M${line} ${from}v${n - from}`
        from = -1
      }
    }
  }
  return path
}
