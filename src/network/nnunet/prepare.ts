import { InputError } from '../../errors.js'
import { type CropBox, cropData, cropToNonzero, type NnunetImage, type Shape3, uncrop } from './crop.js'
import type { NnunetLabels } from './dataset.js'
import { normalise } from './normalise.js'
import type { NnunetConfiguration, NnunetPlans } from './plans.js'
import { resampleImage, resampleLabels } from './resample.js'
import { resampledShape } from './rules.js'

/** What preprocessing did to the grid, so that predictions find back. Axes are the transposed ones. */
export interface PreparedGeometry {
  readonly box: CropBox
  readonly croppedShape: Shape3
  /** mm of the image as it came, and as it is now. */
  readonly spacing: Shape3
  readonly target: Shape3
}

export interface PreparedImage {
  readonly shape: Shape3
  readonly channels: readonly Float32Array[]
  readonly geometry: PreparedGeometry
}

/** The parts of a model that preprocessing and export go by. */
export interface PreparationRules {
  readonly plans: Pick<
    NnunetPlans,
    'transpose_forward' | 'transpose_backward' | 'foreground_intensity_properties_per_channel'
  >
  readonly configuration: NnunetConfiguration
  readonly labels: NnunetLabels
}

/**
 * A case as nnU-Net's network takes it (Isensee et al. 2021): axes transposed, cropped to what is not zero, normalised,
 * resampled to the plans' spacing. A 2-D configuration leaves the spacing between slices.
 *
 * @param source how errors name the case
 * @throws InputError when the channels are not those of the plans, or are zero throughout
 */
export function prepareImage(image: NnunetImage, rules: PreparationRules, source: string): PreparedImage {
  const { plans, configuration } = rules
  const { normalization_schemes: schemes, use_mask_for_norm: masked } = configuration
  if (image.channels.length !== schemes.length)
    throw new InputError(source, `has ${image.channels.length} channels`, `give the ${schemes.length} of the training`)
  const forward = plans.transpose_forward
  const cropped = cropToNonzero(transposed(image, forward), source)
  const { spacing, nonzero } = cropped
  const target = targetOf(configuration, spacing)
  const shape = resampledShape(cropped.shape, spacing, target) as unknown as Shape3
  const channels = cropped.channels.map((data, i) => {
    const properties = plans.foreground_intensity_properties_per_channel[String(i)]
    const normal = normalise(schemes[i], data, masked[i] ? nonzero : undefined, properties, source)
    return resampleImage(normal, cropped.shape, shape, spacing, target, configuration.resampling_fn_data_kwargs)
  })
  return { shape, channels, geometry: { box: cropped.box, croppedShape: cropped.shape, spacing, target } }
}

/**
 * A case's labels on the grid that `prepareImage` brought its channels to.
 * @param labels one for each voxel, as the image lies
 */
export function prepareLabels(
  labels: Uint8Array,
  { shape, geometry }: Pick<PreparedImage, 'shape' | 'geometry'>,
  { plans, configuration }: Pick<PreparationRules, 'plans' | 'configuration'>,
): Int16Array {
  const { box, croppedShape, spacing, target } = geometry
  const backward = plans.transpose_backward
  const before = backward.map((axis) => box.before[axis]) as unknown as Shape3
  const cropped = cropData(transposeData(labels, before, plans.transpose_forward), box, croppedShape)
  const rule = configuration.resampling_fn_seg_kwargs
  return resampleLabels(Int16Array.from(cropped), croppedShape, shape, spacing, target, rule)
}

const targetOf = ({ spacing }: NnunetConfiguration, image: Shape3): Shape3 =>
  (spacing.length === 2 ? [image[0], ...spacing] : spacing) as unknown as Shape3

/** What a network predicted, on the grid of the image as it came (slice, row, column; columns fastest). */
export interface ExportedPrediction {
  readonly labels: Uint8Array
  /** Of each head: softmax over labels, or the sigmoid of each region; outside the crop background. */
  readonly probabilities?: readonly Float32Array[]
}

/**
 * Logits back on the image's grid: resampled to its spacing, the label with the largest taken (of regions the last in
 * order whose probability exceeds ½), background around the crop, axes as they were.
 *
 * @param logits of each head, on the prepared grid `shape`
 */
export function exportLogits(
  logits: readonly Float32Array[],
  { shape, geometry }: Pick<PreparedImage, 'shape' | 'geometry'>,
  { plans, configuration, labels }: PreparationRules,
  { probabilities = false } = {},
): ExportedPrediction {
  const { box, croppedShape, spacing, target } = geometry
  const rule = configuration.resampling_fn_probabilities_kwargs
  const heads = logits.map((data) => resampleImage(data, shape, croppedShape, target, spacing, rule))
  const back = <T extends Float32Array | Uint8Array>(data: T) =>
    transposeData(uncrop(data, box, croppedShape), box.before, plans.transpose_backward)
  const segmentation = back(labels.regions ? lastRegion(heads, labels.regionOrder!) : largest(heads))
  if (!probabilities) return { labels: segmentation }
  const maps = (labels.regions ? heads.map((data) => data.map(sigmoid)) : softmax(heads)).map(back)
  if (!labels.regions) {
    const inside = back(new Uint8Array(heads[0].length).fill(1))
    for (let i = 0; i < inside.length; i++) if (inside[i] === 0) maps[0][i] = 1
  }
  return { labels: segmentation, probabilities: maps }
}

function largest(heads: readonly Float32Array[]): Uint8Array {
  const out = new Uint8Array(heads[0].length)
  for (let i = 0; i < out.length; i++) {
    let best = 0
    for (let head = 1; head < heads.length; head++) if (heads[head][i] > heads[best][i]) best = head
    out[i] = best
  }
  return out
}

function lastRegion(heads: readonly Float32Array[], order: readonly number[]): Uint8Array {
  const out = new Uint8Array(heads[0].length)
  for (const [head, data] of heads.entries()) for (let i = 0; i < out.length; i++) if (data[i] > 0) out[i] = order[head]
  return out
}

const sigmoid = (logit: number): number => 1 / (1 + Math.exp(-logit))

function softmax(heads: readonly Float32Array[]): Float32Array[] {
  const out = heads.map((data) => new Float32Array(data.length))
  for (let i = 0; i < heads[0].length; i++) {
    let top = Number.NEGATIVE_INFINITY
    for (const data of heads) top = Math.max(top, data[i])
    let sum = 0
    for (const data of heads) sum += Math.exp(data[i] - top)
    for (const [head, data] of heads.entries()) out[head][i] = Math.exp(data[i] - top) / sum
  }
  return out
}

function transposed({ shape, spacing, channels }: NnunetImage, order: readonly number[]): NnunetImage {
  const pick = (values: Shape3) => order.map((axis) => values[axis]) as unknown as Shape3
  return { shape: pick(shape), spacing: pick(spacing), channels: channels.map((c) => transposeData(c, shape, order)) }
}

/** The voxels with the axes in another order: `order[0]` of the old ones comes first. */
function transposeData<T extends Float32Array | Uint8Array>(data: T, shape: Shape3, order: readonly number[]): T {
  if (order.every((axis, i) => axis === i)) return data
  const strides = [shape[1] * shape[2], shape[2], 1]
  const [n0, n1, n2] = order.map((axis) => shape[axis])
  const [s0, s1, s2] = order.map((axis) => strides[axis])
  const out = data.slice() as T
  let at = 0
  for (let i = 0; i < n0; i++)
    for (let j = 0; j < n1; j++) for (let k = 0; k < n2; k++) out[at++] = data[i * s0 + j * s1 + k * s2]
  return out
}
