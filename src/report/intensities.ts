import type { Flag } from '../errors.js'
import type { Image, Mask } from '../volume/volume.js'

/** Share of the brain at the largest value from which an image counts as clipped. All of 61 scans: at most 4e-6. */
const mostSaturated = 5e-4
/** Share of neighbouring voxels of the brain that differ by half of the range of int16 from which values count as wrapped. */
const mostWrapped = 1e-3

/** Doubts about the numbers of an image: values that were clipped, or that ran over the end of 16-bit integers. */
export function intensityFlags(name: string, image: Image, brain: Mask): Flag[] {
  const flags: Flag[] = []
  const clipped = saturation(image, brain)
  if (clipped > mostSaturated)
    flags.push({
      code: 'saturated',
      severity: 'warning',
      message: `${name}: ${(100 * clipped).toFixed(1)} % of the brain has the largest value the file holds: intensities were clipped, and bright tissues cannot be told from each other.`,
      values: { image: name, percent: Number((100 * clipped).toFixed(1)) },
    })
  const wrapped = jumps(image, brain)
  if (wrapped > mostWrapped)
    flags.push({
      code: 'wrapped-intensities',
      severity: 'serious',
      message: `${name}: values jump from one end of 16-bit integers to the other between neighbouring voxels (${(100 * wrapped).toFixed(1)} % of the brain): they ran over when the file was written. Export the image again.`,
      values: { image: name, percent: Number((100 * wrapped).toFixed(1)) },
    })
  return flags
}

/** Share of brain voxels that have the image's largest value, 0–1. */
export function saturation({ data }: Image, brain: Mask): number {
  let top = Number.NEGATIVE_INFINITY
  for (let i = 0; i < data.length; i++) if (data[i] > top) top = data[i]
  let [inside, atTop] = [0, 0]
  for (let i = 0; i < data.length; i++) {
    if (brain.data[i] === 0) continue
    inside++
    if (data[i] === top) atTop++
  }
  return inside === 0 ? 0 : atTop / inside
}

/** Share of brain voxels that differ from the next one along the first axis by more than half of what int16 spans. */
function jumps({ data, dims: [nx] }: Image, brain: Mask): number {
  let [inside, jumped] = [0, 0]
  for (let i = 0; i + 1 < data.length; i++) {
    if (brain.data[i] === 0 || (i + 1) % nx === 0) continue
    inside++
    const [a, b] = [data[i], data[i + 1]]
    if (Math.abs(a - b) > 32768 && Math.min(a, b) < 0 && Math.min(a, b) >= -32768 && Math.max(a, b) <= 32767) jumped++
  }
  return inside === 0 ? 0 : jumped / inside
}
