// Images of known tissue for bench/tissue.ts.
import { readFileSync } from 'node:fs'
import { readNifti } from '../src/formats/nifti.js'
import { loadAtlas } from '../src/preprocess/atlas.js'
import { gaussianRandom, seededRandom } from '../src/random.js'
import { paintLesions, planLesions } from '../src/simulate/lesions.js'
import { lateralVentricles, randomDisplacement, warpImage } from '../src/simulate/warp.js'
import { gaussian } from '../src/volume/filter.js'
import { resample } from '../src/volume/resample.js'
import type { TissueMaps } from '../src/volume/study.js'
import { emptyImage, emptyMask, type Grid, type Image, type Mask } from '../src/volume/volume.js'
import { phantomBrain, phantomImage, phantomLabels, phantomLesionMask } from '../test/phantom.js'
import { sharedData } from '../test/shared-data.js'

export interface TissueCase {
  t1: Image
  flair: Image
  brain: Mask
  /** 1 fluid, 2 grey, 3 white matter, lesions left out of account. */
  truth: Mask
  lesions: Mask
  /** What both tools are given; undefined for none. */
  priors: Record<string, TissueMaps | undefined>
}

/** PH-1 without bias, with its lesions; as prior its labels blurred by 4 mm, or none. */
export async function phantomCase(noise: number): Promise<TissueCase> {
  const labels = phantomLabels()
  const brain = phantomBrain()
  const blurred = (label: number) =>
    gaussian({ ...labels, data: Float32Array.from(labels.data, (v) => (v === label ? 1 : 0)) }, 4)
  const prior = { csf: await blurred(1), gm: await blurred(2), wm: await blurred(3) }
  return {
    t1: phantomImage({ contrast: 't1', noise, seed: 1 }),
    flair: phantomImage({ contrast: 'flair', noise, seed: 2 }),
    brain,
    truth: labels,
    lesions: phantomLesionMask(),
    priors: { blurred: proper(prior, brain), none: undefined },
  }
}

/** Intensities of fluid, grey matter, white matter and lesion, white matter 100. */
const contrasts = { t1: [28, 72, 100, 68], flair: [20, 118, 100, 175] } as const

/**
 * One person's brain from the tissue maps of ICBM152 2009a: smoothly deformed (lattice of 48 mm, up to 4 mm along each
 * axis, ventricles widened by up to 3 mm), each voxel one tissue by the maps' odds times smooth random ones (so that
 * folding is a person's own), 1 mm; partial volume by a blur of 0.5 mm, 2 % unevenness within tissue, Rician noise.
 * Prior: the package's atlas where the undeformed head lies. It was made from the same template, but this person's
 * folding and shape are not in it.
 */
export async function simulatedCase(options: { noise: number; lesionMl: number; seed: number }): Promise<TissueCase> {
  const { noise, lesionMl, seed } = options
  const stream = (purpose: number) => seededRandom(Math.imul(seed, 0x9e3779b1) + purpose)
  const grid: Grid = { dims: [160, 196, 166], affine: [1, 0, 0, -79.5, 0, 1, 0, -114.5, 0, 0, 1, -74.5, 0, 0, 0, 1] }
  const atlas = await loadAtlas()
  const shape = stream(1)
  const displacement = await randomDisplacement(lateralVentricles(atlas), grid, {
    mm: 4,
    spacing: 48,
    widening: 3 * shape(),
    random: shape,
  })
  const maps: Image[] = []
  for (const name of ['csf_tal_nlin_sym_09a', 'gm_tal_nlin_sym_09a_converted', 'wm_tal_nlin_sym_09a_converted'])
    maps.push(warpImage(await resample(await template(`mni_icbm152_${name}.nii.gz`), grid), displacement))
  const { truth, brain } = await ownFolding(maps, stream(2))

  const lesionRandom = stream(3)
  const count = lesionMl > 0 ? Math.round(10 * lesionMl ** 0.6) : 0
  const plans = await planLesions(atlas, {
    count,
    meanMm3: (1000 * lesionMl) / Math.max(1, count),
    random: lesionRandom,
  })
  const { fraction } = await paintLesions(atlas, grid, plans, 1000 * lesionMl)
  const lesion = warpImage(fraction, displacement)
  const lesions = emptyMask(grid)
  for (let i = 0; i < lesions.data.length; i++) {
    if (truth.data[i] < 2) lesion.data[i] = 0
    // also a voxel that is lesion in part is not scored
    lesions.data[i] = lesion.data[i] > 0.1 ? 1 : 0
  }
  const scanRandom = stream(4)
  const scan = async ([fluid, grey, white, bright]: readonly number[]): Promise<Image> => {
    const level = [0, fluid, grey, white]
    const normal = gaussianRandom(scanRandom)
    const uneven = emptyImage(grid)
    for (let i = 0; i < uneven.data.length; i++) uneven.data[i] = normal()
    // Unit noise blurred by 1.2 voxels keeps a standard deviation of 0.113.
    const texture = await gaussian(uneven, 1.2)
    const sharp = emptyImage(grid)
    for (let i = 0; i < sharp.data.length; i++) {
      const tissue = level[truth.data[i]] * (1 + (0.02 / 0.113) * texture.data[i])
      sharp.data[i] = tissue + lesion.data[i] * (bright - tissue)
    }
    const image = await gaussian(sharp, 0.5)
    for (let i = 0; i < image.data.length; i++)
      image.data[i] = brain.data[i] ? Math.hypot(image.data[i] + noise * normal(), noise * normal()) : 0
    return image
  }
  const t1 = await scan(contrasts.t1)
  const flair = await scan(contrasts.flair)
  const prior = {
    csf: await resample(atlas.csf, grid),
    gm: await resample(atlas.gm, grid),
    wm: await resample(atlas.wm, grid),
  }
  return { t1, flair, brain, truth, lesions, priors: { atlas: proper(prior, brain) } }
}

async function template(name: string): Promise<Image> {
  const path = sharedData(`templates/icbm152_sym09a/${name}`)!
  const { image } = await readNifti(readFileSync(path), path)
  // The two maps that were converted hold bytes.
  return name.includes('converted') ? { ...image, data: image.data.map((v) => v / 255) } : image
}

/** One tissue a voxel: the greatest of p · exp(g), g smooth and random with a standard deviation of 0.8. */
async function ownFolding(maps: Image[], random: () => number): Promise<{ truth: Mask; brain: Mask }> {
  const normal = gaussianRandom(random)
  const fields: Image[] = []
  for (const map of maps) {
    const noise = emptyImage(map)
    for (let i = 0; i < noise.data.length; i++) noise.data[i] = normal()
    // Unit noise blurred by 1.5 voxels keeps a standard deviation of 0.082.
    fields.push(await gaussian(noise, 1.5))
  }
  const [truth, brain] = [emptyMask(maps[0]), emptyMask(maps[0])]
  for (let i = 0; i < truth.data.length; i++) {
    const all = maps.reduce((sum, { data }) => sum + data[i], 0)
    if (all < 0.5) continue
    brain.data[i] = 1
    const odds = maps.map(({ data }, k) => Math.max(0, data[i]) * Math.exp((0.8 / 0.082) * fields[k].data[i]))
    truth.data[i] = 1 + odds.indexOf(Math.max(...odds))
  }
  return { truth, brain }
}

/** Nowhere zero, and summing to 1 in the brain: no tool stumbles over a voxel without a prior. */
function proper(maps: TissueMaps, brain: Mask): TissueMaps {
  const list = [maps.csf, maps.gm, maps.wm].map((map) => ({ ...map, data: map.data.slice() }))
  for (let i = 0; i < brain.data.length; i++) {
    const sum = list.reduce((total, { data }) => total + data[i] + 0.01, 0)
    for (const { data } of list) data[i] = brain.data[i] ? (data[i] + 0.01) / sum : 0
  }
  const [csf, gm, wm] = list
  return { csf, gm, wm }
}
