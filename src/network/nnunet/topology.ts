/** How a patch is pooled: what the spacing and the size of each axis allow. */
export interface Topology {
  /** Number of halvings of each axis. */
  poolings: number[]
  /** Stride at the entrance of each stage; the first stage has none. */
  strides: number[][]
  /** Kernel of each stage; 1 along an axis as long as its spacing is at least twice the finest. */
  kernels: number[][]
  /** The patch, padded to what the poolings divide. */
  patch: number[]
  /** 2^poolings. */
  divisor: number[]
}

/** Edge below which a map is not pooled further is twice this: the bottleneck keeps at least so many voxels. */
const smallestEdge = 4

/**
 * nnU-Net's pooling rule (Isensee et al. 2021): at each stage, halve the axes that are large enough and whose spacing is
 * less than twice the finest among them; a single axis goes on alone only from three times the smallest edge.
 *
 * @param spacing mm along each axis, 2 or 3 of them
 */
export function topology(spacing: readonly number[], patch: readonly number[]): Topology {
  const current = [...spacing]
  const size = [...patch]
  const poolings = spacing.map(() => 0)
  const kernel = spacing.map(() => 1)
  const strides = [spacing.map(() => 1)]
  const kernels: number[][] = []
  for (;;) {
    const large = axesWhere(size, (n) => n >= 2 * smallestEdge)
    const finest = Math.min(...large.map((axis) => current[axis]))
    const pooled = large.filter((axis) => current[axis] / finest < 2)
    if (pooled.length === 0 || (pooled.length === 1 && size[pooled[0]] < 3 * smallestEdge)) break
    const finestOfAll = Math.min(...current)
    for (const axis of axesWhere(current, (mm) => mm / finestOfAll < 2)) kernel[axis] = 3
    kernels.push([...kernel])
    strides.push(spacing.map((_, axis) => (pooled.includes(axis) ? 2 : 1)))
    for (const axis of pooled) {
      poolings[axis]++
      current[axis] *= 2
      size[axis] = Math.ceil(size[axis] / 2)
    }
  }
  kernels.push(spacing.map(() => 3))
  const divisor = poolings.map((count) => 2 ** count)
  const padded = patch.map((n, axis) => Math.ceil(n / divisor[axis]) * divisor[axis])
  return { poolings, strides, kernels, patch: padded, divisor }
}

const axesWhere = (values: readonly number[], test: (value: number) => boolean): number[] =>
  values.flatMap((value, axis) => (test(value) ? [axis] : []))
