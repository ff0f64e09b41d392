// The unsupervised and statistical methods on the 15 labelled scans of ../shared/data, each with its default parameters
// on FLAIR, T1 and, where the scan has one, T2.
//
//   npm run bench:unsupervised -- [--method ID …] [--scan ID …] [--flair-only] [--kept] [--docs]
//
// The defaults are the papers' where they hold on these scans; what was changed was changed with these scans in sight
// (each method's Departures), so that the scores are of development scans and not of a test. The trained ones
// (`schmidt2017`, `subbanna2015`) run with the model of the fold that left the patient out
// (npx tsx scripts/statistical-models.ts --split patient).
// Each method runs in a process of its own: its peak memory includes the prepared scan and Node. Times are those of the
// clock, and processor time of both threads together, which other work on the machine hardly changes.
// Writes out/unsupervised/: ID.json, the masks, an overlay PNG per scan (green: both, red: ours only, yellow: reference
// only), and benchmark.html, the page that `lesionwise benchmark` writes. --kept runs nothing and takes what earlier runs
// left there; --docs puts the tables into docs/accuracy.md and the figures into assets/method-results.json, which the
// methods' cards show.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { lesionDetection } from '../src/evaluate/detection.js'
import { writeNifti } from '../src/formats/nifti.js'
import { setThreads } from '../src/kernels/index.js'
import { standInsOf } from '../src/methods/contrasts.js'
import { methodEntry, methodList } from '../src/methods/registry.js'
import type { MethodResults } from '../src/methods/results.js'
import { overlayPng } from '../src/report/overlay.js'
import { volumeMl } from '../src/volume/volume.js'
import { mean, replaceBetween, score } from './accuracy-report.js'
import { labelledCases } from './cases.js'
import { labelledStudy, runOn } from './labelled-studies.js'
import { folds } from './network-cases.js'
import { unsupervisedPage } from './unsupervised-page.js'

export interface ScanResult {
  scan: string
  centre: string
  referenceMl: number
  ml: number
  dice: number
  f1: number
  ltpr: number
  lfpr: number
  /** Processor time of both threads, and time by the clock. */
  seconds: number
  wall: number
  contrasts: string[]
  flags: string[]
}
export interface MethodResult {
  id: string
  rows: ScanResult[]
  peakMb: number
}

const root = fileURLToPath(new URL('..', import.meta.url))
const out = `${root}out/unsupervised`
const { values: options } = parseArgs({
  options: {
    method: { type: 'string', multiple: true },
    scan: { type: 'string', multiple: true },
    'flair-only': { type: 'boolean', default: false },
    kept: { type: 'boolean', default: false },
    docs: { type: 'boolean', default: false },
    inside: { type: 'boolean', default: false },
  },
})
mkdirSync(out, { recursive: true })
const cases = labelledCases().filter(({ id }) => !options.scan || options.scan.includes(id))
if (cases.length === 0) {
  console.log('No labelled scans here (../shared/data): nothing measured.')
  process.exit(0)
}
const ids = options.method ?? methodList.filter(({ strategy }) => strategy === 'statistical').map(({ id }) => id)
if (options.inside) await measure(ids[0])
else {
  const results = ids.map(options.kept ? kept : inProcess)
  const centres = [...new Set(cases.map(({ centre }) => centre))]
  const tables = [overall(results), ...centres.map((centre) => ofCentre(centre, results))]
  console.log(tables.join('\n\n'))
  writeFileSync(`${out}/benchmark.html`, await unsupervisedPage(results, cases, out))
  console.log(`\nThe benchmark's page: ${out}/benchmark.html`)
  if (options.docs) {
    replaceBetween('docs/accuracy.md', 'unsupervised', tables.join('\n\n'))
    writeFileSync(`${root}assets/method-results.json`, `${JSON.stringify(forCards(results), null, 1)}\n`)
  }
}
process.exit(0)

/** Runs one method on all scans, and leaves what came out in out/unsupervised. */
async function measure(id: string): Promise<void> {
  setThreads(2)
  const rows: ScanResult[] = []
  for (const scan of cases) {
    const { prepared, reference, flair } = await labelledStudy(scan, {
      contrasts: options['flair-only'] ? [] : ['t1', 't2'],
    })
    const { map, mask, seconds, wall } = await runOn(id, prepared, modelWithout(id, scan.patient))
    const { dice, f1, ml } = score(mask, reference)
    const { ltpr, lfpr } = lesionDetection(reference, mask)
    const row = {
      scan: scan.id,
      centre: scan.centre,
      referenceMl: volumeMl(reference),
      ml,
      dice,
      f1,
      ltpr,
      lfpr,
      seconds,
      wall,
      contrasts: Object.keys(prepared.study.images),
      flags: (map.flags ?? []).map(({ code }) => code),
    }
    rows.push(row)
    console.error(
      `${id} ${scan.id}: Dice ${dice.toFixed(3)} F1 ${f1.toFixed(3)} LTPR ${ltpr.toFixed(2)} LFPR ${lfpr.toFixed(2)} ${ml.toFixed(1)} of ${row.referenceMl.toFixed(1)} ml, ${wall.toFixed(1)} s (${seconds.toFixed(1)} s of processor) ${row.flags.join(' ')}`,
    )
    writeFileSync(`${out}/${id}-${scan.id}.nii.gz`, await writeNifti(mask, { level: 1 }))
    writeFileSync(`${out}/${id}-${scan.id}.png`, await overlayPng(flair, mask, reference))
  }
  const result: MethodResult = { id, rows, peakMb: process.resourceUsage().maxRSS / 1024 }
  writeFileSync(`${out}/${id}.json`, JSON.stringify(result, null, 1))
}

/** A trained method runs with the model that has not seen the patient. */
function modelWithout(id: string, patient: string): Record<string, unknown> {
  if (methodEntry(id).supervision !== 'supervised') return {}
  const fold = folds('patient').find(({ out }) => out.includes(patient))!
  const folder = `${root}.cache/statistical-models/${id}/patient-${fold.name}`
  if (existsSync(`${folder}/model.json`)) return { model: folder }
  throw new Error(`${folder} is not there: run npx tsx scripts/statistical-models.ts --method ${id} --split patient`)
}

function inProcess(id: string): MethodResult {
  const given = [...(options.scan ?? []).flatMap((scan) => ['--scan', scan])]
  if (options['flair-only']) given.push('--flair-only')
  const { status } = spawnSync(
    process.execPath,
    ['--import', 'tsx', fileURLToPath(import.meta.url), '--inside', '--method', id, ...given],
    { cwd: root, stdio: 'inherit' },
  )
  if (status !== 0) throw new Error(`${id} failed`)
  return kept(id)
}

/** What an earlier run left. */
function kept(id: string): MethodResult {
  return JSON.parse(readFileSync(`${out}/${id}.json`, 'utf8')) as MethodResult
}

/** LTPR and LFPR that the survey prints (MSSEG 2008 or ISBI 2015): other scans, for orientation and no comparison. */
function printed(id: string): string {
  const known: Record<string, string> = {
    bricq2008: '.44 / .57',
    souplet2008: '.54 / .73',
    shiee2008: '.52 / .73',
    tomasfernandez2015: '.47 / .45',
    roura2015: '.50 / .42',
    cerri2021: '.38 / .61',
    catanese2015: '.41 / .31',
  }
  return known[id] ?? 'n/a'
}

/** What `lesionwise methods ID` and docs/methods.md show. */
function forCards(results: readonly MethodResult[]): MethodResults {
  const scores = (rows: readonly ScanResult[]) => ({
    dice: Number(of(rows, 'dice')),
    lesionF1: Number(of(rows, 'f1')),
    ltpr: Number(of(rows, 'ltpr')),
    lfpr: Number(of(rows, 'lfpr')),
  })
  return {
    about: `Figures: ${cases.length} labelled development scans of three centres, default parameters, in whose choice these scans were seen (npm run bench:unsupervised). Times: processor time of both threads, ${cpus()[0].model.trim()}.`,
    methods: Object.fromEntries(
      results.map(({ id, rows, peakMb }) => [
        id,
        {
          scans: rows.length,
          overall: scores(rows),
          large: scores(rows.filter(({ referenceMl }) => referenceMl > 2)),
          centres: Object.fromEntries(
            [...new Set(rows.map(({ centre }) => centre))].map((centre) => [
              centre,
              scores(rows.filter((row) => row.centre === centre)),
            ]),
          ),
          seconds: {
            mean: Number(of(rows, 'seconds', 2)),
            longest: Number(Math.max(...rows.map(({ seconds }) => seconds)).toFixed(2)),
          },
          peakMegabytes: Math.round(peakMb),
          outOfFold: methodEntry(id).supervision === 'supervised',
        },
      ]),
    ),
  }
}

function overall(results: readonly MethodResult[]): string {
  const line = ({ id, rows, peakMb }: MethodResult) => {
    const large = rows.filter(({ referenceMl }) => referenceMl > 2)
    const slowest = (key: 'seconds' | 'wall') => Math.max(...rows.map((row) => row[key])).toFixed(1)
    return `| \`${id}\` | ${figures(rows)} | ${of(large, 'dice')} / ${of(large, 'f1')} | ${printed(id)} | ${of(rows, 'wall', 1)} / ${slowest('wall')} | ${of(rows, 'seconds', 1)} / ${slowest('seconds')} | ${standIns(rows)} | ${peakMb.toFixed(0)} |`
  }
  return [
    '| method | Dice | F1 | LTPR | LFPR | above 2 ml: Dice / F1 | survey: LTPR / LFPR | s: mean / longest | CPU s: mean / longest | in place of a contrast | MB |',
    '|---|---|---|---|---|---|---|---|---|---|---|',
    ...results.map(line),
  ].join('\n')
}

/** What stood in for a contrast that the method asks for, and on how many scans. */
function standIns(rows: readonly ScanResult[]): string {
  const counts = new Map<string, number>()
  for (const { flags } of rows)
    for (const { given, for: role } of standInsOf(flags)) {
      const text = given === 'nothing' ? `no ${role.toUpperCase()}` : `${given.toUpperCase()} for ${role.toUpperCase()}`
      counts.set(text, (counts.get(text) ?? 0) + 1)
    }
  return [...counts].map(([text, n]) => `${text} (${n})`).join(', ') || '–'
}

function ofCentre(centre: string, results: readonly MethodResult[]): string {
  return [
    `| ${centre} | Dice | F1 | LTPR | LFPR |`,
    '|---|---|---|---|---|',
    ...results.map(({ id, rows }) => `| \`${id}\` | ${figures(rows.filter((row) => row.centre === centre))} |`),
  ].join('\n')
}

function figures(rows: readonly ScanResult[]): string {
  return (['dice', 'f1', 'ltpr', 'lfpr'] as const).map((key) => of(rows, key)).join(' | ')
}

function of(
  rows: readonly ScanResult[],
  key: 'dice' | 'f1' | 'ltpr' | 'lfpr' | 'seconds' | 'wall',
  digits = 3,
): string {
  return mean(rows.map((row) => (Number.isNaN(row[key]) ? 0 : row[key]))).toFixed(digits)
}
