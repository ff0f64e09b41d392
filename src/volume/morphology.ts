import type { Connectivity } from './components.js'
import { distanceTo } from './distance.js'
import type { Image, Mask } from './volume.js'

/** Every voxel whose centre lies within `mm` of a mask voxel's centre. */
export const dilate = async (mask: Mask, mm: number): Promise<Mask> => within(await distanceTo(mask), mm)

/** The mask without what lies within `mm` of the background. Outside the volume is not background. */
export async function erode(mask: Mask, mm: number): Promise<Mask> {
  return inverse(within(await distanceTo(inverse(mask)), mm))
}

/** Erosion, then dilation: drops what a ball of `mm` does not fit into. */
export const open = async (mask: Mask, mm: number): Promise<Mask> => await dilate(await erode(mask, mm), mm)

/** Dilation, then erosion: fills gaps that a ball of `mm` does not fit into. */
export const close = async (mask: Mask, mm: number): Promise<Mask> => await erode(await dilate(mask, mm), mm)

const within = ({ dims, affine, data }: Image, mm: number): Mask => {
  // A hair's breadth, so that a distance of exactly `mm` counts whatever float32 made of it.
  const most = mm * (1 + 1e-5)
  const out = new Uint8Array(data.length)
  for (let i = 0; i < out.length; i++) out[i] = data[i] <= most ? 1 : 0
  return { dims, affine, data: out }
}

const inverse = ({ dims, affine, data }: Mask): Mask => {
  const out = new Uint8Array(data.length)
  for (let i = 0; i < out.length; i++) out[i] = data[i] === 0 ? 1 : 0
  return { dims, affine, data: out }
}

/** Grows a mask by `steps` voxels over the 6, 18 or 26 neighbours, whatever their size in mm. */
export function dilateSteps(mask: Mask, connectivity: Connectivity, steps: number): Mask {
  const offsets = neighbours(connectivity)
  const [nx, ny, nz] = mask.dims
  let data: Uint8Array = mask.data
  for (let step = 0; step < steps; step++) {
    const out = Uint8Array.from(data)
    for (let k = 0, at = 0; k < nz; k++)
      for (let j = 0; j < ny; j++)
        for (let i = 0; i < nx; i++, at++) {
          if (data[at] === 0) continue
          for (const [dx, dy, dz] of offsets) {
            const [x, y, z] = [i + dx, j + dy, k + dz]
            if (x >= 0 && x < nx && y >= 0 && y < ny && z >= 0 && z < nz) out[x + nx * (y + ny * z)] = 1
          }
        }
    data = out
  }
  return { dims: mask.dims, affine: mask.affine, data }
}

/** Offsets (dx, dy, dz) of the neighbours that touch by faces (6), edges too (18), corners too (26). */
export function neighbours(connectivity: Connectivity): [number, number, number][] {
  const reach = { 6: 1, 18: 2, 26: 3 }[connectivity]
  const out: [number, number, number][] = []
  for (let dz = -1; dz <= 1; dz++)
    for (let dy = -1; dy <= 1; dy++)
      for (let dx = -1; dx <= 1; dx++) {
        const steps = Math.abs(dx) + Math.abs(dy) + Math.abs(dz)
        if (steps > 0 && steps <= reach) out.push([dx, dy, dz])
      }
  return out
}
