/**
 * Maps of lesions for the lesion-wise losses, made on the CPU for one patch. Arrays are row-major, sizes slowest first.
 * Label the whole volume (volume/components) and cut the labels, so that a lesion cut by the patch stays one.
 */

/**
 * Renumbers a patch's labels 1 … K, the largest component first. Components beyond `most` and fragments below `minVoxels`,
 * which the patch's border leaves, get `most + 1`.
 * @param labels 0 for background
 */
export function patchComponents(
  labels: ArrayLike<number>,
  { most = 32, minVoxels = 2 }: { most?: number; minVoxels?: number } = {},
): { labels: Float32Array<ArrayBuffer>; count: number } {
  const sizes = labelSizes(labels)
  const order = [...sizes].filter(([, size]) => size >= minVoxels).sort(([a, m], [b, n]) => n - m || a - b)
  const kept = order.slice(0, most)
  const number = new Map(kept.map(([label], i) => [label, i + 1]))
  const renumbered = Float32Array.from(labels, (label) => (label === 0 ? 0 : (number.get(label) ?? most + 1)))
  return { labels: renumbered, count: kept.length }
}

/**
 * Position of each component's largest value, the highest `most` of them, then -1: what the losses of counts and of false
 * alarms look at.
 * @param labels components of the thresholded `values`, 0 for background
 * @param apartFrom components that touch a non-zero voxel of it are left out
 */
export function componentPeaks(
  values: ArrayLike<number>,
  labels: ArrayLike<number>,
  { most = 32, apartFrom }: { most?: number; apartFrom?: ArrayLike<number> } = {},
): Float32Array<ArrayBuffer> {
  const peaks = new Map<number, number>()
  const touching = new Set<number>()
  for (let i = 0; i < labels.length; i++) {
    if (labels[i] === 0) continue
    if (apartFrom && apartFrom[i] !== 0) touching.add(labels[i])
    const peak = peaks.get(labels[i])
    if (peak === undefined || values[i] > values[peak]) peaks.set(labels[i], i)
  }
  const places = [...peaks].filter(([label]) => !touching.has(label)).map(([, place]) => place)
  places.sort((a, b) => values[b] - values[a] || a - b)
  return Float32Array.from({ length: most }, (_, i) => places[i] ?? -1)
}

/**
 * Weight of each voxel so that lesions count alike: the mean lesion size over its lesion's, within 0.5 … 20; 1 in the background.
 */
export function sizeWeights(labels: ArrayLike<number>): Float32Array<ArrayBuffer> {
  const sizes = labelSizes(labels)
  const mean = [...sizes.values()].reduce((a, b) => a + b, 0) / Math.max(1, sizes.size)
  return Float32Array.from(labels, (label) => (label === 0 ? 1 : Math.min(20, Math.max(0.5, mean / sizes.get(label)!))))
}

function labelSizes(labels: ArrayLike<number>): Map<number, number> {
  const sizes = new Map<number, number>()
  for (let i = 0; i < labels.length; i++) if (labels[i] !== 0) sizes.set(labels[i], (sizes.get(labels[i]) ?? 0) + 1)
  return sizes
}

/**
 * Label of the nearest labelled voxel, exact, by lower envelopes of parabolas along each axis (Felzenszwalb & Huttenlocher
 * 2012) that carry the labels with them. Zeros everywhere when there is none.
 * @param labels 1 … `most`, and `most + 1` for voxels that belong to no component: these keep it and attract nothing
 * @param spacing size of a voxel along each axis
 */
export function nearestComponents(
  labels: ArrayLike<number>,
  sizes: readonly number[],
  { most = 32, spacing = sizes.map(() => 1) }: { most?: number; spacing?: readonly number[] } = {},
): Float32Array<ArrayBuffer> {
  const nearest = Float32Array.from(labels, (label) => (label > most ? 0 : label))
  const squared = Float64Array.from(nearest, (label) => (label > 0 ? 0 : Number.POSITIVE_INFINITY))
  const longest = Math.max(...sizes)
  const line = {
    height: new Float64Array(longest),
    label: new Float32Array(longest),
    peak: new Int32Array(longest),
    from: new Float64Array(longest + 1),
  }
  let stride = nearest.length
  sizes.forEach((count, axis) => {
    const block = stride
    stride /= count
    const square = spacing[axis] * spacing[axis]
    for (let start = 0; start < nearest.length; start += block)
      for (let i = start; i < start + stride; i++) envelope(nearest, squared, i, stride, count, square, line)
  })
  for (let i = 0; i < nearest.length; i++) if (labels[i] > most) nearest[i] = labels[i]
  return nearest
}

interface Line {
  height: Float64Array
  label: Float32Array
  peak: Int32Array
  from: Float64Array
}

function envelope(
  nearest: Float32Array,
  squared: Float64Array,
  start: number,
  stride: number,
  count: number,
  square: number,
  { height, label, peak, from }: Line,
): void {
  let top = -1
  for (let i = 0; i < count; i++) {
    height[i] = squared[start + i * stride]
    label[i] = nearest[start + i * stride]
    if (height[i] === Number.POSITIVE_INFINITY) continue
    let meets = Number.NEGATIVE_INFINITY
    while (top >= 0) {
      const q = peak[top]
      meets = ((height[i] - height[q]) / square + i * i - q * q) / (2 * (i - q))
      if (meets > from[top]) break
      meets = Number.NEGATIVE_INFINITY
      top--
    }
    top++
    peak[top] = i
    from[top] = meets
  }
  if (top < 0) return
  from[top + 1] = Number.POSITIVE_INFINITY
  for (let i = 0, at = 0; i < count; i++) {
    while (from[at + 1] < i) at++
    const q = peak[at]
    squared[start + i * stride] = height[q] + square * (i - q) * (i - q)
    nearest[start + i * stride] = label[q]
  }
}
