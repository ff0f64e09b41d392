// Accuracy of the segmentation methods on the 15 labelled scans of ../shared/data, parameters chosen leaving one
// patient out: for each patient, the point of the method's grid with the best mean (Dice + lesion F1) / 2 over the
// OTHER patients' scans is used. No scan helps to choose the parameters it is scored with.
//
//   npm run bench:accuracy -- [--method ID …] [--scan ID …] [--flair-only] [--readme] [--quick]
//
// Prints a table per method; writes out/accuracy/<method>.json and an overlay PNG per scan (green: both, red: ours only,
// yellow: reference only). --readme puts the tables into README.md and docs/accuracy.md; --quick scores the defaults only.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { lesionF1 } from '../src/evaluate/lesionwise.js'
import { dice } from '../src/evaluate/overlap.js'
import { readNifti, readNiftiMask } from '../src/formats/nifti.js'
import { setThreads } from '../src/kernels/index.js'
import { findLesions } from '../src/lesions/instances.js'
import { loadMethod, methodList } from '../src/methods/registry.js'
import { type Preparation, prepare, prepareWeight } from '../src/preprocess/pipeline.js'
import { usual } from '../src/preprocess/recipe.js'
import { Stages } from '../src/preprocess/stages.js'
import { overlayPng } from '../src/report/overlay.js'
import { diskStore } from '../src/run/cache.js'
import type { Mask } from '../src/volume/volume.js'
import { volumeMl } from '../src/volume/volume.js'
import { type LabelledCase, labelledCases } from './cases.js'
import { parameterGrids } from './grids.js'

const root = fileURLToPath(new URL('..', import.meta.url))
const { values: options } = parseArgs({
  options: {
    method: { type: 'string', multiple: true },
    scan: { type: 'string', multiple: true },
    'flair-only': { type: 'boolean', default: false },
    readme: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
  },
})

interface Score {
  dice: number
  f1: number
  sensitivity: number
  precision: number
  ml: number
}
interface Scored {
  scan: LabelledCase
  referenceMl: number
  /** One per grid point. */
  scores: Score[]
}

const cases = labelledCases().filter(({ id }) => !options.scan || options.scan.includes(id))
if (cases.length === 0) {
  console.log('No labelled scans here (../shared/data): nothing measured.')
  process.exit(0)
}
const ids = options.method ?? methodList.filter(({ supervision }) => supervision === 'unsupervised').map(({ id }) => id)
const out = `${root}out/accuracy${options['flair-only'] ? '-flair-only' : ''}`
mkdirSync(out, { recursive: true })
setThreads(2)

const grids = new Map(ids.map((id) => [id, options.quick ? [{}] : [{}, ...(parameterGrids[id] ?? [])]]))
const scored = new Map<string, Scored[]>(ids.map((id) => [id, []]))
for (const scan of cases) {
  const { prepared, reference } = await load(scan)
  for (const id of ids) {
    const scores: Score[] = []
    for (const params of grids.get(id)!) scores.push(score(await run(id, params, prepared), reference))
    scored.get(id)!.push({ scan, referenceMl: volumeMl(reference), scores })
    const [first] = scores
    console.error(`${id} ${scan.id}: Dice ${first.dice.toFixed(3)} F1 ${first.f1.toFixed(3)} with the defaults`)
  }
}

const tables: string[] = []
for (const id of ids) {
  const all = scored.get(id)!
  const chosen = all.map(({ scan }) => bestPoint(all.filter((other) => other.scan.patient !== scan.patient)))
  const rows = all.map((one, i) => ({ ...one, point: chosen[i], score: one.scores[chosen[i]] }))
  const table = report(id, rows)
  console.log(table)
  tables.push(table)
  const overall = bestPoint(all)
  console.log(`best over all patients: ${JSON.stringify(grids.get(id)![overall])}\n`)
  writeFileSync(
    `${out}/${id}.json`,
    JSON.stringify(
      rows.map((row) => ({
        id: row.scan.id,
        referenceMl: row.referenceMl,
        params: grids.get(id)![row.point],
        ...row.score,
      })),
      null,
      1,
    ),
  )
  for (const [i, { scan }] of all.entries()) {
    const { prepared, reference, flair } = await load(scan)
    const mask = await run(id, grids.get(id)![chosen[i]], prepared)
    writeFileSync(`${out}/${id}-${scan.id}.png`, await overlayPng(flair, mask, reference))
  }
}
if (options.readme) fillReadme(tables)
process.exit(0)

async function load(scan: LabelledCase) {
  const flair = (await readNifti(readFileSync(scan.flair), scan.flair)).image
  const reference = await readNiftiMask(readFileSync(scan.mask), scan.mask)
  const t1 = options['flair-only'] ? undefined : (await readNifti(readFileSync(scan.t1), scan.t1)).image
  const stages = new Stages(prepareWeight(t1 ? 1 : 0), new AbortController().signal, () => {})
  const prepared = await prepare(
    { flair, ...(t1 ? { t1 } : {}) },
    {
      stages,
      recipe: usual,
      grid: 'native',
      seed: 1,
      store: diskStore(`${root}.cache/accuracy`),
      inputKeys: { flair: `${scan.id}-flair`, t1: `${scan.id}-t1` },
      onFlag: ({ message }) => console.error(`${scan.id}: ${message}`),
    },
  )
  return { prepared, reference, flair }
}

async function run(id: string, params: Record<string, unknown>, { study, toNative }: Preparation): Promise<Mask> {
  const method = await loadMethod(id)
  const context = {
    progress: () => {},
    signal: new AbortController().signal,
    seed: 1,
    threads: 2,
    device: 'cpu' as const,
  }
  const { mask } = await method.segment(study, method.params.parse(params), context)
  // As `segment` does with its default options: smallest lesion 3 mm³ and 3 voxels, 18-connected.
  return findLesions(await toNative.mask(mask), {}).mask
}

function score(mask: Mask, reference: Mask): Score {
  const lesions = lesionF1(reference, mask)
  return {
    dice: dice(reference, mask),
    f1: lesions.f1,
    sensitivity: lesions.sensitivity,
    precision: lesions.precision,
    ml: volumeMl(mask),
  }
}

/** Index of the grid point with the best mean (Dice + F1) / 2, patients weighing the same, over scans above 2 ml. */
function bestPoint(training: Scored[]): number {
  const patients = [...new Set(training.filter(({ referenceMl }) => referenceMl > 2).map(({ scan }) => scan.patient))]
  const value = (point: number) =>
    mean(
      patients.map((patient) =>
        mean(
          training
            .filter(({ scan, referenceMl }) => scan.patient === patient && referenceMl > 2)
            .map(({ scores }) => (scores[point].dice + scores[point].f1) / 2),
        ),
      ),
    )
  let best = 0
  for (let point = 1; point < (training[0]?.scores.length ?? 0); point++) if (value(point) > value(best)) best = point
  return best
}

function report(id: string, rows: { scan: LabelledCase; referenceMl: number; score: Score; point: number }[]): string {
  const line = (name: string, some: typeof rows) => {
    const of = (key: keyof Score) => mean(some.map(({ score: s }) => (Number.isNaN(s[key]) ? 0 : s[key]))).toFixed(3)
    return `| ${name} | ${some.length} | ${of('dice')} | ${of('f1')} | ${of('sensitivity')} | ${of('precision')} |`
  }
  const centres = ['ljubljana', 'mslesseg', 'tabriz'] as const
  return [
    `| ${id}${options['flair-only'] ? ' (FLAIR alone)' : ''} | scans | Dice | lesion F1 | lesion sensitivity | lesion precision |`,
    '|---|---|---|---|---|---|',
    ...centres.map((centre) =>
      line(
        centre,
        rows.filter(({ scan }) => scan.centre === centre),
      ),
    ),
    line('all', rows),
    line(
      'more than 2 ml of lesions',
      rows.filter(({ referenceMl }) => referenceMl > 2),
    ),
    '',
    ...rows.map(
      ({ scan, referenceMl, score: s, point }) =>
        `    ${scan.id.padEnd(7)} reference ${referenceMl.toFixed(1).padStart(5)} ml, ours ${s.ml.toFixed(1).padStart(5)} ml  Dice ${s.dice.toFixed(3)}  F1 ${s.f1.toFixed(3)}  sensitivity ${s.sensitivity.toFixed(3)}  precision ${s.precision.toFixed(3)}  point ${point}`,
    ),
    '',
  ].join('\n')
}

/** The tables go into README.md, with the scans one by one into docs/accuracy.md. */
function fillReadme(tables: string[]): void {
  const brief = tables.map((table) =>
    table
      .split('\n')
      .filter((line) => line.startsWith('|'))
      .join('\n'),
  )
  replaceBetween('README.md', 'accuracy', brief.join('\n\n'))
  replaceBetween('docs/accuracy.md', 'tables', tables.join('\n'))
}

function replaceBetween(name: string, mark: string, content: string): void {
  const path = root + name
  const pattern = new RegExp(`(<!-- ${mark} -->)[\\s\\S]*?(<!-- /${mark} -->)`)
  writeFileSync(
    path,
    readFileSync(path, 'utf8').replace(pattern, (_, start, end) => `${start}\n${content}\n${end}`),
  )
}

function mean(values: number[]): number {
  return values.length === 0 ? Number.NaN : values.reduce((sum, value) => sum + value, 0) / values.length
}
