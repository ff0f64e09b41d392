// Accuracy of the segmentation methods on the 15 labelled scans of ../shared/data, parameters chosen leaving one
// patient out: for each patient, the point of the method's grid with the best mean (Dice + lesion F1) / 2 over the
// OTHER patients' scans is used. No scan helps to choose the parameters it is scored with.
//
//   npm run bench:accuracy -- [--method ID …] [--scan ID …] [--flair-only] [--readme] [--quick]
//     [--param NAME=VALUE …]
//
// Prints a table per method; writes out/accuracy/<method>.json and an overlay PNG per scan (green: both, red: ours only,
// yellow: reference only). --readme puts the tables into README.md and docs/accuracy.md; --quick scores the defaults only.
// --param sets a parameter beside those of the grid, e.g. preset=paper.
import { mkdirSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { setThreads } from '../src/kernels/index.js'
import { methodList } from '../src/methods/registry.js'
import { overlayPng } from '../src/report/overlay.js'
import { volumeMl } from '../src/volume/volume.js'
import { bestPoint, replaceBetween, report, type Score, type Scored, score } from './accuracy-report.js'
import { type LabelledCase, labelledCases } from './cases.js'
import { parameterGrids } from './grids.js'
import { labelledStudy, runOn } from './labelled-studies.js'

const root = fileURLToPath(new URL('..', import.meta.url))
const { values: options } = parseArgs({
  options: {
    method: { type: 'string', multiple: true },
    scan: { type: 'string', multiple: true },
    'flair-only': { type: 'boolean', default: false },
    readme: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
    param: { type: 'string', multiple: true, default: [] },
  },
})
const given = Object.fromEntries(options.param.map((pair) => pair.split('=')))

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
    for (const params of grids.get(id)!)
      scores.push(score((await runOn(id, prepared, { ...params, ...given })).mask, reference))
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
  const table = report(`${id}${options['flair-only'] ? ' (FLAIR alone)' : ''}`, rows)
  console.log(table)
  tables.push(table)
  // As a scanner that no parameter was chosen on; with the grid's own defaults left out, which were chosen on all.
  const strangers = all.map((one) => {
    const others = all
      .filter(({ scan }) => scan.centre !== one.scan.centre)
      .map((other) => ({ ...other, scores: other.scores.slice(1) }))
    const point = 1 + bestPoint(others)
    return { ...one, point, score: one.scores[point] }
  })
  if (!options.quick && new Set(all.map(({ scan }) => scan.centre)).size > 1)
    console.log(report(`${id}, parameters chosen on the other centres`, strangers))
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
    const { mask } = await runOn(id, prepared, { ...grids.get(id)![chosen[i]], ...given })
    writeFileSync(`${out}/${id}-${scan.id}.png`, await overlayPng(flair, mask, reference))
  }
}
if (options.readme) fillReadme(tables)
process.exit(0)

async function load(scan: LabelledCase) {
  return await labelledStudy(scan, { contrasts: options['flair-only'] ? [] : ['t1'] })
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
