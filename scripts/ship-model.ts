// Writes models/multislice from what scripts/default-model.ts trained on all scans, with the scores of the scans left
// out that bench/network-accuracy.ts wrote.
//
//   tsx scripts/ship-model.ts [--seed N …] --threshold P --certain P [--share W] [--bright P] [--keep-weights]
//     [--split NAME …]
//
// NAME is a folder of out/network-accuracy without its first word: patient-1+2+3, centre-1, patient-flair-1.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { labelledCases } from '../bench/cases.js'
import { savedWeights } from '../bench/network-cases.js'
import { tissueChannels } from '../src/network/channels.js'
import { presetConfig } from '../src/network/config.js'
import { declared } from '../src/network/kinds.js'
import { type ModelCard, modelCard, weightsFile } from '../src/network/model.js'
import { sha256 } from '../src/platform/index.js'

const root = fileURLToPath(new URL('..', import.meta.url))
const { values: options } = parseArgs({
  options: {
    seed: { type: 'string', multiple: true, default: ['1'] },
    threshold: { type: 'string' },
    certain: { type: 'string' },
    share: { type: 'string', default: '0' },
    bright: { type: 'string', default: '0' },
    'keep-weights': { type: 'boolean', default: false },
    patient: { type: 'string', default: 'patient-1+2+3' },
    split: { type: 'string', multiple: true, default: ['patient-1+2+3', 'centre-1'] },
  },
})
const { features, steps } = presetConfig('multislice')
const folder = `${root}models/multislice`
mkdirSync(folder, { recursive: true })

const graph = declared('multislice-unet', features)
// With --keep-weights only the card is written anew.
const kept = options['keep-weights']
  ? modelCard.parse(JSON.parse(readFileSync(`${folder}/model.json`, 'utf8')))
  : undefined
const weights: ModelCard['weights'] = kept?.weights ?? []
for (const seed of kept ? [] : options.seed) {
  const from = `${root}.cache/default-model/multislice/all-all-${seed}`
  const bytes = weightsFile(graph, savedWeights(from), 'F16')
  const file = `seed-${seed}.safetensors`
  writeFileSync(`${folder}/${file}`, bytes)
  weights.push({ file, sha256: await sha256(bytes), seed: Number(seed) })
}

interface Row {
  id: string
  dice: number
  f1: number
}
const centreOf = new Map(labelledCases().map(({ id, centre }) => [id, centre]))
const scores = (rows: readonly Row[]) => {
  const mean = (key: 'dice' | 'f1') => Number((rows.reduce((sum, row) => sum + row[key], 0) / rows.length).toFixed(3))
  return { scans: rows.length, dice: mean('dice'), lesionF1: mean('f1') }
}
interface Accuracy {
  seeds: number[]
  rows: Row[]
  calibration: ModelCard['calibration']
}
const accuracy = (split: string) =>
  JSON.parse(readFileSync(`${root}out/network-accuracy/multislice-${split}/scores.json`, 'utf8')) as Accuracy
/** `-alone`: the network without the belief of roura2015. */
const label = (split: string) =>
  `${split.startsWith('patient') ? 'five folds by patient' : 'each centre left out'}${split.includes('-alone') ? ', network alone' : split.includes('-flair') ? ', FLAIR alone' : ''}`
const card: ModelCard = modelCard.parse({
  format: 'lesionwise-model',
  formatVersion: 1,
  name: 'multislice',
  describe: 'Multi-plane 2.5-D U-Net for FLAIR with or without T1, slices of 1 to 8 mm.',
  network: { kind: 'multislice-unet', features, channels: [...tissueChannels] },
  threshold: Number(options.threshold),
  certain: Number(options.certain),
  thresholdShare: Number(options.share),
  bright: Number(options.bright),
  weights,
  training: {
    data: '15 labelled scans of 12 people: ljubljana (2), mslesseg (4 visits of 2), tabriz (9); docs/accuracy.md',
    licence:
      'ljubljana CC BY (Lesjak et al. 2018), mslesseg CC BY 4.0 (Guarnera et al. 2025), tabriz MIT; computed weights, to be used with attribution. Research only.',
    scans: 15,
    steps,
    version: (JSON.parse(readFileSync(`${root}package.json`, 'utf8')) as { version: string }).version,
  },
  calibration: accuracy(options.patient).calibration,
  failures: [
    'bright rims and caps of the ventricles, choroid plexus of the temporal horns, septum and fornix are taken for lesion',
    'small infratentorial lesions and small faint lesions beside confluent ones are missed',
    'small loads are over-called; on scanners unlike those it has seen the volume may be off by a factor of two and more',
  ],
  validation: [
    ...(kept?.validation.filter(({ split }) => !options.split.some((name) => label(name) === split)) ?? []),
    ...options.split.map((split) => {
      const { rows, seeds } = accuracy(split)
      const centres = [...new Set(rows.map(({ id }) => centreOf.get(id)!))]
      return {
        split: label(split),
        seeds,
        overall: scores(rows),
        centres: Object.fromEntries(
          centres.map((centre) => [centre, scores(rows.filter(({ id }) => centreOf.get(id) === centre))]),
        ),
      }
    }),
  ],
})
writeFileSync(`${folder}/model.json`, `${JSON.stringify(card, null, 2)}\n`)
console.log(`${folder}: ${weights.length} members`)
