import type { Image, Mask } from '../../volume/volume.js'

export interface Normalised {
  image: Image
  /** What the scale was made from, in the units of the input, e.g. mean and standard deviation. */
  figures: Record<string, number>
  /** What went otherwise than asked, in plain sentences. Empty when nothing did. */
  said: string[]
}

/** (value − shift) / scale, everywhere. */
export const shiftedAndScaled = ({ dims, affine, data }: Image, shift: number, scale: number): Image => ({
  dims,
  affine,
  data: data.map((value) => (value - shift) / scale),
})

/**
 * The finite voxels of the mask; where there are none, all finite voxels of the image, which `said` is told. An image
 * without a finite voxel gives an empty mask.
 */
export function regionOf({ data }: Image, mask: Mask, said: string[]): { region: Mask; voxels: number } {
  const finiteWhere = (inside: (i: number) => boolean) => {
    const region = new Uint8Array(data.length)
    let voxels = 0
    for (let i = 0; i < data.length; i++)
      if (inside(i) && Number.isFinite(data[i])) {
        region[i] = 1
        voxels++
      }
    return { region: { dims: mask.dims, affine: mask.affine, data: region }, voxels }
  }
  const within = finiteWhere((i) => mask.data[i] !== 0)
  if (within.voxels > 0) return within
  said.push('The mask holds no voxel with a value: all of the image was used.')
  return finiteWhere(() => true)
}

/** Mean and standard deviation (of a sample: n − 1) within a mask, in two passes. NaN and 0 for no voxel. */
export function moments({ data }: Image, { data: mask }: Mask): { mean: number; sd: number; voxels: number } {
  let [voxels, sum, squares] = [0, 0, 0]
  for (let i = 0; i < data.length; i++)
    if (mask[i] !== 0) {
      voxels++
      sum += data[i]
    }
  const mean = voxels > 0 ? sum / voxels : Number.NaN
  for (let i = 0; i < data.length; i++) if (mask[i] !== 0) squares += (data[i] - mean) ** 2
  return { mean, sd: voxels > 1 ? Math.sqrt(squares / (voxels - 1)) : 0, voxels }
}

/** Whether a spread is more than the rounding of numbers of that size. */
export const isSpread = (spread: number, size: number): boolean => spread > 1e-6 * Math.abs(size) && spread > 1e-30
