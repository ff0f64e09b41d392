import { type Affine, apply, compose, type Vec3, voxelSizes } from '../../volume/affine.js'
import { resample, resampleMask } from '../../volume/resample.js'
import type { Grid, Image, Mask } from '../../volume/volume.js'
import { robustRange } from '../registration/sampling.js'

/** Both images on one grid of cubic voxels, 0 – about 1, and what counts of them. */
export interface Level {
  mm: number
  grid: Grid
  fixed: Image
  moving: Image
  weight?: Image
}

/** Room around the fixed image's content, mm: displacements end at 0 there. */
export const margin = 14

/** The levels, coarsest first: one block of the fixed image's space along its axes, ever finer. */
export async function pyramid(
  fixed: Image,
  moving: Image,
  initial: Affine,
  spacings: readonly number[],
  mask?: Mask,
): Promise<Level[]> {
  const block = contentBlock(fixed)
  const [ofFixed, ofMoving] = [robustRange(fixed), robustRange(moving)]
  const levels: Level[] = []
  for (const mm of spacings) {
    const grid = cubic(fixed, block, mm)
    levels.push({
      mm,
      grid,
      fixed: scaled(await resample(fixed, grid, { antialias: true, outside: ofFixed[0] }), ofFixed),
      moving: scaled(await resample(moving, grid, { antialias: true, map: initial, outside: ofMoving[0] }), ofMoving),
      weight: mask && (await resample(await resampleMask(mask, fixed), grid, { antialias: true })),
    })
  }
  return levels
}

/** First and last index of what is not background, along each axis. */
function contentBlock({ dims, data }: Image): { low: Vec3; high: Vec3 } {
  const background = data[0]
  const low = [...dims]
  const high = [-1, -1, -1]
  for (let k = 0, index = 0; k < dims[2]; k++)
    for (let j = 0; j < dims[1]; j++)
      for (let i = 0; i < dims[0]; i++, index++) {
        if (data[index] === background) continue
        const at = [i, j, k]
        for (let axis = 0; axis < 3; axis++) {
          if (at[axis] < low[axis]) low[axis] = at[axis]
          if (at[axis] > high[axis]) high[axis] = at[axis]
        }
      }
  if (high[0] < 0) return { low: [0, 0, 0], high: dims.map((n) => n - 1) as unknown as Vec3 }
  return { low: low as unknown as Vec3, high: high as unknown as Vec3 }
}

/** Cubic voxels of `mm` along the image's axes that cover the block and its margin. */
function cubic(image: Grid, { low, high }: { low: Vec3; high: Vec3 }, mm: number): Grid {
  const size = voxelSizes(image.affine)
  const dims = size.map((own, axis) => Math.ceil(((high[axis] - low[axis]) * own + 2 * margin) / mm) + 1)
  const ratio = size.map((own) => mm / own)
  const first = size.map((_, axis) => (low[axis] + high[axis]) / 2 - ((dims[axis] - 1) / 2) * ratio[axis])
  const [x, y, z] = apply(image.affine, first as unknown as Vec3)
  const turn = compose(image.affine, [ratio[0], 0, 0, 0, 0, ratio[1], 0, 0, 0, 0, ratio[2], 0, 0, 0, 0, 1])
  return {
    dims: dims as unknown as Vec3,
    affine: [...turn.slice(0, 3), x, ...turn.slice(4, 7), y, ...turn.slice(8, 11), z, 0, 0, 0, 1],
  }
}

function scaled(image: Image, [low, high]: readonly [number, number]): Image {
  const scale = 1 / (high - low)
  return { ...image, data: image.data.map((value) => (value - low) * scale) }
}
