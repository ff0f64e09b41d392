import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { readNifti, readNiftiMask } from '../src/formats/nifti.js'
import { gaussian } from '../src/volume/filter.js'
import { percentiles } from '../src/volume/histogram.js'
import { reorient, towardsRas } from '../src/volume/orient.js'
import { resample, resampleMask } from '../src/volume/resample.js'
import { countVoxels, emptyImage, type Grid, type Image, type Mask } from '../src/volume/volume.js'

export const sharedFolder = fileURLToPath(new URL('../../shared/data/', import.meta.url))

/** An image of ../shared/data, its axes turned to RAS. */
export async function sharedImage(path: string): Promise<Image> {
  const { image } = await readNifti(readFileSync(sharedFolder + path), path)
  return reorient(image, towardsRas(image.affine))
}

/** A mask of ../shared/data, its axes turned to RAS. */
export async function sharedMask(path: string): Promise<Mask> {
  const mask = await readNiftiMask(readFileSync(sharedFolder + path), path)
  return reorient(mask, towardsRas(mask.affine))
}

/**
 * Square root of the relative frequency of MS lesions on a grid, 0–1: three collections of other people's masks, each
 * scaled to a mean of 1 in the brain.
 * @param without the centre whose masks are left out: 27 of the collections' patients are Ljubljana's
 */
export async function lesionFrequency(brain: Mask, grid: Grid, without?: 'ljubljana'): Promise<Image> {
  const sources = [
    ...(without === 'ljubljana' ? [] : [await ljubljanaCounts()]),
    await sharedImage('lesion-shapes/lesion_count_map.nii.gz'),
    await sharedImage('templates/ms_prior/USP-ICBM-MSpriors-46-1mm.nii.gz'),
  ]
  const inside = await resampleMask(brain, grid)
  const sum = emptyImage(grid)
  for (const source of sources) {
    // 3 mm: so that a voxel no patient's lesion happened to cover is not ruled out beside one that was.
    const smooth = await resample(await gaussian(source, 3), grid)
    let total = 0
    for (let i = 0; i < sum.data.length; i++) if (inside.data[i]) total += smooth.data[i]
    const scale = countVoxels(inside) / total / sources.length
    for (let i = 0; i < sum.data.length; i++) if (inside.data[i]) sum.data[i] += smooth.data[i] * scale
  }
  const [top] = percentiles(sum, [99.9])
  return { ...sum, data: sum.data.map((v) => Math.sqrt(Math.min(1, v / top))) }
}

async function ljubljanaCounts(): Promise<Image> {
  const names = readdirSync(`${sharedFolder}lesion-masks-mni`).filter((name) => name.endsWith('.nii.gz'))
  const masks = await Promise.all(names.map((name) => sharedMask(`lesion-masks-mni/${name}`)))
  const counted = emptyImage(masks[0])
  for (const mask of masks) for (let i = 0; i < mask.data.length; i++) counted.data[i] += mask.data[i]
  return counted
}
