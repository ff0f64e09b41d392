import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { lesionFrequency } from '../scripts/lesion-frequency.js'
import { setThreads } from '../src/kernels/index.js'
import { loadMethod } from '../src/methods/registry.js'
import type { Weights } from '../src/network/initialise.js'
import { networkKinds } from '../src/network/kinds.js'
import { networkScan } from '../src/network/predict.js'
import type { LabelledScan } from '../src/network/scan.js'
import { loadAtlas } from '../src/preprocess/atlas.js'
import type { Preparation } from '../src/preprocess/pipeline.js'
import { resample, resampleMask } from '../src/volume/resample.js'
import type { Mask } from '../src/volume/volume.js'
import { type LabelledCase, labelledCases } from './cases.js'
import { labelledStudy } from './labelled-studies.js'

const root = fileURLToPath(new URL('..', import.meta.url))

export interface NetworkCase extends LabelledScan {
  labelled: LabelledCase
  reference: Mask
  preparation: Preparation
}

/**
 * The labelled scans, prepared as `segment` does and scaled for a network.
 * @param without a centre whose masks are to be left out of the atlas's lesion frequency too
 */
export async function networkCases(
  kind: keyof typeof networkKinds = 'multiplane-unet',
  without?: 'ljubljana',
): Promise<NetworkCase[]> {
  setThreads(2)
  const atlas = await loadAtlas()
  const prior = without && (await lesionFrequency(atlas.brain, atlas.lesionPrior, without))
  const cases: NetworkCase[] = []
  for (const scan of labelledCases()) {
    const { prepared: preparation, reference } = await labelledStudy(scan, {
      grid: networkKinds[kind].grid,
      onFlag: () => {},
    })
    const { study } = preparation
    if (prior) study.atlas.lesionPrior = await resample(prior, study.grid, { map: study.toAtlas })
    const truth = await resampleMask(reference, study.grid)
    cases.push({
      id: scan.id,
      patient: scan.patient,
      ...networkScan(study, kind),
      truth: truth.data as Uint8Array,
      labelled: scan,
      reference,
      preparation,
    })
  }
  return cases
}

/** The weights that scripts/default-model.ts left in a folder. */
export function savedWeights(folder: string): Weights {
  const values = new Float32Array(readFileSync(`${folder}/weights.bin`).buffer.slice(0))
  const index = JSON.parse(readFileSync(`${folder}/weights.json`, 'utf8')) as [string, number][]
  let at = 0
  return new Map(index.map(([name, count]) => [name, values.slice(at, (at += count))]))
}

/** What is left out of each training: five groups of patients, whole centres, or nothing. */
export function folds(split: string): { name: string; out: string[] }[] {
  if (split === 'all') return [{ name: 'all', out: [] }]
  if (split === 'centre')
    return (['ljubljana', 'mslesseg', 'tabriz'] as const).map((name) => ({
      name,
      out: [
        ...new Set(
          labelledCases()
            .filter((c) => c.centre === name)
            .map((c) => c.patient),
        ),
      ],
    }))
  return [['lj07', 'tb01', 'tb06'], ['lj19', 'tb02', 'tb07'], ['ms14', 'tb03'], ['ms18', 'tb04', 'tb08'], ['tb05']].map(
    (out, i) => ({ name: String(i), out }),
  )
}

/** Which networks label a scan: the folder of scripts/default-model.ts, and what was left out. */
export interface LeftOut {
  name: string
  split: string
  seeds: readonly string[]
  /** `.flair`: without T1. */
  suffix?: string
}

/** Mean probability of the networks that have not seen the scan; undefined where a fold is not done. */
export function leftOutProbability(
  scan: NetworkCase,
  { name, split, seeds, suffix = '' }: LeftOut,
): Float32Array | undefined {
  const fold = folds(split).find(({ out }) => out.includes(scan.patient))
  const files = seeds.map(
    (seed) => `${root}.cache/default-model/${name}/${split}-${fold?.name}-${seed}/${scan.id}${suffix}.f32`,
  )
  if (!files.every(existsSync)) return undefined
  const sum = new Float32Array(scan.brain.length)
  for (const file of files) {
    const bytes = readFileSync(file)
    const values = new Float32Array(bytes.buffer, bytes.byteOffset, sum.length)
    for (let i = 0; i < sum.length; i++) sum[i] += values[i] / files.length
  }
  return sum
}

const beliefs = new Map<string, Float32Array>()

/** The probability that roura2015 gives, with its defaults. */
export async function beliefOf({ id, preparation: { study } }: NetworkCase): Promise<Float32Array> {
  const known = beliefs.get(id)
  if (known) return known
  const method = await loadMethod('roura2015')
  const { probability } = await method.segment(study, method.params.parse({}), {
    progress: () => {},
    signal: new AbortController().signal,
    seed: 1,
    threads: 2,
    device: 'cpu',
  })
  beliefs.set(id, probability!.data as Float32Array)
  return beliefs.get(id)!
}
