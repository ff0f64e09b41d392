// Our side of bench/unsupervised-peers.ts, a job as JSON: tsx bench/unsupervised-ours.ts JOB prints one line of JSON.
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { readNifti, readNiftiMask, writeNifti } from '../src/formats/nifti.js'
import { setThreads } from '../src/kernels/index.js'
import { fuzzyCMeans } from '../src/learn/fuzzy-c-means.js'
import { kMeans } from '../src/learn/k-means.js'
import { maxTree } from '../src/learn/max-tree.js'
import { fitMixture } from '../src/learn/mixture.js'
import { prepare, prepareWeight } from '../src/preprocess/pipeline.js'
import { usual } from '../src/preprocess/recipe.js'
import { Stages } from '../src/preprocess/stages.js'
import { seededRandom } from '../src/random.js'
import type { Image, Mask, Volume } from '../src/volume/volume.js'
import { type Score, score } from './accuracy-report.js'
import { type LabelledCase, labelledCases } from './cases.js'
import { labelledStudy, runOn } from './labelled-studies.js'

export interface Measured {
  seconds: number
  /** Processor time of all threads, seconds. */
  cpu?: number
  /** Peak of the process. */
  mb: number
  version?: string
}
export interface Segmented extends Measured {
  /** Our preparation, with nothing of it kept from before. */
  preparation?: Pick<Measured, 'seconds' | 'cpu'>
  score: Score
}
export interface Filtered extends Measured {
  /** Seconds from the tree to the filtered image. */
  filtering: number
  nodes: number
}
export interface Clustered extends Measured {
  means: number[][]
  distortion?: number
}

export interface SegmentJob {
  what: 'segment'
  method: string
  scan: string
  contrasts: readonly ('t1' | 't2')[]
  /** Measure the preparation too. */
  preparation: boolean
}
export interface TreeJob {
  what: 'max-tree'
  /** Files: levels (0 outside the brain), and the brain mask, without which the tree is that of the whole block. */
  levels: string
  brain?: string
  /** Of the nodes that are kept, voxels. */
  smallest: number
  out: string
}
export interface ClusterJob {
  what: 'mixture' | 'k-means' | 'fuzzy'
  /** Files. */
  channels: string[]
  brain: string
  /** Where classes start: the mixture's, and the means of fuzzy c-means. */
  start: { weights: number[]; means: number[][]; covariances: number[][][] }
  /** Further iterations that are measured. */
  rounds: number
  /** Of k-means: how often it starts, and what channels are multiplied by. */
  restarts: number
  scales: number[]
}
export type OwnJob = SegmentJob | TreeJob | ClusterJob

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  setThreads(2)
  const job = JSON.parse(process.argv[2]) as OwnJob
  const work = { segment, 'max-tree': tree, mixture, 'k-means': cluster, fuzzy }[job.what] as (
    job: OwnJob,
  ) => Promise<Omit<Measured, 'mb'>>
  const measured = await work(job)
  console.log(JSON.stringify({ ...measured, mb: process.resourceUsage().maxRSS / 1024 }))
  process.exit(0)
}

async function segment({ method, scan: id, contrasts, preparation }: SegmentJob): Promise<Omit<Segmented, 'mb'>> {
  const scan = labelledCases().find((one) => one.id === id)!
  const before = preparation ? await timed(() => prepared(scan)) : undefined
  const { prepared: study, reference } = await labelledStudy(scan, { contrasts, onFlag: () => {} })
  const { result, seconds, cpu } = await timed(() => runOn(method, study))
  return {
    seconds,
    cpu,
    ...(before && { preparation: { seconds: before.seconds, cpu: before.cpu } }),
    score: score(result.mask, reference),
  }
}

/** FLAIR and T1 from the files to what methods get. */
async function prepared(scan: LabelledCase): Promise<unknown> {
  return prepare(
    { flair: await image(scan.flair), t1: await image(scan.t1) },
    {
      stages: new Stages(prepareWeight(1), new AbortController().signal, () => {}),
      recipe: usual,
      grid: 'native',
      seed: 1,
      onFlag: () => {},
    },
  )
}

async function tree({ levels: path, brain, smallest, out }: TreeJob): Promise<Omit<Filtered, 'mb'>> {
  const given = await image(path)
  const levels: Volume<Uint16Array> = { ...given, data: Uint16Array.from(given.data) }
  const mask: Mask = brain ? await maskOf(brain) : { ...given, data: new Uint8Array(given.data.length).fill(1) }
  const { result: built, seconds } = await fastest(() => maxTree(levels, mask, 6))
  const filtered = await fastest(() => {
    const { voxels, first, last, level, parent } = built
    const height = level.slice()
    const data = new Uint16Array(levels.data.length)
    // A node's own voxels come first, then its children's.
    const end = last.slice()
    for (let n = 1; n < level.length; n++) end[parent[n]] = Math.min(end[parent[n]], first[n])
    for (let n = 0; n < level.length; n++) {
      if (n > 0 && last[n] - first[n] < smallest) height[n] = height[parent[n]]
      for (let v = first[n]; v < end[n]; v++) data[voxels[v]] = height[n]
    }
    return data
  }, 1)
  writeFileSync(out, await writeNifti({ ...given, data: filtered.result }, { level: 1 }))
  return { seconds, filtering: filtered.seconds, nodes: built.level.length }
}

async function mixture(job: ClusterJob): Promise<Omit<Clustered, 'mb'>> {
  const channels = await samples(job)
  const { weights, means, covariances } = job.start
  const initial = means.map((mean, k) => ({ weight: weights[k], mean, covariance: covariances[k].flat() }))
  const { result, seconds } = await anIteration(job, (iterations) =>
    fitMixture({ channels }, { initial, robust: Number.POSITIVE_INFINITY, tolerance: 0, iterations }),
  )
  return { seconds, means: result.classes.map(({ mean }) => mean) }
}

async function cluster(job: ClusterJob): Promise<Omit<Clustered, 'mb'>> {
  const channels = (await samples(job)).map((values, c) => values.map((value) => value * job.scales[c]))
  const { result, seconds } = await fastest(() =>
    kMeans(channels, { clusters: job.start.means.length, random: seededRandom(1), restarts: job.restarts }),
  )
  return {
    seconds,
    means: result.centres.map((centre) => Array.from(centre, (value, c) => value / job.scales[c])),
    distortion: result.distortion,
  }
}

async function fuzzy(job: ClusterJob): Promise<Omit<Clustered, 'mb'>> {
  const [values] = await samples(job)
  const weights = new Float64Array(values.length).fill(1)
  const start = job.start.means.map(([mean]) => mean)
  const { result, seconds } = await anIteration(job, (most) => fuzzyCMeans(values, weights, { start, rounds: most }))
  return { seconds, means: Array.from(result.centres, (centre) => [centre]) }
}

async function samples({ channels, brain }: ClusterJob): Promise<Float64Array[]> {
  const mask = await maskOf(brain)
  const images = await Promise.all(channels.map(image))
  return images.map(({ data }) => Float64Array.from(data.filter((_, i) => mask.data[i] !== 0)))
}

/** Seconds of an iteration: those of `rounds` more than one, by their number; and the longer fit. */
async function anIteration<T>({ rounds }: ClusterJob, fit: (rounds: number) => T) {
  const once = await fastest(() => fit(1))
  const { result, seconds } = await fastest(() => fit(1 + rounds))
  return { result, seconds: (seconds - once.seconds) / rounds }
}

/** The last result, and the least seconds of a few runs. */
async function fastest<T>(work: () => T, times = 3): Promise<{ result: T; seconds: number }> {
  let best = await timed(work)
  for (let i = 1; i < times; i++) {
    const next = await timed(work)
    best = { ...next, seconds: Math.min(best.seconds, next.seconds) }
  }
  return best
}

async function timed<T>(work: () => T | Promise<T>): Promise<{ result: T; seconds: number; cpu: number }> {
  const [start, before] = [performance.now(), process.cpuUsage()]
  const result = await work()
  const { user, system } = process.cpuUsage(before)
  return { result, seconds: (performance.now() - start) / 1000, cpu: (user + system) / 1e6 }
}

async function image(path: string): Promise<Image> {
  return (await readNifti(readFileSync(path), path)).image
}

function maskOf(path: string): Promise<Mask> {
  return readNiftiMask(readFileSync(path), path)
}
