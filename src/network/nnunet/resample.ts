import type { Shape3 } from './crop.js'
import type { ResamplingRule } from './plans.js'
import { resize, type SplineOrder } from './resize.js'
import { anisotropyThreshold, product } from './rules.js'

/**
 * The axis along which images are resampled apart from the others, or undefined: the only coarsest axis of the present
 * or else of the new spacing, where that is more than three times the finest.
 */
export function separateAxis(
  spacing: readonly number[],
  target: readonly number[],
  force: boolean | null = null,
): number | undefined {
  if (force === false) return undefined
  const anisotropic = (mm: readonly number[]) => Math.max(...mm) / Math.min(...mm) > anisotropyThreshold
  const deciding = force || anisotropic(spacing) ? spacing : anisotropic(target) ? target : undefined
  if (!deciding) return undefined
  const coarsest = Math.max(...deciding)
  const axes = deciding.flatMap((mm, axis) => (mm === coarsest ? [axis] : []))
  return axes.length === 1 ? axes[0] : undefined
}

/**
 * Resamples an image as nnU-Net does: all axes with the rule's order or, where slices are thick, each slice by itself and
 * then across slices with `order_z`. Values stay within the image's (or the slice's) range.
 *
 * @param spacing mm of the image and `target` of what comes out; they only decide whether slices are thick
 */
export function resampleImage(
  data: Float32Array,
  shape: Shape3,
  to: Shape3,
  spacing: readonly number[],
  target: readonly number[],
  rule: ResamplingRule,
): Float32Array {
  if (shape.every((n, axis) => n === to[axis])) return data
  const apart = separateAxis(spacing, target, rule.force_separate_z)
  const { order, order_z: across } = rule
  if (apart === undefined) return clip(resize(data, shape, to, [order, order, order]), data, to, shape)
  const flat = to.map((n, axis) => (axis === apart ? shape[axis] : n)) as unknown as Shape3
  const slices = clip(resize(data, shape, flat, [order, order, order]), data, flat, shape, apart)
  return resize(slices, flat, to, [across, across, across])
}

/**
 * Resamples labels: that whose indicator, linearly interpolated, is largest; where several are, the label of the nearest
 * voxel if it is one of them, else the smallest (batchgenerators 0.25.4 and later).
 */
export function resampleLabels(
  labels: Int16Array,
  shape: Shape3,
  to: Shape3,
  spacing: readonly number[],
  target: readonly number[],
  rule: ResamplingRule,
): Int16Array {
  if (shape.every((n, axis) => n === to[axis])) return labels
  const apart = separateAxis(spacing, target, rule.force_separate_z)
  if (apart === undefined) return mostLikely(labels, shape, to, rule.order)
  const flat = to.map((n, axis) => (axis === apart ? shape[axis] : n)) as unknown as Shape3
  return mostLikely(mostLikely(labels, shape, flat, rule.order), flat, to, rule.order_z)
}

function mostLikely(labels: Int16Array, shape: Shape3, to: Shape3, order: SplineOrder): Int16Array {
  const resized = (values: Float32Array, by: SplineOrder) => resize(values, shape, to, [by, by, by])
  const nearest = Int16Array.from(resized(Float32Array.from(labels), 0))
  if (order === 0) return nearest
  const out = new Int16Array(nearest.length)
  const best = new Float32Array(nearest.length).fill(-1)
  for (const label of [...new Set(labels)].sort((a, b) => a - b)) {
    const share = resized(
      Float32Array.from(labels, (value) => (value === label ? 1 : 0)),
      order,
    )
    for (let i = 0; i < out.length; i++)
      if (share[i] > best[i] || (share[i] === best[i] && nearest[i] === label)) {
        best[i] = share[i]
        out[i] = label
      }
  }
  return out
}

/** Keeps values within the range of what they were made from: the whole image, or the same slice across `axis`. */
function clip(out: Float32Array, data: Float32Array, to: Shape3, shape: Shape3, axis?: number): Float32Array {
  const slices = axis === undefined ? 1 : shape[axis]
  const sliceOf = (of: Shape3) => {
    const inner = axis === undefined ? Number.POSITIVE_INFINITY : product(of.slice(axis + 1))
    return (i: number) => Math.floor(i / inner) % slices
  }
  const low = new Float32Array(slices).fill(Number.POSITIVE_INFINITY)
  const high = new Float32Array(slices).fill(Number.NEGATIVE_INFINITY)
  const from = sliceOf(shape)
  for (let i = 0; i < data.length; i++) {
    const slice = from(i)
    if (data[i] < low[slice]) low[slice] = data[i]
    if (data[i] > high[slice]) high[slice] = data[i]
  }
  const into = sliceOf(to)
  for (let i = 0; i < out.length; i++) {
    const slice = into(i)
    if (out[i] < low[slice]) out[i] = low[slice]
    else if (out[i] > high[slice]) out[i] = high[slice]
  }
  return out
}
