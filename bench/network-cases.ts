import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { lesionFrequency } from '../scripts/lesion-frequency.js'
import { readNifti, readNiftiMask } from '../src/formats/nifti.js'
import { setThreads } from '../src/kernels/index.js'
import type { Weights } from '../src/network/initialise.js'
import { networkKinds } from '../src/network/kinds.js'
import { networkScan } from '../src/network/predict.js'
import type { LabelledScan } from '../src/network/scan.js'
import { loadAtlas } from '../src/preprocess/atlas.js'
import { type Preparation, prepare, prepareWeight } from '../src/preprocess/pipeline.js'
import { usual } from '../src/preprocess/recipe.js'
import { Stages } from '../src/preprocess/stages.js'
import { diskStore } from '../src/run/cache.js'
import { resample, resampleMask } from '../src/volume/resample.js'
import type { Mask } from '../src/volume/volume.js'
import { type LabelledCase, labelledCases } from './cases.js'

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
    const flair = (await readNifti(readFileSync(scan.flair), scan.flair)).image
    const t1 = (await readNifti(readFileSync(scan.t1), scan.t1)).image
    const reference = await readNiftiMask(readFileSync(scan.mask), scan.mask)
    const preparation = await prepare(
      { flair, t1 },
      {
        stages: new Stages(prepareWeight(1), new AbortController().signal, () => {}),
        recipe: usual,
        grid: networkKinds[kind].grid,
        seed: 1,
        store: diskStore(`${root}.cache/accuracy`),
        inputKeys: { flair: `${scan.id}-flair`, t1: `${scan.id}-t1` },
        onFlag: () => {},
      },
    )
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
