import { type Affine, apply, compose, invert, type Vec3, voxelSizes } from '../volume/affine.js'
import { meanTwist, partOf, rigidExp, rigidLog } from '../volume/rigid.js'
import type { Grid, Image, Mask } from '../volume/volume.js'
import { register } from './register.js'

/** The space in the middle of several images of one head: none of them is favoured. */
export interface Halfway {
  /** Covers all images; each axis as finely sampled as the finest of them. */
  grid: Grid
  /** RAS mm of the halfway space → RAS mm of each image. */
  maps: Affine[]
}

export interface HalfwayOptions {
  /** Where to look in each image, such as its brain. */
  masks?: readonly (Mask | undefined)[]
  seed?: number
  signal?: AbortSignal
  progress?: (fraction: number) => void
}

/**
 * The halfway space of two or more images of one person (Smith et al. 2002; Reuter et al. 2012): each pair is registered
 * both ways and the two results averaged, T = exp(½(log T_ab − log T_ba)); the images then share the way to the middle,
 * so that all are interpolated alike. Swapping the images swaps the maps and changes nothing else.
 *
 * @param images of one head, roughly in one place (each with its centre near the origin will do)
 * @throws RangeError for fewer than two images
 */
export async function halfway(images: readonly Image[], options: HalfwayOptions = {}): Promise<Halfway> {
  const n = images.length
  if (n < 2) throw new RangeError('A halfway space lies between two images or more.')
  const { masks = [], seed = 1, signal, progress = () => {} } = options
  const pairs = images.flatMap((_, a) => images.slice(a + 1).map((_, b) => [a, a + 1 + b] as const))
  const between: Affine[][] = images.map(() => [])
  for (const [i, [a, b]] of pairs.entries()) {
    const one = async (from: number, to: number, part: number) =>
      await register(images[from], images[to], {
        dof: 6,
        fixedMask: masks[from],
        seed,
        signal,
        progress: (fraction) => progress((i + (part + fraction) / 2) / pairs.length),
      })
    const there = await one(a, b, 0)
    const back = await one(b, a, 0.5)
    const both = symmetric(there.map, back.map)
    between[a][b] = both
    between[b][a] = invert(both)
  }
  const maps = middle(between)
  return { grid: commonGrid(images, maps), maps }
}

/** The rigid map that two registrations, one each way, agree on best. */
export const symmetric = (there: Affine, back: Affine): Affine => {
  const [ab, ba] = [rigidLog(there), rigidLog(back)]
  return rigidExp(ab.map((value, i) => (value - ba[i]) / 2) as unknown as typeof ab)
}

/**
 * Maps from the middle to each of n places.
 *
 * @param between between[i][j] maps i to j; measured, so that going round in a circle need not end where it began
 */
export function middle(between: readonly (readonly Affine[])[]): Affine[] {
  const n = between.length
  let maps: Affine[] = between.map((_, i) => (i === 0 ? rigidExp([0, 0, 0, 0, 0, 0]) : between[0][i]))
  // Each place to where the others, on average, say it is: the differences spread evenly over all pairs.
  if (n > 2)
    for (let round = 0; round < 50; round++)
      maps = maps.map((own, i) => {
        const votes = maps.map((other, j) => (j === i ? own : compose(between[j][i], other)))
        return compose(own, rigidExp(meanTwist(votes.map((vote) => rigidLog(compose(invert(own), vote))))))
      })
  // The middle: where the ways to all places cancel out.
  for (let round = 0; round < 20; round++) {
    const centre = rigidExp(partOf(meanTwist(maps.map(rigidLog)), -1))
    maps = maps.map((map) => compose(map, centre))
  }
  return maps
}

/** A grid along the axes of the halfway space that holds all images, each axis as finely sampled as the finest of them. */
function commonGrid(images: readonly Image[], maps: readonly Affine[]): Grid {
  const low = [Infinity, Infinity, Infinity]
  const high = [-Infinity, -Infinity, -Infinity]
  const step = [Infinity, Infinity, Infinity]
  for (const [i, { dims, affine }] of images.entries()) {
    const toMiddle = compose(invert(maps[i]), affine)
    voxelSizes(affine).forEach((mm, axis) => {
      // The world axis that this voxel axis runs along.
      const along = [0, 1, 2].reduce((best, row) =>
        Math.abs(toMiddle[4 * row + axis]) > Math.abs(toMiddle[4 * best + axis]) ? row : best,
      )
      step[along] = Math.min(step[along], mm)
    })
    for (let corner = 0; corner < 8; corner++) {
      const at = apply(toMiddle, dims.map((count, axis) => (corner & (1 << axis) ? count - 1 : 0)) as unknown as Vec3)
      at.forEach((mm, axis) => {
        low[axis] = Math.min(low[axis], mm)
        high[axis] = Math.max(high[axis], mm)
      })
    }
  }
  // Hundredths of a millimetre: what rounding does to the corners must not change the grid.
  const sizes = step.map((mm) => Math.round(mm * 1e4) / 1e4)
  const dims = sizes.map((mm, axis) => Math.max(1, Math.ceil((high[axis] - low[axis]) / mm - 0.01) + 1))
  const first = dims.map(
    (count, axis) => Math.round(((low[axis] + high[axis]) / 2 - ((count - 1) / 2) * sizes[axis]) * 100) / 100,
  )
  const affine = [sizes[0], 0, 0, first[0], 0, sizes[1], 0, first[1], 0, 0, sizes[2], first[2], 0, 0, 0, 1]
  return { dims: dims as unknown as Vec3, affine }
}
