// Dice of every brain extraction on simulated heads of unseen seeds and on ljubljana-long sub-01, with peers beside them.
//
//   npm run bench:brain-methods -- [--json] [--quick]
//
// Overlays of all six raw visits go to out/brain-methods/. Peers run where bench/peers/.venv is there.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { dice } from '../src/evaluate/overlap.js'
import { readItkAffine } from '../src/formats/itk.js'
import { readNifti, readNiftiMask, writeNifti } from '../src/formats/nifti.js'
import { loadAtlas } from '../src/preprocess/atlas.js'
import { type BrainMethod, extract } from '../src/preprocess/brain/auto.js'
import { register } from '../src/preprocess/register.js'
import { overlayPng } from '../src/report/overlay.js'
import { simulateStudy } from '../src/simulate/study.js'
import { type Affine, compose, invert } from '../src/volume/affine.js'
import { resample, resampleMask } from '../src/volume/resample.js'
import type { Image, Mask } from '../src/volume/volume.js'
import { sharedData } from '../test/shared-data.js'

interface Row {
  case: string
  images: string
  method: string
  dice: number | null
  seconds: number
  agreement?: number
  said?: string[]
}

const json = process.argv.includes('--json')
const quick = process.argv.includes('--quick')
const methods: (BrainMethod | 'auto')[] = ['surface', 'bet', 'beast', 'robex', 'auto']
const python = 'bench/peers/.venv/bin/python'
const rows: Row[] = []
const atlas = await loadAtlas()
mkdirSync('out/brain-methods', { recursive: true })

await longitudinal('01', '1')
if (!quick) await longitudinal('01', '2')
for (const [seed, sliceMm] of quick
  ? [[41, 3]]
  : [
      [41, 1],
      [42, 3],
    ]) {
  const { flair, t1, flairToT1, brain } = await simulateStudy({ seed, sliceMm, pixelMm: 1 })
  await measure(`simulated ${seed}, ${sliceMm} mm`, flair, t1, flairToT1, brain)
}
if (!quick)
  for (const [sub, ses] of ['03-1', '03-2', '19-1', '19-2'].map((s) => s.split('-'))) await longitudinal(sub, ses)
if (json) console.log(JSON.stringify({ rows }))
process.exit(0)

async function longitudinal(sub: string, ses: string): Promise<void> {
  const visit = `ljubljana-long/sub-${sub}/ses-${ses}/anat/sub-${sub}_ses-${ses}_`
  if (sharedData(`${visit}FLAIR.nii.gz`) === undefined) return
  const authors = `ljubljana-long/derivatives/authors/sub-${sub}/`
  const itk = (path: string): Affine => readItkAffine(readFileSync(sharedData(path)!, 'utf8'), path)
  const flair = await image(`${visit}FLAIR.nii.gz`)
  const t1Path = `${visit}T1w.nii.gz`
  const t1 = sharedData(t1Path) === undefined ? undefined : await image(t1Path)
  const truth =
    sub === '01'
      ? await resampleMask(await maskOf(`${authors}sub-01_space-common_desc-brain_mask.nii.gz`), flair, {
          map: invert(itk(`${authors}ses-${ses}/from-common_to-FLAIR.txt`)),
          method: 'linear',
        })
      : undefined
  await measure(`long${sub}-${ses}`, flair, t1, t1 && itk(`${authors}ses-${ses}/from-FLAIR_to-T1w.txt`), truth)
}

async function measure(
  name: string,
  flair: Image,
  native: Image | undefined,
  flairToT1: Affine | undefined,
  truth: Mask | undefined,
): Promise<void> {
  const guide = native ?? flair
  const { map } = await register(guide, atlas.t1, { dof: 12, seed: 1 })
  const toAtlas = native && flairToT1 ? compose(map, flairToT1) : map
  const t1 = native && (await resample(native, flair, { map: flairToT1, method: 'cubic' }))
  for (const images of t1 && truth && !quick ? [{ flair }, { t1 }, { flair, t1 }] : [{ flair }]) {
    const kind = Object.keys(images).join('+')
    for (const method of methods) {
      const start = cpuSeconds()
      const { mask, agreement, said } = await extract(images, atlas, toAtlas, { method })
      say({
        case: name,
        images: kind,
        method,
        dice: truth ? dice(mask, truth) : null,
        seconds: cpuSeconds() - start,
        agreement,
        said,
      })
      if (kind === 'flair') picture(`${name}-${method}`, flair, mask, truth)
    }
  }
  if (truth && existsSync(python)) await peers(name, { flair, t1 }, truth)
}

async function peers(name: string, images: { flair: Image; t1?: Image }, truth: Mask): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'brain-peers-'))
  for (const [kind, one] of Object.entries(images)) {
    if (one === undefined) continue
    const path = join(folder, `${kind}.nii.gz`)
    writeFileSync(path, await writeNifti(one, {}))
    const answer = execFileSync(python, ['bench/peers/brain.py', JSON.stringify({ image: path, folder })], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    const { masks } = JSON.parse(answer.trim().split('\n').at(-1)!) as {
      masks: { method: string; path?: string; seconds?: number; error?: string }[]
    }
    for (const { method, path: at, seconds, error } of masks) {
      if (at === undefined) console.error(`${method}: ${error}`)
      else {
        const mask = await readNiftiMask(readFileSync(at), at)
        say({ case: name, images: kind, method, dice: dice(mask, truth), seconds: seconds! })
      }
    }
  }
}

function say(row: Row): void {
  rows.push(row)
  const { case: name, images, method, dice: score, seconds, agreement, said } = row
  const doubt = method === 'auto' ? `  agreement ${agreement?.toFixed(3)}  ${said?.join(' ')}` : ''
  const line = `${name}  ${images}  ${method}  Dice ${score?.toFixed(3) ?? '–'}  ${seconds.toFixed(1)} s${doubt}`
  if (json) console.error(line)
  else console.log(line)
}

/** Slices with the outline of the mask in red, that of the truth in yellow, of both in green. */
function picture(name: string, flair: Image, mask: Mask, truth?: Mask): void {
  const file = `out/brain-methods/${name.replaceAll(/[ ,]+/g, '-')}.png`
  writeFileSync(file, overlayPng(flair, mask, truth, { slices: 18 }))
}

async function image(path: string): Promise<Image> {
  return (await readNifti(readFileSync(sharedData(path)!), path)).image
}

function maskOf(path: string): Promise<Mask> {
  return readNiftiMask(readFileSync(sharedData(path)!), path)
}

function cpuSeconds(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1e6
}
