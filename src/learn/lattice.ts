import { voxelSizes } from '../volume/affine.js'
import { emptyImage, type Grid, type Image, type Mask, voxelsIn } from '../volume/volume.js'

/** The voxels of a mask as a graph: each with its six neighbours, in two colours that only touch each other. */
export interface Lattice {
  /** Index in the volume of each voxel of the mask, in storage order. */
  voxels: Uint32Array
  /** Six per voxel: its neighbours' places in `voxels` (−x, +x, −y, +y, −z, +z), −1 outside the mask. */
  neighbours: Int32Array
  /** Places in `voxels` of one colour, then of the other. */
  colours: readonly [Uint32Array, Uint32Array]
  /** Weight of a neighbour along x, y, z: 1 across the shortest edge, less across thick slices. */
  weights: readonly [number, number, number]
}

export function latticeOf(mask: Mask): Lattice {
  const { data, dims } = mask
  const [nx, ny, nz] = dims
  const voxels = voxelsIn(mask)
  const place = new Int32Array(data.length).fill(-1)
  voxels.forEach((at, v) => {
    place[at] = v
  })
  const neighbours = new Int32Array(6 * voxels.length).fill(-1)
  const colours: [number[], number[]] = [[], []]
  voxels.forEach((at, v) => {
    const [i, j, k] = [at % nx, Math.floor(at / nx) % ny, Math.floor(at / (nx * ny))]
    colours[(i + j + k) & 1].push(v)
    if (i > 0) neighbours[6 * v] = place[at - 1]
    if (i < nx - 1) neighbours[6 * v + 1] = place[at + 1]
    if (j > 0) neighbours[6 * v + 2] = place[at - nx]
    if (j < ny - 1) neighbours[6 * v + 3] = place[at + nx]
    if (k > 0) neighbours[6 * v + 4] = place[at - nx * ny]
    if (k < nz - 1) neighbours[6 * v + 5] = place[at + nx * ny]
  })
  const size = voxelSizes(mask.affine)
  const least = Math.min(...size)
  const [x, y, z] = size.map((s) => least / s)
  return {
    voxels,
    neighbours,
    colours: [Uint32Array.from(colours[0]), Uint32Array.from(colours[1])],
    weights: [x, y, z],
  }
}

/** The values of an image, or the voxels of a mask, at the lattice's voxels. */
export const onLattice = ({ voxels }: Pick<Lattice, 'voxels'>, { data }: { data: ArrayLike<number> }): Float32Array =>
  Float32Array.from(voxels, (at) => data[at])

/** Enough voxels for classes of tissue; a fit to all of them takes longer and moves nothing. */
const enough = 60_000

/** Takes every m-th of n values, so that 60 000 of them are left at most. */
export function thinning(n: number): { every: number; thinned(values: Float32Array): Float32Array } {
  const every = Math.max(1, Math.ceil(n / enough))
  return {
    every,
    thinned: (values) => Float32Array.from({ length: Math.ceil(values.length / every) }, (_, i) => values[every * i]),
  }
}

/** The image that holds these values at the voxels of `voxels`, and 0 elsewhere. */
export function onGrid(grid: Grid, voxels: ArrayLike<number>, values: (v: number) => number): Image {
  const image = emptyImage(grid)
  for (let v = 0; v < voxels.length; v++) image.data[voxels[v]] = values(v)
  return image
}

export interface FieldOptions {
  /** Log-odds that one certain neighbour across the shortest edge adds to its own class. */
  smoothness: number
  rounds: number
  /** Beliefs to start from, `classes` per voxel; default those of the evidence alone. Changed in place. */
  start?: Float32Array
  signal?: AbortSignal
}

/**
 * Beliefs of a Potts random field in mean-field approximation (Zhang et al. 2001): the belief in a class goes as
 * exp(evidence + smoothness · Σ of its neighbours' beliefs in it). All voxels of one colour are renewed, then all of the
 * other, so that no order is preferred.
 *
 * @param evidence log of the belief in each class by itself, `classes` values per voxel
 * @returns beliefs that sum to 1, `classes` per voxel
 */
export function meanField(
  { voxels, neighbours, colours, weights }: Lattice,
  evidence: Float32Array,
  classes: number,
  { smoothness, rounds, start, signal }: FieldOptions,
): Float32Array {
  const belief = start ?? new Float32Array(evidence.length)
  const weight = weights.map((w) => smoothness * w)
  const sums = new Float64Array(classes)
  const renew = (v: number) => {
    let most = Number.NEGATIVE_INFINITY
    for (let k = 0; k < classes; k++) {
      sums[k] += evidence[classes * v + k]
      if (sums[k] > most) most = sums[k]
    }
    let total = 0
    for (let k = 0; k < classes; k++) total += sums[k] = Math.exp(sums[k] - most)
    for (let k = 0; k < classes; k++) belief[classes * v + k] = sums[k] / total
  }
  if (!start)
    for (let v = 0; v < voxels.length; v++) {
      sums.fill(0)
      renew(v)
    }
  if (smoothness <= 0) return belief
  for (let round = 0; round < rounds; round++) {
    signal?.throwIfAborted()
    for (const colour of colours)
      for (let i = 0; i < colour.length; i++) {
        const v = colour[i]
        sums.fill(0)
        for (let side = 0; side < 6; side++) {
          const other = neighbours[6 * v + side]
          if (other < 0) continue
          const w = weight[side >> 1]
          for (let k = 0; k < classes; k++) sums[k] += w * belief[classes * other + k]
        }
        renew(v)
      }
  }
  return belief
}
