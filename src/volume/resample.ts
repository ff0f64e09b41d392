import { type Arena, type Block, type KernelName, withArena } from '../kernels/index.js'
import { type Affine, compose, identity, invert, type Vec3, voxelSizes } from './affine.js'
import { blurInArena } from './filter.js'
import { type Grid, type Image, type Mask, type Volume, voxelCount } from './volume.js'

export type Interpolation = 'nearest' | 'linear' | 'cubic' | 'sinc'

export interface ResampleOptions {
  /** World map from the target grid's RAS mm to the image's RAS mm. Default: identity, the two share a space. */
  map?: Affine
  /** `cubic` is the B-spline with prefilter, `sinc` Lanczos of radius 3. Default `linear`. Labels take `nearest`. */
  method?: Interpolation
  /** Value of voxels that lie outside the image. Default 0. */
  outside?: number
  /** Smooth first along the axes that the target samples more coarsely. Default false. */
  antialias?: boolean
}

/** The image's values at the voxel centres of `onto`. */
export async function resample(image: Volume, onto: Grid, options: ResampleOptions = {}): Promise<Image> {
  const { map = identity, method = 'linear', outside = 0, antialias = false } = options
  return await withArena(async (arena) => {
    let source = arena.float32(image.data)
    if (antialias) source = await blurInArena(arena, source, image, antialiasSigma(image, onto, map))
    if (method === 'cubic') await prefilter(arena, source, image.dims)
    const out = await sample(arena, method, source, image, onto, map, outside)
    return { dims: onto.dims, affine: onto.affine, data: out.copy() }
  })
}

/** A mask on another grid: the nearest voxel, or (`linear`) where interpolation of 0 and 1 gives at least one half. */
export async function resampleMask(
  mask: Mask,
  onto: Grid,
  { map = identity, method = 'nearest' }: { map?: Affine; method?: 'nearest' | 'linear' } = {},
): Promise<Mask> {
  const values = await resample(mask, onto, { map, method })
  const data = new Uint8Array(values.data.length)
  if (method === 'nearest') for (let i = 0; i < data.length; i++) data[i] = values.data[i]
  else for (let i = 0; i < data.length; i++) data[i] = values.data[i] >= 0.5 ? 1 : 0
  return { dims: onto.dims, affine: onto.affine, data }
}

const kernels: Record<Interpolation, KernelName> = {
  nearest: 'resampleNearest',
  linear: 'resampleLinear',
  cubic: 'resampleCubic',
  sinc: 'resampleSinc',
}

async function sample(
  arena: Arena,
  method: Interpolation,
  source: Block<Float32Array>,
  image: Grid,
  onto: Grid,
  map: Affine,
  outside: number,
): Promise<Block<Float32Array>> {
  const toSource = compose(invert(image.affine), map, onto.affine)
  const matrix = arena.float64(toSource.slice(0, 12))
  const out = arena.float32(voxelCount(onto))
  const [nx, ny, nz] = onto.dims
  await arena.run(kernels[method], ny * nz, 64, source.ptr, ...image.dims, out.ptr, nx, ny, matrix.ptr, outside)
  return out
}

/** Turns values into cubic B-spline coefficients, in place. */
export async function prefilter(arena: Arena, { ptr }: Block<Float32Array>, [nx, ny, nz]: Vec3): Promise<void> {
  await arena.run('prefilterX', ny * nz, 256, ptr, nx)
  await arena.run('prefilterY', nz, 1, ptr, nx, ny)
  await arena.run('prefilterZ', ny, 1, ptr, nx, ny, nz)
}

/**
 * σ (mm) for each axis of the image so that its resolution drops to the target's: FWHM² of the blur = target
 * spacing² − own spacing², the target's spacing measured along that axis.
 */
function antialiasSigma(image: Grid, onto: Grid, map: Affine): Vec3 {
  const perVoxel = compose(invert(onto.affine), invert(map), image.affine)
  const own = voxelSizes(image.affine)
  return own.map((mm, axis) => {
    // How far one voxel step of the image moves in target voxels: less than one where the target is coarser.
    const moved = Math.hypot(perVoxel[axis], perVoxel[4 + axis], perVoxel[8 + axis])
    const ratio = moved > 0 ? 1 / moved : 1
    return ratio > 1.05 ? (mm * Math.sqrt(ratio * ratio - 1)) / 2.3548 : 0
  }) as unknown as Vec3
}
