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
import { type Box, boundingBox, cropGrid, uncrop } from '../volume/crop.js'
import { type Reorientation, reorient } from '../volume/orient.js'
import { resample, resampleMask } from '../volume/resample.js'
import type { Modality } from '../volume/study.js'
import { type Grid, type Image, type Mask, sameGrid, type Volume, type VoxelArray } from '../volume/volume.js'
import type { Located } from './locate.js'

/** A grid that a visit's images are brought onto. */
export interface Space {
  /** As transforms and files name it: FLAIR, T1w, MNI152, halfway. */
  name: string
  /** Where images are sampled. */
  grid: Grid
  /** The same voxels in the world that people see: that of a header, of MNI152, or the halfway space. */
  world: Grid
  /** RAS mm of `grid` → the visit's own frame. */
  toAnchor: Affine
  /** Where the grid is that of a file: how its axes go back to the file's. */
  turnBack?: Reorientation
}

/** RAS mm of the space's world → RAS mm of an image's own header: what a transform file says. */
export const worldToImage = (space: Space, { frame, maps }: Located, modality: Modality): Affine =>
  compose(invert(frame), maps[modality]!, space.toAnchor, compose(space.grid.affine, invert(space.world.affine)))

/** RAS mm of the space's world → MNI152 RAS mm. */
export const worldToAtlas = (space: Space, { toAtlas }: Located): Affine =>
  compose(toAtlas, space.toAnchor, compose(space.grid.affine, invert(space.world.affine)))

/** Room around the brain, in mm, so that neighbourhoods at its edge are complete. */
const margin = 6

/**
 * The block of the anchor's grid that holds the brain, in its own voxels or in voxels of 1 mm: what methods work on.
 * `null` where there is no brain.
 */
export function brainBlock(located: Located, kind: 'native' | 'isotropic-1mm'): (Space & { box: Box }) | null {
  const first = located.images[located.anchor]!
  const box = boundingBox(located.brain, margin)
  if (!box) return null
  const block = cropGrid(first, box)
  const grid = kind === 'native' ? block : inVoxels(block, 1)
  // On the anchor's own voxels exactly where its header puts them.
  const world: Grid = sameGrid(grid, block)
    ? cropGrid(located.natives[located.anchor]!.grid, box)
    : { dims: grid.dims, affine: compose(invert(located.frame), grid.affine) }
  return { name: spaceName(located.anchor), grid, world, toAnchor: identity, box }
}

/** The grid of one of the visit's images as its file has it, or the same room in voxels of `voxelMm`. */
export function imageSpace(located: Located, modality: Modality, voxelMm?: number): Space {
  const image = located.images[modality]!
  const name = spaceName(modality)
  const toAnchor = invert(located.maps[modality]!)
  if (voxelMm === undefined) {
    const { grid, turnBack } = located.natives[modality]!
    return { name, grid: { dims: image.dims, affine: image.affine }, world: grid, toAnchor, turnBack }
  }
  const grid = inVoxels(image, voxelMm)
  return { name, grid, world: { dims: grid.dims, affine: compose(invert(located.frame), grid.affine) }, toAnchor }
}

/** FSL's MNI152 1 mm grid, 182 × 218 × 182, stored from right to left, as its template is. */
export const mni152Grid: Grid = {
  dims: [182, 218, 182],
  affine: [-1, 0, 0, 90, 0, 1, 0, -126, 0, 0, 1, -72, 0, 0, 0, 1],
}

/** FSL's MNI152 grid, or the same room in other voxels. */
export function atlasSpace(located: Located, voxelMm = 1): Space {
  const grid = voxelMm === 1 ? mni152Grid : inVoxels(mni152Grid, voxelMm)
  return { name: 'MNI152', grid, world: grid, toAnchor: invert(located.toAtlas) }
}

/** BIDS suffix of a contrast. */
export const spaceName = (modality: Modality): string =>
  ({ flair: 'FLAIR', t1: 'T1w', t2: 'T2w', pd: 'PDw', t1gd: 'T1wGd' })[modality]

/** The same block of space in cubic voxels: the corners of the outer voxels, not their centres, stay where they are. */
export function inVoxels({ dims, affine }: Grid, mm: number): Grid {
  const size = voxelSizes(affine)
  const counts = dims.map((n, axis) => Math.max(1, Math.round((n * size[axis]) / mm))) as unknown as Vec3
  const ratio = counts.map((n, axis) => dims[axis] / n) as unknown as Vec3
  const shift = ratio.map((r) => (r - 1) / 2) as unknown as Vec3
  return { dims: counts, affine: compose(affine, translation(shift), scaling(ratio)) }
}

/** The way of maps in a brain block back to the grid of the anchor as it was given. */
export interface WayBack {
  mask(mask: Mask): Promise<Mask>
  image(image: Image): Promise<Image>
}

/** Resample if the grids differ, put the block back, turn the axes back. */
export function wayBack({ world, box }: Space & { box: Box }, { natives, anchor }: Located): WayBack {
  const { grid, turnBack } = natives[anchor]!
  const block = cropGrid(grid, box)
  const restore = <T extends VoxelArray>(volume: Volume<T>): Volume<T> => reorient(uncrop(volume, box, grid), turnBack)
  const same = sameGrid(world, block)
  return {
    mask: async (mask) => restore(same ? mask : await resampleMask(mask, block, { method: 'linear' })),
    image: async (image) => restore(same ? image : await resample(image, block, { method: 'linear' })),
  }
}
