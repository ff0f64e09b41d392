// Computes assets/atlas from the templates in ../shared/data. Run it with `npm run atlas` where they are; what it makes
// is committed, so that the package needs none of them. It prints how the maps compare with other people's atlases,
// which are looked at here and are not part of what is shipped.
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { dice } from '../src/evaluate/overlap.js'
import { setThreads } from '../src/kernels/index.js'
import { register } from '../src/preprocess/register.js'
import { type Affine, apply, compose, type Vec3 } from '../src/volume/affine.js'
import { boundingBox, crop, cropGrid } from '../src/volume/crop.js'
import { percentiles } from '../src/volume/histogram.js'
import { resample, resampleMask } from '../src/volume/resample.js'
import { countVoxels, emptyMask, type Grid, type Image, type Mask, volumeMl } from '../src/volume/volume.js'
import { deepGreyRegion, infratentorialRegion, ventricleRegion } from './atlas-geometry.js'
import { lesionFrequency, sharedFolder, sharedImage, sharedMask } from './lesion-frequency.js'

const out = fileURLToPath(new URL('../assets/atlas/', import.meta.url))
if (!existsSync(sharedFolder))
  throw new Error(`${sharedFolder} is not here: the atlas can be computed only beside the templates`)
setThreads(2)

// The space: FSL's MNI152, 1 mm, cropped to the brain.
const brainWhole = await sharedMask('templates/mni152_fsl/MNI152_T1_1mm_brain_mask.nii.gz')
const box = boundingBox(brainWhole, 4)!
const fine: Grid = cropGrid(brainWhole, box)
const brain = crop(brainWhole, box)

// ICBM152 2009 differs from it by a few mm: one affine brings it over.
const icbm = (kind: string, converted = '_converted') =>
  sharedImage(`templates/icbm152_sym09a/mni_icbm152_${kind}_tal_nlin_sym_09a${converted}.nii.gz`)
const icbmT1 = await icbm('t1')
const { map } = await register(await sharedImage('templates/mni152_fsl/MNI152_T1_1mm_brain.nii.gz'), icbmT1, {
  dof: 12,
})
console.log(`ICBM152 2009 → MNI152: moves the brain by ${meanMove(map).toFixed(2)} mm on average`)

const unit = (image: Image): Image => {
  const [top] = percentiles(image, [99.99])
  return { ...image, data: image.data.map((v) => Math.min(1, Math.max(0, v / (top > 2 ? 255 : 1)))) }
}
const tissue: Record<'csf' | 'gm' | 'wm', Image> = {
  csf: await resample(unit(await icbm('csf', '')), fine, { map }),
  gm: await resample(unit(await icbm('gm')), fine, { map }),
  wm: await resample(unit(await icbm('wm')), fine, { map }),
}
for (let i = 0; i < brain.data.length; i++) {
  // The brain mask is FSL's: at its rim, where the ICBM maps have nothing, there is fluid.
  const sum = tissue.csf.data[i] + tissue.gm.data[i] + tissue.wm.data[i]
  if (brain.data[i] === 0) for (const map of Object.values(tissue)) map.data[i] = 0
  else if (sum < 1) tissue.csf.data[i] += 1 - sum
  else for (const map of Object.values(tissue)) map.data[i] /= sum
}

const ventricles = await ventricleRegion(tissue, brain)
const infratentorial = await infratentorialRegion(tissue, brain)
const deepGrey = deepGreyRegion(tissue, ventricles, infratentorial)

const coarse: Grid = halved(fine)
const lesionPrior = await lesionFrequency(brain, coarse)

// The head, for registration of raw scans and for simulated ones.
const headGrid: Grid = { dims: [122, 148, 128], affine: [1.6, 0, 0, -97, 0, 1.6, 0, -132, 0, 0, 1.6, -84, 0, 0, 0, 1] }
const mniHead = await sharedImage('templates/mni152_2009_head/MNI152_2009_SSW.nii.gz')
const headMove = await register(await sharedImage('templates/mni152_fsl/MNI152_T1_2mm.nii.gz'), mniHead, { dof: 12 })
const head = await resample(mniHead, headGrid, { map: headMove.map, antialias: true })

mkdirSync(out, { recursive: true })
for (const name of readdirSync(out)) if (name.endsWith('.gz')) rmSync(out + name)
const maps: Record<string, object> = {}
const regions = emptyMask(fine)
for (let i = 0; i < regions.data.length; i++)
  regions.data[i] = brain.data[i] | (ventricles.data[i] << 1) | (infratentorial.data[i] << 3) | (deepGrey.data[i] << 4)
write(
  'regions',
  fine,
  regions.data,
  1,
  'bits: 1 brain, 2 lateral and third ventricles, 4 fourth ventricle, 8 infratentorial, 16 deep grey matter',
)
for (const [name, image] of Object.entries(tissue)) write(name, fine, quantised(image, 60), 1 / 60, 'probability')
write('lesions', coarse, quantised(lesionPrior, 200), 1 / 200, 'square root of the relative lesion frequency')
const [headTop] = percentiles(head, [99.9])
write(
  't1',
  headGrid,
  quantised({ ...head, data: head.data.map((v) => v / headTop) }, 250),
  1 / 250,
  'T1 intensity, whole head',
)
writeFileSync(
  `${out}atlas.json`,
  `${JSON.stringify({ schemaVersion: 1, space: 'MNI152 (FSL, MNI152NLin6Asym), RAS mm', maps }, null, 2)}\n`,
)

await compare()
process.exit(0)

function quantised(image: Image, steps: number): Uint8Array {
  return Uint8Array.from(image.data, (v) => Math.round(Math.min(1, Math.max(0, v)) * steps))
}

function write(name: string, grid: Grid, values: Uint8Array, scale: number, meaning: string): void {
  const bytes = gzipSync(values, { level: 9 })
  writeFileSync(`${out}${name}.gz`, bytes)
  maps[name] = {
    file: `${name}.gz`,
    dims: grid.dims,
    affine: grid.affine,
    scale,
    meaning,
    sha256: createHash('sha256').update(bytes).digest('hex'),
  }
  console.log(`${name}: ${(bytes.length / 1024).toFixed(0)} KB`)
}

function halved({ dims, affine }: Grid): Grid {
  return {
    dims: dims.map((n) => Math.ceil(n / 2)) as unknown as Vec3,
    affine: compose(affine, [2, 0, 0, 0.5, 0, 2, 0, 0.5, 0, 0, 2, 0.5, 0, 0, 0, 1]),
  }
}

function meanMove(moved: Affine): number {
  let [sum, n] = [0, 0]
  for (let x = -60; x <= 60; x += 20)
    for (let y = -90; y <= 60; y += 20)
      for (let z = -50; z <= 70; z += 20) {
        const p = apply(moved, [x, y, z])
        sum += Math.hypot(p[0] - x, p[1] - y, p[2] - z)
        n++
      }
  return sum / n
}

async function compare(): Promise<void> {
  const whole = { ...fine }
  console.log(
    `\nventricles ${volumeMl(only(ventricles, 1)).toFixed(1)} ml (lateral and third), ${volumeMl(only(ventricles, 2)).toFixed(1)} ml (fourth); infratentorial ${volumeMl(infratentorial).toFixed(0)} ml; deep grey ${volumeMl(deepGrey).toFixed(0)} ml`,
  )
  const alvin = await resampleMask(await sharedMask('templates/ventricles/ALVIN_mask_v1_1mm.nii.gz'), whole)
  console.log(
    `share of our lateral and third ventricles inside ALVIN's (generous) mask: ${inside(only(ventricles, 1), alvin).toFixed(3)}`,
  )
  const cortical = await resample(
    await sharedImage('templates/atlas/HarvardOxford-cort-maxprob-thr0-1mm.nii.gz'),
    whole,
    {
      method: 'nearest',
    },
  )
  const cortex = emptyMask(whole)
  for (let i = 0; i < cortex.data.length; i++) cortex.data[i] = cortical.data[i] > 0 ? 1 : 0
  const ours = emptyMask(whole)
  for (let i = 0; i < ours.data.length; i++)
    ours.data[i] = tissue.gm.data[i] > 0.5 && !infratentorial.data[i] && !deepGrey.data[i] ? 1 : 0
  console.log(`share of our cortex inside Harvard-Oxford's: ${inside(ours, cortex).toFixed(3)}`)
  console.log(
    `share of Harvard-Oxford's cortex that we call infratentorial: ${inside(cortex, infratentorial).toFixed(4)}, deep grey: ${inside(cortex, deepGrey).toFixed(4)}`,
  )
  const labels = await resample(await sharedImage('templates/spm12/labels_Neuromorphometrics.nii.gz'), whole, {
    method: 'nearest',
  })
  const of = (codes: number[]) => {
    const mask = emptyMask(whole)
    for (let i = 0; i < mask.data.length; i++) mask.data[i] = codes.includes(labels.data[i]) ? 1 : 0
    return mask
  }
  // Neuromorphometrics codes: brainstem 35, cerebellum 38–41, 71–73; ventricles 4, 49–52; caudate 36–37, pallidum 55–56, putamen 57–58, thalamus 59–60.
  console.log(
    `Dice with Neuromorphometrics: infratentorial ${dice(infratentorial, of([35, 38, 39, 40, 41, 71, 72, 73])).toFixed(3)}, ventricles ${dice(only(ventricles, 1), of([4, 49, 50, 51, 52])).toFixed(3)}, fourth ${dice(only(ventricles, 2), of([11])).toFixed(3)}, deep grey ${dice(deepGrey, of([36, 37, 55, 56, 57, 58, 59, 60])).toFixed(3)}`,
  )

  console.log(
    '\ntabriz ventricle masks against our ventricles after an affine alone (subjects have wider ventricles than the template):',
  )
  for (let n = 1; n <= 9; n++) {
    const subject = `sub-0${n}`
    const t1 = await sharedImage(`tabriz/${subject}/anat/${subject}_T1w.nii.gz`)
    const theirs = await sharedMask(`tabriz/derivatives/expert/${subject}/anat/${subject}_label-ventricles_mask.nii.gz`)
    const brainHead: Image = { ...head, data: head.data.slice() }
    const brainOnHead = await resampleMask(brain, headGrid)
    for (let i = 0; i < brainHead.data.length; i++) if (brainOnHead.data[i] === 0) brainHead.data[i] = 0
    const found = await register(t1, brainHead, { dof: 12 })
    const moved = await resampleMask(only(ventricles, 1), theirs, { map: found.map, method: 'linear' })
    console.log(
      `  ${subject}: Dice ${dice(moved, theirs).toFixed(3)}, ours inside theirs ${inside(moved, theirs).toFixed(3)}, theirs ${volumeMl(theirs).toFixed(1)} ml, ours ${volumeMl(moved).toFixed(1)} ml`,
    )
  }
}

function only(mask: Mask, label: number): Mask {
  return { ...mask, data: mask.data.map((v) => (v === label ? 1 : 0)) }
}

function inside(part: Mask, whole: Mask): number {
  let both = 0
  for (let i = 0; i < part.data.length; i++) if (part.data[i] && whole.data[i]) both++
  return both / countVoxels(part)
}
