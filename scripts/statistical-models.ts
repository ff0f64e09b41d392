// Fits the trained statistical methods to the labelled scans of ../shared/data, and scores them on scans left out.
//
//   tsx scripts/statistical-models.ts --method ID --split patient|centre|all [--fold NAME …] [--score-only]
//
// Leaves .cache/statistical-models/ID/SPLIT-FOLD/model.json and the scores of the scans left out beside it. The split
// `all` writes models/ID/model.json instead, with those scores, so run the other two first. Scans are read one at a time.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { mean, type Score, score } from '../bench/accuracy-report.js'
import { type LabelledCase, labelledCases } from '../bench/cases.js'
import { labelledStudy, runOn, type LabelledStudy as ScanStudy } from '../bench/labelled-studies.js'
import { folds } from '../bench/network-cases.js'
import { setThreads } from '../src/kernels/index.js'
import type { LabelledStudies, LabelledStudy, TrainedModel } from '../src/learn/trained-model.js'
import { methodEntry } from '../src/methods/registry.js'
import { loadAtlas } from '../src/preprocess/atlas.js'
import { resample, resampleMask } from '../src/volume/resample.js'
import { type Image, volumeMl } from '../src/volume/volume.js'
import { lesionFrequency } from './lesion-frequency.js'

/** The methods that can be fitted: each gives the numbers that its `segment` reads from `model.json`. */
const trainable: Record<string, (cases: LabelledStudies) => Promise<object>> = {
  schmidt2017: async (cases) => (await import('../src/methods/unsupervised/schmidt2017.js')).fit(cases),
  subbanna2015: async (cases) => (await import('../src/methods/unsupervised/subbanna2015.js')).fit(cases),
}

const { values: options } = parseArgs({
  options: {
    method: { type: 'string' },
    split: { type: 'string', default: 'patient' },
    fold: { type: 'string', multiple: true },
    'score-only': { type: 'boolean', default: false },
  },
})
const root = fileURLToPath(new URL('..', import.meta.url))
const id = options.method ?? ''
const fit = trainable[id]
if (!fit) throw new Error(`--method is one of ${Object.keys(trainable).join(', ')}`)
setThreads(2)

const scans = labelledCases()
for (const { name, out } of folds(options.split)) {
  if (options.fold && !options.fold.includes(name)) continue
  const folder =
    options.split === 'all' ? `${root}models/${id}` : `${root}.cache/statistical-models/${id}/${options.split}-${name}`
  mkdirSync(folder, { recursive: true })
  // A centre left out is left out whole: the atlas's lesion frequency holds masks of ljubljana.
  const prior = name === 'ljubljana' ? await frequencyWithout(name) : undefined
  const training = scans.filter(({ patient }) => !out.includes(patient))
  if (!options['score-only']) {
    const numbers = await fit(studies(training, prior))
    const model = { ...header(options.split, name, training), ...numbers }
    writeFileSync(`${folder}/model.json`, `${JSON.stringify(model, null, 2)}\n`)
    console.log(`${folder}/model.json`)
  }
  if (options.split === 'all') writeFileSync(`${folder}/README.md`, readme())
  else {
    const rows = await scored(
      scans.filter(({ patient }) => out.includes(patient)),
      folder,
      prior,
    )
    writeFileSync(`${folder}/scores.json`, `${JSON.stringify(rows, null, 1)}\n`)
  }
}
process.exit(0)

async function frequencyWithout(centre: 'ljubljana'): Promise<Image> {
  const atlas = await loadAtlas()
  return await lesionFrequency(atlas.brain, atlas.lesionPrior, centre)
}

async function* studies(cases: readonly LabelledCase[], prior: Image | undefined): AsyncIterable<LabelledStudy> {
  for (const scan of cases) {
    const { prepared, reference } = await load(scan, prior)
    console.log(`fitting to ${scan.id}`)
    yield { study: prepared.study, truth: await resampleMask(reference, prepared.study.grid) }
  }
}

/** A labelled scan, with another lesion frequency in its atlas where one is given. */
async function load(scan: LabelledCase, prior?: Image): Promise<ScanStudy> {
  const found = await labelledStudy(scan, { grid: methodEntry(id).needs.grid, onFlag: () => {} })
  const { study } = found.prepared
  if (prior) study.atlas.lesionPrior = await resample(prior, study.grid, { map: study.toAtlas })
  return found
}

interface ScanScore extends Score {
  id: string
  referenceMl: number
}

/** Scores of scans with the model of a folder, after what `segment` does with its default options. */
async function scored(cases: readonly LabelledCase[], model: string, prior: Image | undefined): Promise<ScanScore[]> {
  const rows: ScanScore[] = []
  for (const scan of cases) {
    const { prepared, reference } = await load(scan, prior)
    const { mask: found } = await runOn(id, prepared, { model })
    const row = { id: scan.id, referenceMl: volumeMl(reference), ...score(found, reference) }
    rows.push(row)
    console.log(
      `${row.id.padEnd(7)} reference ${row.referenceMl.toFixed(1)} ml, ours ${row.ml.toFixed(1)} ml  Dice ${row.dice.toFixed(3)}  F1 ${row.f1.toFixed(3)}  sensitivity ${row.sensitivity.toFixed(3)}  precision ${row.precision.toFixed(3)}`,
    )
  }
  return rows
}

function header(split: string, fold: string, training: readonly LabelledCase[]): TrainedModel {
  return {
    format: 'lesionwise-statistical-model',
    formatVersion: 1,
    method: id,
    describe: methodEntry(id).title,
    training: {
      data: `labelled scans of ../shared/data: ${training.map((scan) => scan.id).join(', ')}`,
      licence:
        'ljubljana CC BY (Lesjak et al. 2018), mslesseg CC BY 4.0 (Guarnera et al. 2025), tabriz MIT; computed numbers, to be used with attribution. Research only.',
      split: split === 'all' ? 'all' : `${split} ${fold} left out`,
      scans: training.length,
      version: (JSON.parse(readFileSync(`${root}package.json`, 'utf8')) as { version: string }).version,
    },
    validation: split === 'all' ? validation() : [],
  }
}

/** Mean scores of the scans left out, as far as their folds are done. */
function validation(): TrainedModel['validation'] {
  const titles = { patient: 'five folds by patient', centre: 'each centre left out' }
  return Object.entries(titles).flatMap(([split, title]) => {
    const files = folds(split).map(({ name }) => `${root}.cache/statistical-models/${id}/${split}-${name}/scores.json`)
    if (!files.every(existsSync)) return []
    const rows = files.flatMap((file) => JSON.parse(readFileSync(file, 'utf8')) as ScanScore[])
    const centreOf = new Map(scans.map((scan) => [scan.id, scan.centre]))
    const means = (some: readonly ScanScore[]) => ({
      scans: some.length,
      dice: rounded(mean(some.map(({ dice }) => dice))),
      lesionF1: rounded(mean(some.map(({ f1 }) => (Number.isNaN(f1) ? 0 : f1)))),
    })
    const centres = [...new Set(centreOf.values())].map((centre) => [
      centre,
      means(rows.filter((row) => centreOf.get(row.id) === centre)),
    ])
    return [{ split: title, overall: means(rows), centres: Object.fromEntries(centres) }]
  })
}

function rounded(value: number): number {
  return Math.round(value * 1000) / 1000
}

function readme(): string {
  return `# ${id}

The numbers of the method \`${id}\` (${methodEntry(id).title}), fitted to the development scans by
\`tsx scripts/statistical-models.ts --method ${id} --split all\`. \`model.json\` says what it was fitted to, under which licences, and
its scores on scans left out (five folds by patient; each centre left out). It has seen all of those scans: to judge the method on
them, use the models of the folds. Research only.
`
}
