import { InputError } from '../../errors.js'
import { cropToNonzero, type NnunetImage } from './crop.js'
import { drawBelow, mersenneTwister } from './mersenne.js'
import type { IntensityProperties } from './plans.js'
import { lerp, median, product } from './rules.js'

/** `dataset_fingerprint.json` of nnU-Net v2. */
export interface Fingerprint {
  /** mm of each case, in the image's axis order (slice, row, column). */
  spacings: number[][]
  shapes_after_crop: number[][]
  foreground_intensity_properties_per_channel: Record<string, IntensityProperties>
  median_relative_size_after_cropping: number
}

/** What the fingerprint needs of one case. */
export interface CaseFingerprint {
  readonly spacing: readonly number[]
  readonly shape: readonly number[]
  readonly relativeSize: number
  /** Of each channel: the foreground's intensities, and how often each voxel was drawn. */
  readonly channels: readonly { readonly values: Float32Array; readonly counts: Uint32Array }[]
}

/** Foreground voxels that nnU-Net draws from a whole data set, for each channel. */
export const samplesOfDataset = 10e7

/**
 * Shape after cropping to what is not zero, and intensities where the label is positive. Voxels are drawn with
 * replacement by the random numbers that nnU-Net uses, so that the percentiles come out the same.
 *
 * @param labels one for each voxel, as the image lies
 * @param samples voxels to draw from each channel: `samplesOfDataset` divided by the number of cases, rounded down
 * @param source how errors name the case
 * @throws InputError when the labels do not fit the image, or the image is zero throughout
 */
export function caseFingerprint(
  image: NnunetImage,
  labels: ArrayLike<number>,
  samples: number,
  source: string,
): CaseFingerprint {
  const voxels = product(image.shape)
  if (labels.length !== voxels)
    throw new InputError(source, `has ${labels.length} labels for ${voxels} voxels`, 'give a mask on the image’s grid')
  const { box, shape } = cropToNonzero(image, source)
  const foreground: number[] = []
  const [, ny, nx] = image.shape
  for (let z = box.start[0]; z < box.start[0] + shape[0]; z++)
    for (let y = box.start[1]; y < box.start[1] + shape[1]; y++)
      for (let x = box.start[2], at = x + nx * (y + ny * z); x < box.start[2] + shape[2]; x++, at++)
        if (labels[at] > 0) foreground.push(at)
  const bits = mersenneTwister(1234)
  const channels = image.channels.map((data) => {
    const values = Float32Array.from(foreground, (at) => data[at])
    const counts = new Uint32Array(values.length)
    if (values.length > 0) {
      const draw = drawBelow(values.length, bits)
      for (let i = 0; i < samples; i++) counts[draw()]++
    }
    return { values, counts }
  })
  return { spacing: image.spacing, shape, relativeSize: product(shape) / voxels, channels }
}

/** @throws InputError when there are no cases, or none of them has foreground */
export function datasetFingerprint(cases: readonly CaseFingerprint[], source: string): Fingerprint {
  if (cases.length === 0) throw new InputError(source, 'holds no cases', 'give at least one image with its labels')
  const properties = cases[0].channels.map((_, channel) => intensities(cases, channel, source))
  return {
    spacings: cases.map(({ spacing }) => [...spacing]),
    shapes_after_crop: cases.map(({ shape }) => [...shape]),
    foreground_intensity_properties_per_channel: Object.fromEntries(properties.entries()),
    median_relative_size_after_cropping: median(cases.map(({ relativeSize }) => relativeSize)),
  }
}

/** Statistics of the voxels drawn, each as often as it was. */
function intensities(cases: readonly CaseFingerprint[], channel: number, source: string): IntensityProperties {
  const size = cases.reduce((sum, { channels }) => sum + channels[channel].values.length, 0)
  const values = new Float32Array(size)
  const counts = new Uint32Array(size)
  let filled = 0
  for (const { channels } of cases) {
    values.set(channels[channel].values, filled)
    counts.set(channels[channel].counts, filled)
    filled += channels[channel].values.length
  }
  const order = new Uint32Array(size)
    .map((_, i) => i)
    .filter((i) => counts[i] > 0)
    .sort((a, b) => values[a] - values[b])
  if (order.length === 0)
    throw new InputError(source, 'no case has foreground', 'give labels that mark what is to be found')
  const total = order.reduce((sum, i) => sum + counts[i], 0)
  const mean = order.reduce((sum, i) => sum + counts[i] * values[i], 0) / total
  const variance = order.reduce((sum, i) => sum + counts[i] * (values[i] - mean) ** 2, 0) / total
  const ranks = new Float64Array(order.length)
  let rank = 0
  for (let i = 0; i < order.length; i++) ranks[i] = rank += counts[order[i]]
  const valueAt = (place: number) => values[order[firstAbove(ranks, place)]]
  const percentile = (percent: number) => {
    const at = (percent / 100) * (total - 1)
    const low = Math.floor(at)
    return lerp(valueAt(low), valueAt(Math.min(low + 1, total - 1)), at - low)
  }
  return {
    mean,
    median: percentile(50),
    std: Math.sqrt(variance),
    min: values[order[0]],
    max: values[order[order.length - 1]],
    percentile_99_5: percentile(99.5),
    percentile_00_5: percentile(0.5),
  }
}

/** Index of the first of ascending numbers that is above `value`. */
function firstAbove(sorted: Float64Array, value: number): number {
  let [low, high] = [0, sorted.length - 1]
  while (low < high) {
    const middle = (low + high) >> 1
    if (sorted[middle] > value) high = middle
    else low = middle + 1
  }
  return low
}
