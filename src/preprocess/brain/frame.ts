import { type Affine, invert } from '../../volume/affine.js'
import { percentiles } from '../../volume/histogram.js'
import { erode } from '../../volume/morphology.js'
import { resample, resampleMask } from '../../volume/resample.js'
import type { Grid, Image, Mask } from '../../volume/volume.js'

/** The grid of atlas space, 2 mm, on which heads are compared with one another: the brain and 25 mm around it. */
export const headFrame: Grid = { dims: [96, 116, 98], affine: [2, 0, 0, -95, 0, 2, 0, -132, 0, 0, 2, -92, 0, 0, 0, 1] }

/** Where the 10th, 50th and 90th percentile within the atlas's brain are put; 0 stays. */
const landmarks = [35, 75, 95]
const brightest = 150

/**
 * An image in the atlas's place at 2 mm, its intensities on one scale: a line through air and three percentiles of what
 * lies well inside the atlas's brain (Nyúl and Udupa 1999), the brightest cut at 150.
 *
 * @param toAtlas world mm of the image → world mm of the atlas
 */
export async function inFrame(image: Image, atlasBrain: Mask, toAtlas: Affine): Promise<Image> {
  const moved = await resample(image, headFrame, { map: invert(toAtlas), antialias: true })
  const core = await erode(await resampleMask(atlasBrain, headFrame, { method: 'linear' }), 6)
  for (let i = 0; i < core.data.length; i++) if (!(moved.data[i] > 0)) core.data[i] = 0
  const [low, middle, high] = percentiles(moved, [10, 50, 90], core)
  const at = [0, low, middle, high]
  const to = [0, ...landmarks]
  const data = moved.data.map((v) => {
    if (!(v > 0)) return 0
    let part = 0
    while (part < 2 && v > at[part + 1]) part++
    const width = at[part + 1] - at[part]
    const value = width > 0 ? to[part] + ((v - at[part]) / width) * (to[part + 1] - to[part]) : to[part + 1]
    return Math.min(brightest, value)
  })
  return { ...headFrame, data }
}
