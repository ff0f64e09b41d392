import {
  type Affine,
  compose,
  identity,
  invert,
  scaling,
  translation,
  type Vec3,
  voxelSizes,
} from '../volume/affine.js'
import type { Grid, Volume, VoxelArray } from '../volume/volume.js'

/**
 * The world map that puts an image straight: its axes along RAS, its centre at the origin. All of the preparation happens
 * there, so that how a head lay in the scanner, or what a program made of the header since, changes no result. Headers
 * with shear, which no rotation puts straight, stay as they are.
 */
export function ownFrame({ dims, affine }: Grid): Affine {
  const size = voxelSizes(affine)
  const first = dims.map((n, axis) => -((n - 1) / 2) * size[axis]) as unknown as Vec3
  const frame = compose(translation(first), scaling(size), invert(affine))
  const [x, y, z] = [0, 1, 2].map((axis) => [frame[axis], frame[4 + axis], frame[8 + axis]])
  const dot = (u: number[], v: number[]) => Math.abs(u[0] * v[0] + u[1] * v[1] + u[2] * v[2])
  return Math.max(dot(x, y), dot(y, z), dot(z, x)) < 1e-3 ? frame : identity
}

/**
 * The affine to 1e-5 mm a voxel: what two ways of writing the same header differ by does not send a search down another
 * path to another optimum a tenth of a millimetre away.
 */
export const settled = <T extends VoxelArray>(volume: Volume<T>): Volume<T> => ({
  ...volume,
  affine: volume.affine.map((value) => Math.round(value * 1e5) / 1e5),
})

/** The same voxels in a world that a map has moved. */
export const moved = <T extends VoxelArray>(volume: Volume<T>, map: Affine): Volume<T> => ({
  ...volume,
  affine: compose(map, volume.affine),
})
