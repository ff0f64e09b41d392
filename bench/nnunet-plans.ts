// Plans of nnU-Net v2 (PyPI) and ours for the labelled scans of ../shared/data, from the images to plans.json, field by
// field: each centre as a data set, and all of them together.
//
//   npx tsx bench/nnunet-plans.ts [--samples N] [--set NAME …]
//
// --samples: voxels drawn for the intensities in place of nnU-Net's 10⁸ (its own percentiles take a minute a set).
import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { readNiftiValues } from '../src/formats/nifti.js'
import { parseHeader } from '../src/formats/nifti-header.js'
import type { NnunetImage, Shape3 } from '../src/network/nnunet/crop.js'
import type { NnunetDataset } from '../src/network/nnunet/dataset.js'
import {
  caseFingerprint,
  datasetFingerprint,
  type Fingerprint,
  samplesOfDataset,
} from '../src/network/nnunet/fingerprint.js'
import { plan } from '../src/network/nnunet/plan.js'
import { planners } from '../src/network/nnunet/planner.js'
import type { NnunetPlans } from '../src/network/nnunet/plans.js'
import { gunzip } from '../src/platform/index.js'
import { type LabelledCase, labelledCases } from './cases.js'
import { runPeer } from './peer.js'

const { values: options } = parseArgs({
  options: { samples: { type: 'string' }, set: { type: 'string', multiple: true } },
})
const samples = options.samples === undefined ? samplesOfDataset : Number(options.samples)
const dataset: NnunetDataset = {
  channel_names: { 0: 'FLAIR', 1: 'T1w' },
  labels: { background: 0, lesion: 1 },
  file_ending: '.nii.gz',
}

const all = labelledCases()
const sets = new Map<string, LabelledCase[]>()
for (const scan of all) sets.set(scan.centre, [...(sets.get(scan.centre) ?? []), scan])
sets.set('all', all)
const chosen = [...sets].filter(([name]) => options.set === undefined || options.set.includes(name))

async function imageOf(scan: LabelledCase): Promise<{ image: NnunetImage; labels: Float32Array }> {
  const read = async (path: string) => (await readNiftiValues(readFileSync(path), path)).image
  const [flair, t1, labels] = [await read(scan.flair), await read(scan.t1), await read(scan.mask)]
  // The spacing that ITK takes: the header's voxel sizes, not the lengths of the affine's columns.
  const { pixdim } = parseHeader(await gunzip(readFileSync(scan.flair)), scan.flair)
  const spacing: Shape3 = [pixdim[3], pixdim[2], pixdim[1]]
  const [nx, ny, nz] = flair.dims
  return { image: { shape: [nz, ny, nx], spacing, channels: [flair.data, t1.data] }, labels: labels.data }
}

async function fingerprintOf(scans: readonly LabelledCase[]): Promise<Fingerprint> {
  const cases = []
  for (const scan of scans) {
    const { image, labels } = await imageOf(scan)
    cases.push(caseFingerprint(image, labels, Math.floor(samples / scans.length), scan.id))
  }
  return datasetFingerprint(cases, 'the data set')
}

interface Answer {
  version: string
  fingerprints: Fingerprint[]
  plans: NnunetPlans[]
}

/** Leaves of a JSON value by their path. */
function leaves(value: unknown, path = ''): [string, unknown][] {
  if (typeof value !== 'object' || value === null) return [[path, value]]
  return Object.entries(value).flatMap(([key, inner]) => leaves(inner, path === '' ? key : `${path}.${key}`))
}

interface Comparison {
  fields: number
  equal: number
  /** Largest relative difference of numbers that are not equal. */
  worst: number
  /** Fields that differ by more than a millionth. */
  different: string[]
}

function compare(ours: unknown, theirs: unknown): Comparison {
  const [a, b] = [new Map(leaves(ours)), new Map(leaves(theirs))]
  const result: Comparison = { fields: 0, equal: 0, worst: 0, different: [] }
  for (const path of new Set([...a.keys(), ...b.keys()])) {
    const [x, y] = [a.get(path), b.get(path)]
    result.fields++
    if (x === y) result.equal++
    else if (typeof x === 'number' && typeof y === 'number') {
      const gap = Math.abs(x - y) / Math.max(Math.abs(x), Math.abs(y))
      result.worst = Math.max(result.worst, gap)
      if (gap > 1e-6) result.different.push(`${path}: ${x} and ${y}`)
    } else result.different.push(`${path}: ${JSON.stringify(x)} and ${JSON.stringify(y)}`)
  }
  return result
}

function row(cells: readonly (string | number)[]): void {
  const widths = [12, 24, 8, 8, 12, 10, 10]
  console.log(cells.map((cell, i) => String(cell).padEnd(widths[i])).join(' '))
}

const patchOf = (plans: NnunetPlans, name: string) =>
  plans.configurations[name] === undefined ? '–' : (plans.configurations[name].patch_size as number[]).join('×')

let wrong = 0
for (const [name, scans] of chosen) {
  const start = performance.now()
  const ours = await fingerprintOf(scans)
  const seconds = (performance.now() - start) / 1000
  const peerStart = performance.now()
  const cases = scans.map(({ flair, t1, mask }) => ({ images: [flair, t1], labels: mask }))
  const first = runPeer<Answer>('nnunet_plans.py', { fingerprints: [{ dataset, cases, samples }] })
  if (!first) throw new Error('The peers are not installed: bench/peers/install.sh')
  const peerSeconds = (performance.now() - peerStart) / 1000
  const [theirs] = first.fingerprints
  console.log(
    `\n${name}: ${scans.length} cases; nnunetv2 ${first.version}; fingerprint in ${seconds.toFixed(1)} s, theirs ${peerSeconds.toFixed(1)} s`,
  )
  row(['', '', 'fields', 'equal', 'worst', '3-D patch', '2-D patch'])
  const judge = (what: string, comparison: Comparison, plans?: NnunetPlans) => {
    const { fields, equal, worst, different } = comparison
    const patches = plans ? [patchOf(plans, '3d_fullres'), patchOf(plans, '2d')] : []
    row([name, what, fields, equal, worst === 0 ? '0' : worst.toExponential(1), ...patches])
    for (const line of different) console.log(`  differs: ${line}`)
    wrong += different.length
  }
  judge('fingerprint', compare(ours, theirs))
  // Each side plans from its own fingerprint.
  const jobs = Object.keys(planners).map((planner) => ({
    name: 'Dataset001_Bench',
    planner,
    dataset,
    fingerprint: theirs,
  }))
  const second = runPeer<Answer>('nnunet_plans.py', { plans: jobs })!
  for (const [i, planner] of (Object.keys(planners) as (keyof typeof planners)[]).entries()) {
    const mine = plan(ours, { name: 'Dataset001_Bench', cases: scans.length, dataset }, { planner })
    judge(planner, compare(JSON.parse(JSON.stringify(mine)), second.plans[i]), mine)
  }
}
console.log(wrong === 0 ? '\nNo field differs by more than a millionth.' : `\n${wrong} fields differ.`)
process.exitCode = wrong === 0 ? 0 : 1
