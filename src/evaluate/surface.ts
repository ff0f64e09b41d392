import type { Vec3 } from '../volume/affine.js'
import { type Box, unionBox } from '../volume/crop.js'
import { nearestDistance } from '../volume/nearest.js'
import { type Mask, maskWhere } from '../volume/volume.js'
import { forEachIn } from '../volume/words.js'
import { assertSameGrid } from './overlap.js'
import { sortedQuantile } from './statistics/describe.js'

/**
 * Which neighbours make a voxel of a mask a surface voxel when one of them is background: those that share a face (6),
 * a face or edge (18), or any (26); 4 and 8 are the same within a slice (axes x and y only).
 */
export type SurfaceNeighbourhood = 4 | 8 | 6 | 18 | 26

export interface SurfaceOptions {
  /** Default 6, as in the MSSEG scorer and in MedPy. */
  neighbourhood?: SurfaceNeighbourhood
  /**
   * What lies beyond the edge of the grid: `mask` (default, as in ITK and the MSSEG scorer), where a lesion that is cut
   * off has no surface along the cut, or `background` (as in scipy, MedPy and MONAI).
   */
  beyondEdge?: 'mask' | 'background'
}

/** What all surface measures are made of. */
export interface SurfaceSamples {
  /** Distance in mm from each surface voxel of the reference to the nearest of the candidate, in storage order. */
  fromReference: Float64Array
  /** The other way round. */
  fromCandidate: Float64Array
  /** As in {@link SurfaceDistances}. */
  hausdorff: number
}

/** How far two masks' surfaces are apart, in mm; `surfaceDice` is 0–1. NaN where a mask is empty or has no surface. */
export interface SurfaceDistances {
  /** Largest distance from any voxel of either mask to the nearest voxel of the other. */
  hausdorff: number
  /** The larger of the two directed 95th percentiles of the distances from surface voxels (interpolated linearly). */
  hausdorff95: number
  /** The 95th percentile of both directions' distances pooled, as in MedPy. */
  hausdorff95Pooled: number
  /** Average symmetric surface distance: the mean over both surfaces' voxels, pooled. */
  assd: number
  /** Mean of the two directed means, which weighs both surfaces alike (MASD). */
  meanSurface: number
  /** The larger of the two directed means (the MSSEG scorer's contour mean distance). */
  contourMean: number
  /** Mean distance from the reference's surface to the candidate's. */
  meanFromReference: number
  /** Mean distance from the candidate's surface to the reference's. */
  meanFromCandidate: number
  /**
   * For each of `tolerancesMm`, in their order: the share of both surfaces' voxels that lie within the tolerance of the
   * other surface (normalised surface Dice); 0 where one mask is empty, NaN where both are.
   */
  surfaceDice: number[]
}

/**
 * Distances between the surfaces of two masks, of which any value but zero is inside. Surface voxels and distances are
 * those of voxel centres; surface Dice counts voxels, not areas.
 *
 * Sources: Taha & Hanbury 2015, BMC Med Imaging 15:29 (Hausdorff, ASSD); Commowick et al. 2018, Sci Rep 8:13650 (contour
 * mean distance); Nikolov et al. 2021, J Med Internet Res 23:e26151 (surface Dice); Maier-Hein et al. 2024, Nat Methods
 * 21:195 (which is which).
 *
 * @throws RangeError when the masks are not on one grid
 */
export async function surfaceDistances(
  reference: Mask,
  candidate: Mask,
  { tolerancesMm = [1, 2], ...options }: SurfaceOptions & { tolerancesMm?: readonly number[] } = {},
): Promise<SurfaceDistances> {
  return summarise(await surfaceSamples(reference, candidate, options), tolerancesMm)
}

/**
 * The distances themselves, one per surface voxel, for measures of one's own.
 *
 * @throws RangeError when the masks are not on one grid
 */
export async function surfaceSamples(
  reference: Mask,
  candidate: Mask,
  { neighbourhood = 6, beyondEdge = 'mask' }: SurfaceOptions = {},
): Promise<SurfaceSamples> {
  assertSameGrid(reference, candidate)
  const box = unionBox(reference, candidate)
  if (!box) return { fromReference: new Float64Array(0), fromCandidate: new Float64Array(0), hausdorff: Number.NaN }
  // Every distance asked for runs between two voxels of the box, so that cutting it out changes none.
  const [r, c] = [reference, candidate].map((mask) => cut(mask, box, beyondEdge))
  const [surfaceR, surfaceC] = [r, c].map((mask) => surfaceOf(mask, neighbourhood))
  const [toR, toC] = [surfaceR, surfaceC].map(({ mask }) => nearestDistance(mask))
  // From outside a mask its nearest voxel is a surface voxel: from any other, one step closer would still be inside.
  // With neighbours of the slice only that does not hold, and the whole masks are asked.
  const [toAllR, toAllC] = withinSlice(neighbourhood)
    ? [r, c].map((mask) => nearestDistance(maskWhere(mask, (value) => value === inside)))
    : [toR, toC]
  return {
    fromReference: toC(surfaceR.voxels),
    fromCandidate: toR(surfaceC.voxels),
    hausdorff: Math.max(farthest(toAllC, outside(r, c)), farthest(toAllR, outside(c, r))),
  }
}

/** The surface measures from the distances of {@link surfaceSamples}. */
export function summarise(
  { fromReference: r, fromCandidate: c, hausdorff }: SurfaceSamples,
  tolerancesMm: readonly number[],
): SurfaceDistances {
  const [sumR, sumC] = [sum(r), sum(c)]
  const [meanR, meanC] = [sumR / r.length, sumC / c.length]
  const [sortedR, sortedC] = [r.slice().sort(), c.slice().sort()]
  const pooled = new Float64Array(r.length + c.length)
  pooled.set(r)
  pooled.set(c, r.length)
  pooled.sort()
  const finite = r.length > 0 && c.length > 0
  const unlessEmpty = (value: number) => (finite ? value : Number.NaN)
  return {
    hausdorff,
    hausdorff95: unlessEmpty(Math.max(sortedQuantile(sortedR, 0.95), sortedQuantile(sortedC, 0.95))),
    hausdorff95Pooled: unlessEmpty(sortedQuantile(pooled, 0.95)),
    assd: unlessEmpty((sumR + sumC) / pooled.length),
    meanSurface: unlessEmpty((meanR + meanC) / 2),
    contourMean: unlessEmpty(Math.max(meanR, meanC)),
    meanFromReference: unlessEmpty(meanR),
    meanFromCandidate: unlessEmpty(meanC),
    surfaceDice: tolerancesMm.map((tolerance) => within(pooled, tolerance) / pooled.length),
  }
}

const [inside, beyond] = [1, 2]

/** The box and a border of one voxel around it: 1 where the mask is, 2 beyond the grid unless that is background. */
function cut({ dims, affine, data }: Mask, { start, dims: size }: Box, beyondEdge: 'mask' | 'background'): Mask {
  const [nx, ny, nz] = size.map((n) => n + 2)
  const out = new Uint8Array(nx * ny * nz)
  const outer = beyondEdge === 'mask' ? beyond : 0
  for (let k = 0, to = 0; k < nz; k++)
    for (let j = 0; j < ny; j++, to += nx) {
      const [y, z] = [start[1] + j - 1, start[2] + k - 1]
      if (y < 0 || y >= dims[1] || z < 0 || z >= dims[2]) {
        out.fill(outer, to, to + nx)
        continue
      }
      if (start[0] === 0) out[to] = outer
      if (start[0] + size[0] === dims[0]) out[to + nx - 1] = outer
      const from = start[0] + dims[0] * (y + dims[1] * z) - 1
      for (let i = 1; i < nx - 1; i++) if (data[from + i] !== 0) out[to + i] = inside
    }
  return { dims: [nx, ny, nz], affine, data: out }
}

/** The voxels of a mask from `cut` with a neighbour in the background, as a mask and as indices. */
function surfaceOf(mask: Mask, neighbourhood: SurfaceNeighbourhood): { mask: Mask; voxels: Int32Array } {
  const { dims, affine, data } = mask
  const steps = offsets(neighbourhood, dims)
  const out = new Uint8Array(data.length)
  const voxels = voxelsWhere(mask, (at) => {
    for (let n = 0; n < steps.length; n++) if (data[at + steps[n]] === 0) return true
    return false
  })
  for (let n = 0; n < voxels.length; n++) out[voxels[n]] = 1
  return { mask: { dims, affine, data: out }, voxels }
}

/** The indices of the voxels of `mask` outside `other`, both from `cut`. */
const outside = (mask: Mask, { data }: Mask): Int32Array => voxelsWhere(mask, (at) => data[at] !== inside)

/** The indices of the voxels inside a mask from `cut` for which `test` holds. */
function voxelsWhere({ data }: Mask, test: (at: number) => boolean): Int32Array {
  let out = new Int32Array(1024)
  let n = 0
  forEachIn(data, data, (at) => {
    if (data[at] !== inside || !test(at)) return
    if (n === out.length) {
      const more = new Int32Array(2 * n)
      more.set(out)
      out = more
    }
    out[n++] = at
  })
  return out.subarray(0, n)
}

const withinSlice = (neighbourhood: SurfaceNeighbourhood) => neighbourhood === 4 || neighbourhood === 8

/** From a voxel to its neighbours, in storage order. */
function offsets(neighbourhood: SurfaceNeighbourhood, [nx, ny]: Vec3): Int32Array {
  const axes = { 4: 1, 8: 2, 6: 1, 18: 2, 26: 3 }[neighbourhood]
  const up = withinSlice(neighbourhood) ? 0 : 1
  const out: number[] = []
  for (let z = -up; z <= up; z++)
    for (let y = -1; y <= 1; y++)
      for (let x = -1; x <= 1; x++) {
        const moved = Math.abs(x) + Math.abs(y) + Math.abs(z)
        if (moved > 0 && moved <= axes) out.push(x + nx * (y + ny * z))
      }
  return Int32Array.from(out)
}

/** The largest distance from any of the voxels; 0 without any. */
const farthest = (distance: (voxels: Int32Array) => Float64Array, voxels: Int32Array): number => {
  const most = distance(voxels).reduce((a, b) => Math.max(a, b), 0)
  return Number.isFinite(most) ? most : Number.NaN
}

function sum(values: Float64Array): number {
  let total = 0
  for (let i = 0; i < values.length; i++) total += values[i]
  return total
}

/** How many of the sorted values are at most `limit`; 1e-6 relative: voxel sizes are single precision. */
function within(sorted: Float64Array, limit: number): number {
  const most = limit * (1 + 1e-6)
  let [low, high] = [0, sorted.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (sorted[middle] <= most) low = middle + 1
    else high = middle
  }
  return low
}
