// Tissue classes, ours and those of Atropos (antspyx), on images of known tissue: PH-1 with its lesions, and brains
// simulated from ICBM152's maps with and without lesions (bench/tissue-cases.ts says how). Both tools get the same images,
// mask and priors. Dice of fluid, grey and white matter outside lesions, seconds, and what lesion voxels are called.
//
//   npm run bench:tissue -- [--json] [--seed N] [--ours] [phantom|simulated]
//
// --ours leaves Atropos out. It runs where bench/peers/.venv holds antspyx (bench/peers/install.sh).
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { readNifti } from '../src/formats/nifti.js'
import { writeNifti } from '../src/formats/nifti-write.js'
import { setThreads } from '../src/kernels/index.js'
import { tissueClasses } from '../src/preprocess/tissue.js'
import type { TissueMaps } from '../src/volume/study.js'
import type { Image, Mask, Volume } from '../src/volume/volume.js'
import { sharedData } from '../test/shared-data.js'
import { phantomCase, simulatedCase, type TissueCase } from './tissue-cases.js'

interface Row {
  case: string
  images: string
  prior: string
  tool: string
  /** Fluid, grey, white matter. */
  dice: number[]
  mean: number
  seconds: number
  /** Share of the lesion voxels called fluid, grey, white matter. */
  lesions: number[]
}

const { values, positionals } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    ours: { type: 'boolean', default: false },
    seed: { type: 'string', default: '1' },
  },
  allowPositionals: true,
})
const python = fileURLToPath(new URL('peers/.venv/bin/python', import.meta.url))
const peer = fileURLToPath(new URL('peers/tissue.py', import.meta.url))
const withPeer = !values.ours && existsSync(python)
setThreads(2)

const rows: Row[] = []
let version = 'not run'
if (!values.json) {
  console.log('Dice of fluid, grey, white matter and their mean; seconds; lesion voxels called fluid/grey/white (%)')
  if (!withPeer) console.log('Atropos is not run.')
}
if (wanted('phantom'))
  for (const noise of [4, 8]) await measure(`PH-1 noise ${noise}`, await phantomCase(noise), [['t1'], ['t1', 'flair']])
if (wanted('simulated') && sharedData('templates') !== undefined) {
  const seed = Number(values.seed)
  for (const [noise, lesionMl] of [
    [3, 0],
    [3, 20],
    [6, 20],
  ])
    await measure(
      `ICBM ${lesionMl} ml noise ${noise}`,
      await simulatedCase({ noise, lesionMl, seed }),
      lesionMl === 0 || noise === 6 ? [['t1', 'flair']] : [['t1'], ['t1', 'flair'], ['flair']],
    )
}
if (values.json) console.log(JSON.stringify({ antspyx: version, rows }, null, 1))
process.exit(0)

function wanted(set: string): boolean {
  return positionals.length === 0 || positionals.includes(set)
}

async function measure(name: string, one: TissueCase, sets: ('t1' | 'flair')[][]): Promise<void> {
  for (const set of sets)
    for (const [prior, maps] of Object.entries(one.priors)) {
      const images = Object.fromEntries(set.map((contrast) => [contrast, one[contrast]]))
      const started = performance.now()
      const classes = await tissueClasses(images, one.brain, maps ?? flat(one.brain))
      const seconds = (performance.now() - started) / 1000
      const report = (tool: string, labels: Mask, took: number) =>
        add({ case: name, images: set.join('+'), prior, tool, seconds: took, ...scores(labels, one) })
      report('lesionwise', labelsOf(classes, one.brain), seconds)
      if (!withPeer) continue
      for (const [init, { labels, seconds: took }] of Object.entries(await atropos(images, one, maps)))
        report(`Atropos ${init}`, init === 'kmeans' ? likelierOrder(labels, one) : labels, took)
    }
}

function add(row: Row): void {
  rows.push(row)
  if (values.json) return
  const ours = [...rows].reverse().find(({ tool }) => tool === 'lesionwise')!
  console.log(
    `${row.case.padEnd(20)} ${row.images.padEnd(9)} ${row.prior.padEnd(8)} ${row.tool.padEnd(15)}`,
    [...row.dice, row.mean].map((d) => d.toFixed(4)).join(' '),
    row.seconds.toFixed(1).padStart(7),
    row === ours ? ' '.repeat(8) : `(× ${(row.seconds / ours.seconds).toFixed(1)})`.padStart(8),
    row.lesions.map((share) => (100 * share).toFixed(0)).join('/'),
  )
}

async function atropos(images: Record<string, Image>, { brain }: TissueCase, maps: TissueMaps | undefined) {
  const folder = mkdtempSync(join(tmpdir(), 'lesionwise-tissue-'))
  try {
    const file = (name: string) => join(folder, `${name}.nii.gz`)
    const save = async (name: string, volume: Volume) =>
      writeFileSync(file(name), await writeNifti(volume, { level: 1 }))
    await save('mask', brain)
    for (const [name, image] of Object.entries(images)) await save(name, image)
    const priors = maps ? [maps.csf, maps.gm, maps.wm] : []
    for (const [k, prior] of priors.entries()) await save(`prior${k + 1}`, prior)
    const env = { ...process.env, ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS: '2' }
    const out = execFileSync(python, [peer, folder], { encoding: 'utf8', env })
    const answer = JSON.parse(out.trim().split('\n').at(-1)!) as { version: string; seconds: Record<string, number> }
    version = answer.version
    const found: Record<string, { labels: Mask; seconds: number }> = {}
    for (const [name, seconds] of Object.entries(answer.seconds))
      found[name] = { labels: await labelsFrom(file(name)), seconds }
    return found
  } finally {
    rmSync(folder, { recursive: true })
  }
}

async function labelsFrom(path: string): Promise<Mask> {
  const { image } = await readNifti(readFileSync(path), path)
  return { dims: image.dims, affine: image.affine, data: Uint8Array.from(image.data) }
}

/** K-means numbers classes by intensity, and on FLAIR grey and white matter may be either way round: as scores best. */
function likelierOrder(labels: Mask, one: TissueCase): Mask {
  const turned = { ...labels, data: labels.data.map((v) => (v === 2 ? 3 : v === 3 ? 2 : v)) }
  return scores(turned, one).mean > scores(labels, one).mean ? turned : labels
}

/** No prior: every class alike. */
function flat(brain: Mask): TissueMaps {
  const map = () => ({ ...brain, data: Float32Array.from(brain.data, (v) => v / 3) })
  return { csf: map(), gm: map(), wm: map() }
}

function labelsOf({ csf, gm, wm }: TissueMaps, brain: Mask): Mask {
  const label = (i: number) =>
    csf.data[i] >= gm.data[i] && csf.data[i] >= wm.data[i] ? 1 : gm.data[i] >= wm.data[i] ? 2 : 3
  return { ...brain, data: brain.data.map((v, i) => (v === 0 ? 0 : label(i))) }
}

function scores(labels: Mask, { brain, truth, lesions }: TissueCase) {
  const both = [0, 0, 0, 0]
  const either = [0, 0, 0, 0]
  const called = [0, 0, 0, 0]
  for (let i = 0; i < brain.data.length; i++) {
    if (brain.data[i] === 0) continue
    const [here, there] = [labels.data[i], truth.data[i]]
    if (lesions.data[i] !== 0) {
      called[here]++
      continue
    }
    either[here]++
    either[there]++
    if (here === there) both[here]++
  }
  const dice = [1, 2, 3].map((k) => (2 * both[k]) / Math.max(1, either[k]))
  const all = Math.max(1, called[1] + called[2] + called[3])
  return { dice, mean: (dice[0] + dice[1] + dice[2]) / 3, lesions: [1, 2, 3].map((k) => called[k] / all) }
}
