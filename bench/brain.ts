// Brain masks and tissue classes on the scans of ../shared/data: agreement with the masks that came with them, volumes,
// class statistics, and CPU seconds of this process.
//
//   node --import tsx bench/brain.ts [id …]        e.g. long01-1 tb04 lj19
//
// Which masks can be scored: ljubljana-long sub-01 (the authors'), tabriz (made by a tool), and for the stripped sets the
// region that their centre left, which should stay.
import { readFileSync } from 'node:fs'
import { dice } from '../src/evaluate/overlap.js'
import { readItkAffine } from '../src/formats/itk.js'
import { readNifti, readNiftiMask } from '../src/formats/nifti.js'
import { atlasOnGrid, loadAtlas } from '../src/preprocess/atlas.js'
import { n4 } from '../src/preprocess/bias.js'
import { findBrain, isStripped } from '../src/preprocess/brain.js'
import { register } from '../src/preprocess/register.js'
import { tissueClasses } from '../src/preprocess/tissue.js'
import { type Affine, compose, identity, invert } from '../src/volume/affine.js'
import { resample, resampleMask } from '../src/volume/resample.js'
import { emptyMask, type Image, type Mask, volumeMl } from '../src/volume/volume.js'
import { sharedData } from '../test/shared-data.js'

interface Case {
  id: string
  flair: string
  t1?: string
  /** The authors' map from FLAIR to T1 (RAS mm) where the two are not aligned. */
  toT1?: () => Affine
  /** The mask to compare with, on the FLAIR grid. */
  reference(flair: Image): Promise<Mask | undefined>
}

if (sharedData('README.md') === undefined) {
  console.log('No scans here (../shared/data): nothing measured.')
  process.exit(0)
}
const atlas = await loadAtlas()
const brainOnly = { ...atlas.t1, data: atlas.t1.data.map((v, i) => (atlas.t1Brain.data[i] ? v : 0)) }
const wanted = process.argv.slice(2)
for (const one of cases().filter(({ id }) => wanted.length === 0 || wanted.includes(id))) await measure(one)
process.exit(0)

async function measure({ id, flair: path, t1: t1Path, toT1, reference }: Case): Promise<void> {
  const flair = await image(path)
  const native = t1Path === undefined ? undefined : await image(t1Path)
  const t1 = native && (await resample(native, flair, { map: toT1?.() ?? identity, method: 'cubic' }))
  const guide = native ?? flair
  const { map } = await register(guide, isStripped(guide) ? brainOnly : atlas.t1, { dof: 12, seed: 1 })
  const start = native && toT1 ? compose(map, toT1()) : map
  let seconds = cpuSeconds()
  const { mask, toAtlas } = await findBrain({ flair, t1 }, atlas, start)
  seconds = cpuSeconds() - seconds
  const flairOnly = (await findBrain({ flair }, atlas, start)).mask
  const truth = await reference(flair)
  const scores = truth
    ? `Dice ${dice(mask, truth).toFixed(3)}, FLAIR only ${dice(flairOnly, truth).toFixed(3)}, volume × ${(volumeMl(mask) / volumeMl(truth)).toFixed(2)}`
    : 'no mask to compare with'
  console.log(
    `${id}  ${isStripped(flair) ? 'stripped' : 'whole head'}  ${volumeMl(mask).toFixed(0)} ml  ${scores}  ${seconds.toFixed(1)} s`,
  )
  const corrected = { flair: (await n4(flair, mask)).corrected, t1: t1 && (await n4(t1, mask)).corrected }
  const maps = await atlasOnGrid(atlas, flair, toAtlas)
  for (const images of t1 ? [corrected, { flair: corrected.flair }] : [{ flair: corrected.flair }]) {
    seconds = cpuSeconds()
    const classes = await tissueClasses(images, mask, maps)
    seconds = cpuSeconds() - seconds
    const { csf, gm, wm, statistics, confidence, outliers } = classes
    const voxelMl = volumeMl(mask) / Math.max(1, count(mask))
    const ml = [csf, gm, wm].map((p) => p.data.reduce((a, b) => a + b, 0) * voxelMl)
    const figures = Object.entries(statistics).map(
      ([name, by]) =>
        `${name} ${Object.entries(by).map(([channel, { mean, sd }]) => `${channel} ${mean.toPrecision(3)}±${sd.toPrecision(2)}`)}`,
    )
    console.log(
      `   ${Object.keys(images).join('+')}: ml ${ml.map((v) => v.toFixed(0)).join('/')}  grey from white ${confidence.toFixed(2)}  outliers ${(100 * outliers).toFixed(1)} %  ${figures.join('; ')}  ${seconds.toFixed(1)} s`,
    )
  }
}

function cases(): Case[] {
  const list: Case[] = []
  const long = (sub: string, ses: string, t1: boolean) => {
    const visit = `ljubljana-long/sub-${sub}/ses-${ses}/anat/sub-${sub}_ses-${ses}_`
    const authors = `ljubljana-long/derivatives/authors/sub-${sub}/`
    list.push({
      id: `long${sub}-${ses}`,
      flair: `${visit}FLAIR.nii.gz`,
      t1: t1 ? `${visit}T1w.nii.gz` : undefined,
      toT1: () => itk(`${authors}ses-${ses}/from-FLAIR_to-T1w.txt`),
      reference: async (flair) =>
        sub !== '01'
          ? undefined
          : await resampleMask(await maskOf(`${authors}sub-01_space-common_desc-brain_mask.nii.gz`), flair, {
              map: invert(itk(`${authors}ses-${ses}/from-common_to-FLAIR.txt`)),
              method: 'linear',
            }),
    })
  }
  long('01', '1', true)
  long('01', '2', true)
  long('03', '1', false)
  long('03', '2', true)
  long('19', '1', false)
  long('19', '2', true)
  for (let n = 1; n <= 9; n++)
    list.push({
      id: `tb0${n}`,
      flair: `tabriz/sub-0${n}/anat/sub-0${n}_FLAIR.nii.gz`,
      t1: `tabriz/sub-0${n}/anat/sub-0${n}_T1w.nii.gz`,
      reference: () => maskOf(`tabriz/derivatives/expert/sub-0${n}/anat/sub-0${n}_desc-brain_mask.nii.gz`),
    })
  const stripped = (id: string, stem: string) =>
    list.push({ id, flair: `${stem}FLAIR.nii.gz`, t1: `${stem}T1w.nii.gz`, reference: async (flair) => shown(flair) })
  for (const sub of ['07', '19']) stripped(`lj${sub}`, `ljubljana/sub-${sub}/anat/sub-${sub}_space-MNI152_`)
  for (const [sub, ses] of ['14-1', '14-2', '14-3', '18-1'].map((s) => s.split('-')))
    stripped(`ms${sub}-${ses}`, `mslesseg/sub-${sub}/ses-${ses}/anat/sub-${sub}_ses-${ses}_space-MNI152_`)
  stripped('nih', 'nih-pair/sub-01/ses-1/anat/sub-01_ses-1_desc-znorm_')
  return list
}

/** What a stripped image shows: all that differs from its first voxel. */
function shown(image: Image): Mask {
  const mask = emptyMask(image)
  for (let i = 0; i < mask.data.length; i++) mask.data[i] = image.data[i] !== image.data[0] ? 1 : 0
  return mask
}

async function image(path: string): Promise<Image> {
  return (await readNifti(readFileSync(sharedData(path)!), path)).image
}

function maskOf(path: string): Promise<Mask> {
  return readNiftiMask(readFileSync(sharedData(path)!), path)
}

function itk(path: string): Affine {
  return readItkAffine(readFileSync(sharedData(path)!, 'utf8'), path)
}

function cpuSeconds(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1e6
}

function count({ data }: Mask): number {
  return data.reduce((n, v) => n + (v ? 1 : 0), 0)
}
