// Scoring: (a) the official programs' numbers, (b) time and values against the programs that others use.
//
//   npm run bench:evaluate -- [--json] [--ours] [--repeats 5]
//
// (a) 32 pairs of animaSegPerfAnalyzer and 6 cases of animaSTAPLE, where ../shared/data/scorer-golden is at hand.
// (b) One thread each. Ours is timed as often as the peer's: `same` computes what the peer's row computes (the surface
//     measures always all at once), `all` everything there is for a pair of masks. Times are medians after a first, untimed
//     call in a process that is warm; `cold` is the first call of a fresh process. Reading files is in none.
// --ours leaves the peers out.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { anyOverlapCounts, lesionDetection } from '../src/evaluate/detection.js'
import { lesionF1 } from '../src/evaluate/lesionwise.js'
import { overlap } from '../src/evaluate/overlap.js'
import { panopticQuality } from '../src/evaluate/panoptic.js'
import { surfaceDistances, surfaceSamples } from '../src/evaluate/surface.js'
import { readNiftiMask } from '../src/formats/nifti.js'
import { writeNifti } from '../src/formats/nifti-write.js'
import { erode } from '../src/volume/morphology.js'
import { emptyMask, type Mask } from '../src/volume/volume.js'
import { sharedData } from '../test/shared-data.js'
import { goldenPairs, goldenStaple } from './golden.js'
import { peersInstalled, runPeer } from './peer.js'

interface Case {
  name: string
  reference: Mask
  candidate: Mask
}
interface Row {
  case: string
  tool: string
  seconds: number
  /** Ours, what this row computes. */
  same?: number
  /** How much faster ours is. */
  ratio?: number
  /** Largest relative difference of a value that both define alike, and how many there are. */
  difference?: number
  values?: number
  failed?: string
}

const { values: options } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    ours: { type: 'boolean', default: false },
    repeats: { type: 'string', default: '5' },
    cold: { type: 'string' },
  },
})
const repeats = Number(options.repeats)
const read = (file: string): Promise<Mask> => readNiftiMask(readFileSync(file), file)

if (options.cold) {
  const [reference, candidate] = await Promise.all(
    ['reference', 'candidate'].map((role) => read(join(options.cold!, `${role}.nii.gz`))),
  )
  console.log(await seconds(() => everything(reference, candidate)))
  process.exit(0)
}

const golden = { pairs: await goldenPairs(), staple: await goldenStaple() }
if (!options.json) {
  for (const [title, g] of [
    ['animaSegPerfAnalyzer', golden.pairs],
    ['animaSTAPLE', golden.staple],
  ] as const)
    console.log(
      g
        ? `${title}: ${g.equal} of ${g.cases} equal, ${g.values} values, largest deviation ${g.largest.toExponential(1)} (${g.where})`
        : `${title}: ../shared/data/scorer-golden is not on this machine`,
    )
  console.log(
    '\ncase, tool: seconds, ours for the same, times faster, largest relative difference of values (how many)',
  )
}
const rows: Row[] = []
const versions: Record<string, string> = {}
const values: Record<string, Record<string, Record<string, number | null>>> = {}
for (const one of await cases()) await measure(one)
if (options.json) console.log(JSON.stringify({ golden, versions, rows, values }, null, 1))
else
  console.log(
    '\n' +
      Object.entries(versions)
        .map(([name, version]) => `${name} ${version}`)
        .join(', '),
  )
process.exit(0)

/** All that is said of a pair of masks: voxels, surfaces, lesions by rule of MSSEG, by overlap and size, and one to one. */
async function everything(reference: Mask, candidate: Mask): Promise<object> {
  return {
    overlap: overlap(reference, candidate),
    surface: await surfaceDistances(reference, candidate),
    msseg: lesionF1(reference, candidate),
    detection: lesionDetection(reference, candidate),
    panoptic: panopticQuality(reference, candidate),
  }
}

async function cases(): Promise<Case[]> {
  const expert = (path: string) => sharedData(path.replace('/', '/derivatives/expert/'))
  const out: Case[] = []
  const [first, second] = [1, 2].map((visit) =>
    expert(`mslesseg/sub-14/ses-${visit}/anat/sub-14_ses-${visit}_space-MNI152_label-lesion_mask.nii.gz`),
  )
  if (first && second)
    out.push({ name: 'ml14 visit 1, visit 2', reference: await read(first), candidate: await read(second) })
  const consensus = expert('ljubljana/sub-19/anat/sub-19_space-MNI152_label-lesion_mask.nii.gz')
  if (consensus) {
    const reference = await read(consensus)
    out.push({ name: 'lj19, eroded and moved', reference, candidate: shifted(await erode(reference, 1)) })
  }
  return out
}

/** The mask one voxel further along x. */
function shifted(mask: Mask): Mask {
  const out = emptyMask(mask)
  out.data.set(mask.data.subarray(0, -1), 1)
  return out
}

async function measure({ name, reference, candidate }: Case): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'lesionwise-evaluate-'))
  try {
    const job = { reference: join(folder, 'reference.nii.gz'), candidate: join(folder, 'candidate.nii.gz') }
    writeFileSync(job.reference, await writeNifti(reference, { level: 1 }))
    writeFileSync(job.candidate, await writeNifti(candidate, { level: 1 }))
    const cold = spawnSync(process.execPath, ['--import', 'tsx', fileURLToPath(import.meta.url), '--cold', folder], {
      encoding: 'utf8',
    })
    report({ case: name, tool: 'ours, all, cold', seconds: Number(cold.stdout) })
    const all = await median(() => everything(reference, candidate))
    report({ case: name, tool: 'ours, all, warm', seconds: all })
    if (options.ours || !peersInstalled()) return
    const own = await comparable(reference, candidate)
    values[name] = { ours: own }
    for (const [tool, same] of Object.entries(sameWork(reference, candidate))) {
      // One after the other, so that both meet the machine in the same mood.
      const answer = runPeer<{
        tools: Record<string, { seconds?: number[]; values?: Record<string, number | null>; failed?: string }>
        versions: Record<string, string>
      }>('evaluate.py', { ...job, threads: 1, repeats: tool === 'MedPy' ? 2 : repeats + 1, tools: [tool] })
      Object.assign(versions, answer?.versions)
      const { seconds: peer, values: theirs = {}, failed } = answer?.tools[tool] ?? {}
      if (!peer) {
        report({ case: name, tool, seconds: Number.NaN, failed })
        continue
      }
      const ours = await median(same)
      values[name][tool] = theirs
      const differences = Object.entries(theirs).flatMap(([key, value]) =>
        key in own && value !== null ? [Math.abs(own[key] - value) / Math.max(1e-9, Math.abs(value))] : [],
      )
      const theirTime = middle(peer.slice(1))
      const difference = Math.max(...differences.map((d) => (Number.isNaN(d) ? Number.POSITIVE_INFINITY : d)))
      report({
        case: name,
        tool,
        seconds: theirTime,
        same: ours,
        ratio: theirTime / ours,
        difference,
        values: differences.length,
      })
    }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** What each peer computes, done by us. */
function sameWork(r: Mask, c: Mask): Record<string, () => unknown> {
  const surfaces = () => surfaceDistances(r, c, { beyondEdge: 'background' })
  return {
    MedPy: async () => [overlap(r, c), await surfaces(), anyOverlapCounts(r, c, 26)],
    'surface-distance': async () => [overlap(r, c), await surfaces()],
    panoptica: () => [overlap(r, c), panopticQuality(r, c, { connectivity: 26 })],
    'panoptica, global': async () => [overlap(r, c), await surfaces(), panopticQuality(r, c, { connectivity: 26 })],
    'SimpleITK filters': async () => [overlap(r, c), await surfaces()],
    'SimpleITK surfaces': surfaces,
    'scikit-image': async () => [overlap(r, c), await surfaces(), anyOverlapCounts(r, c, 18)],
    scipy: surfaces,
  }
}

/** Our values by the names that peers/evaluate.py gives to what is defined alike. */
async function comparable(r: Mask, c: Mask): Promise<Record<string, number>> {
  const o = overlap(r, c)
  const s = await surfaceDistances(r, c, { beyondEdge: 'background' })
  const samples = await surfaceSamples(r, c, { beyondEdge: 'background' })
  const surface = (d: Float64Array) => d.reduce((a, b) => Math.max(a, b), 0)
  const lesions = anyOverlapCounts(r, c, 18)
  const panoptic = panopticQuality(r, c, { connectivity: 26 })
  return {
    dice: o.dice,
    jaccard: o.jaccard,
    precision: o.precision,
    sensitivity: o.sensitivity,
    specificity: o.specificity,
    hausdorff: s.hausdorff,
    'surface hausdorff': Math.max(surface(samples.fromReference), surface(samples.fromCandidate)),
    hd95: s.hausdorff95,
    'pooled hd95': s.hausdorff95Pooled,
    assd: s.assd,
    'mean surface distance': s.meanSurface,
    'surface dice 1 mm': s.surfaceDice[0],
    'surface dice 2 mm': s.surfaceDice[1],
    'ltpr (18)': lesions.ltpr,
    'lfpr (18)': lesions.lfpr,
    'pq (26)': panoptic.pq,
    'rq (26)': panoptic.rq,
  }
}

async function seconds(work: () => unknown): Promise<number> {
  const started = performance.now()
  await work()
  return (performance.now() - started) / 1000
}

async function median(work: () => unknown): Promise<number> {
  const times: number[] = []
  for (let i = 0; i < repeats + 2; i++) times.push(await seconds(work))
  return middle(times.slice(2))
}

function middle(times: number[]): number {
  return times.slice().sort((a, b) => a - b)[times.length >> 1]
}

function report(row: Row): void {
  rows.push(row)
  if (options.json) return
  const { same, ratio, difference, values: compared, failed } = row
  console.log(
    row.case.padEnd(24),
    row.tool.padEnd(20),
    failed ?? row.seconds.toFixed(3).padStart(7),
    same === undefined
      ? ''
      : `${same.toFixed(3).padStart(7)} ${ratio!.toFixed(1).padStart(6)}× ${difference!.toExponential(1)} (${compared})`,
  )
}
