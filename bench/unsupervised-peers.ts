// Other people's tools beside the unsupervised methods: SAMSEG with lesions (`cerri2021`), Anima's robust EM and graph
// cut (`catanese2015`), the max-trees of higra and scikit-image (`urien2016`), and the mixture, k-means and fuzzy c-means of
// scikit-learn and scikit-fuzzy (what several methods fit tissues with). Prints Markdown tables of Dice, lesion F1, time,
// memory and of where the results differ.
//
//   npm run bench:unsupervised-peers -- [--only samseg|anima|max-tree|clusters …] [--scan ID …] [--kept] [--docs]
//
// bash bench/peers/install-unsupervised.sh installs the peers; one that is not there is said and left out. Two threads
// each, every measurement in a process of its own: peak memory is that of ours with Node and the prepared scan, and of
// the peer with all it loads. SAMSEG takes the scans as they are and does everything itself, so that the ratios to it
// are of our preparation and method together; it takes from ten minutes to an hour a scan and runs with --only samseg
// alone. Anima gets our prepared images and brain mask, with the options of its manual; it wants T1 and two more
// contrasts, so that its scans are those with T2. Masks of both lose what is smaller than 3 mm³ and 3 voxels, as ours do.
// out/unsupervised-peers keeps every result and mask. What --only does not name is printed from there; --kept runs
// nothing; --scan names some of the scans of SAMSEG and Anima. --docs puts the tables into docs/benchmarks.md.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { readNifti, readNiftiMask, writeNifti } from '../src/formats/nifti.js'
import { weightedGaussian } from '../src/learn/density.js'
import { onLattice } from '../src/learn/lattice.js'
import { quantise } from '../src/learn/max-tree.js'
import { findLesions } from '../src/lesions/instances.js'
import { gaussianInPlane } from '../src/volume/filter.js'
import { percentiles } from '../src/volume/histogram.js'
import { type Mask, type Volume, volumeMl, voxelsIn } from '../src/volume/volume.js'
import { replaceBetween, score } from './accuracy-report.js'
import { type LabelledCase, labelledCases } from './cases.js'
import { labelledStudy } from './labelled-studies.js'
import type { Clustered, ClusterJob, Filtered, Measured, OwnJob, Segmented, TreeJob } from './unsupervised-ours.js'

const root = fileURLToPath(new URL('..', import.meta.url))
const out = `${root}out/unsupervised-peers`
const python = `${root}bench/peers/.venv-unsupervised/bin/python`
const anima = `${root}bench/peers/.anima/build/animaGcStremMsLesionsSegmentation`
const quiet = { onFlag: () => {} }

const { values: options } = parseArgs({
  options: {
    only: { type: 'string', multiple: true },
    scan: { type: 'string', multiple: true },
    kept: { type: 'boolean', default: false },
    docs: { type: 'boolean', default: false },
  },
})
const cases = labelledCases()
if (cases.length === 0) {
  console.log('No labelled scans here (../shared/data): nothing measured.')
  process.exit(0)
}
mkdirSync(out, { recursive: true })
const folder = mkdtempSync(join(tmpdir(), 'unsupervised-peers-'))
const tables: string[] = []
for (const part of [samseg, graphCut, trees, clusters]) {
  tables.push(await part())
  console.log(`${tables.at(-1)}\n`)
}
rmSync(folder, { recursive: true })
if (options.docs) replaceBetween('docs/benchmarks.md', 'unsupervised-peers', tables.join('\n\n'))
process.exit(0)

async function samseg(): Promise<string> {
  const versus = { part: 'samseg', method: 'cerri2021', tool: 'SAMSEG', version: '0.4a0', contrasts: ['t1'] } as const
  return segmented(versus, scansOf('lj19', 'ms14v1', 'tb02'), async (scan) => {
    if (!existsSync(python)) return undefined
    const mask = `${out}/samseg-${scan.id}.nii.gz`
    const work = join(folder, `samseg-${scan.id}`)
    const inputs = [scan.t1, scan.flair]
    const measured = peer<Measured>({ peer: 'samseg', inputs, pattern: [0, 1], folder: work, out: mask })
    rmSync(work, { recursive: true })
    return { measured, mask: await maskOf(mask) }
  })
}

async function graphCut(): Promise<string> {
  const contrasts = ['t1', 't2'] as const
  const versus = { part: 'anima', method: 'catanese2015', tool: 'Anima', version: '4.2 GCEM', contrasts }
  return segmented(versus, scansOf('lj19', 'ms14v2', 'tb02'), async (scan) => {
    if (!existsSync(python) || !existsSync(anima)) return undefined
    const { study, toNative } = (await labelledStudy(scan, { ...quiet, contrasts })).prepared
    const { flair, t1, t2 } = study.images
    const path = await written(scan.id, { flair: flair!, t1: t1!, t2: t2!, brain: study.brain })
    const mask = `${out}/anima-${scan.id}.nii.gz`
    const images = ['-m', path.brain, '-i', path.t1, '-j', path.t2, '-l', path.flair, '-o', mask]
    // The manual's example, and which contrasts to use beside T1.
    const settings = '-a 1 --rej 0.2 --min-fuzzy 1 --max-fuzzy 2 --intT2 3 --intFLAIR 2 --rb --ml 3 --ini 2'
    const command = [anima, ...images, ...settings.split(' '), '--useT2', '--useFLAIR', '-T', '2']
    const measured = peer<Measured>({ peer: 'program', command, out: mask })
    return { measured, mask: await toNative.mask({ ...study.brain, data: (await maskOf(mask)).data }) }
  })
}

interface Versus {
  part: string
  method: string
  tool: string
  version: string
  contrasts: readonly ('t1' | 't2')[]
}

/** A method beside a tool that segments: accuracy, time and memory, one line a scan. SAMSEG prepares by itself. */
async function segmented(
  { part, method, tool, version, contrasts }: Versus,
  scans: readonly LabelledCase[],
  run: (scan: LabelledCase) => Promise<{ measured: Measured; mask: Mask } | undefined>,
): Promise<string> {
  const preparation = part === 'samseg'
  const lines: string[] = []
  for (const scan of scans) {
    const reference = await maskOf(scan.mask)
    const theirs = await keep<Segmented>(part, `${part}-${scan.id}`, async () => {
      const found = await run(scan)
      return found && { ...found.measured, score: score(findLesions(found.mask).mask, reference) }
    })
    if (!theirs) continue
    const ml = volumeMl(reference).toFixed(1)
    if ('failed' in theirs) {
      lines.push(`| ${scan.id} | ${ml} | | ${theirs.failed} | | | | | |`)
      continue
    }
    const measure = async () => own<Segmented>({ what: 'segment', method, scan: scan.id, contrasts, preparation })
    const ours = await keep<Segmented>(part, `${method}-${scan.id}`, measure, true)
    if (!ours) continue
    if ('failed' in ours) throw new Error(`${method} on ${scan.id}: ${ours.failed}`)
    const { seconds = 0, cpu = 0 } = ours.preparation ?? {}
    const cells = [
      scan.id,
      ml,
      accuracy(ours),
      accuracy(theirs),
      ...(preparation ? [seconds.toFixed(1)] : []),
      ours.seconds.toFixed(1),
      theirs.seconds.toFixed(1),
      (theirs.seconds / (ours.seconds + seconds)).toFixed(2),
      (theirs.cpu! / (ours.cpu! + cpu)).toFixed(2),
      ours.mb.toFixed(0),
      (theirs.mb / ours.mb).toFixed(2),
    ]
    lines.push(`| ${cells.join(' | ')} |`)
  }
  if (lines.length === 0) return missing(part, tool)
  const titles = [
    `FLAIR, ${contrasts.join(', ').toUpperCase()}`,
    'reference, ml',
    `\`${method}\`: Dice / F1 / ml`,
    `${tool} ${version}: Dice / F1 / ml`,
    ...(preparation ? ['our preparation, s'] : []),
    'ours, s',
    `${tool}, s`,
    `${tool} / ours`,
    'processor time',
    'ours, MB',
    `${tool} / ours`,
  ]
  return [`| ${titles.join(' | ')} |`, `|${'---|'.repeat(titles.length)}`, ...lines].join('\n')
}

function accuracy({ score: { dice, f1, ml } }: Segmented): string {
  return `${dice.toFixed(3)} / ${f1.toFixed(3)} / ${ml.toFixed(1)}`
}

/** Max-trees of the same levels, and the same levels with the small nodes filtered out of them. */
async function trees(): Promise<string> {
  const smallest = 30
  const { study } = (await labelledStudy(cases.find(({ id }) => id === 'lj19')!, quiet)).prepared
  // As urien2016 does it.
  const flair = await gaussianInPlane(study.images.flair!, 0.6)
  const [least, greatest] = percentiles(flair, [0.1, 99.95], study.brain)
  const { levels } = quantise(flair, study.brain, 1024, [least, greatest])
  for (const at of voxelsIn(study.brain)) levels.data[at]++
  const path = await written('tree', { levels, brain: study.brain })
  const file = (who: string) => `${out}/max-tree-${who.replaceAll(/[ ,]+/g, '-')}.nii.gz`
  const job = (who: string) => ({ levels: path.levels, smallest, out: file(who) })
  const ours = (who: string, brain?: string) =>
    own<Filtered>({ what: 'max-tree', ...job(who), brain } satisfies TreeJob)
  const theirs = (who: string) => (existsSync(python) ? peer<Filtered>({ peer: who, ...job(who) }) : undefined)
  const kinds: [string, (who: string) => Filtered | undefined][] = [
    ['ours, whole block', (who) => ours(who)],
    ['ours, in the brain', (who) => ours(who, path.brain)],
    ['higra', theirs],
    ['scikit-image', theirs],
  ]
  const rows: string[] = []
  let whole: { filtered: Filtered; data: ArrayLike<number> } | undefined
  for (const [who, run] of kinds) {
    const filtered = await keep<Filtered>('max-tree', `max-tree-${who.replaceAll(/[ ,]+/g, '-')}`, async () => run(who))
    if (!filtered) return missing('max-tree', who)
    if ('failed' in filtered) {
      rows.push(`| ${who}: ${filtered.failed} | | | | | | |`)
      continue
    }
    const { data } = (await readNifti(readFileSync(file(who)), file(who))).image
    whole ??= { filtered, data }
    let differ = 0
    for (const at of voxelsIn(study.brain)) if (data[at] !== whole.data[at]) differ++
    const { seconds, filtering, nodes, mb, version = '' } = filtered
    const first = whole.filtered
    rows.push(
      `| ${`${who} ${version}`.trim()} | ${nodes} | ${seconds.toFixed(3)} | ${filtering.toFixed(3)} | ${(seconds / first.seconds).toFixed(2)} | ${((seconds + filtering) / (first.seconds + first.filtering)).toFixed(2)} | ${mb.toFixed(0)} | ${differ} |`,
    )
  }
  return [
    `| max-tree of FLAIR (lj19, ${study.brain.dims.join('×')}, 1024 levels, faces), nodes under ${smallest} voxels filtered out | nodes | tree, s | filter, s | tree / ours | both / ours | MB | brain voxels unlike ours |`,
    '|---|---|---|---|---|---|---|---|',
    ...rows,
  ].join('\n')
}

/** What tissues are fitted with: the same voxels, the same start. */
async function clusters(): Promise<string> {
  const { study } = (await labelledStudy(cases.find(({ id }) => id === 'lj19')!, quiet)).prepared
  const { images, brain, tissue } = study
  const path = await written('clusters', { flair: images.flair!, t1: images.t1!, brain })
  const voxels = voxelsIn(brain)
  const values = [images.flair!, images.t1!].map((image) => onLattice({ voxels }, image))
  const classes = [tissue.csf, tissue.gm, tissue.wm].map((map) => weightedGaussian(values, onLattice({ voxels }, map))!)
  const total = classes.reduce((sum, { weight }) => sum + weight, 0)
  const job: Omit<ClusterJob, 'what'> = {
    channels: [path.flair, path.t1],
    brain: path.brain,
    start: {
      weights: classes.map(({ weight }) => weight / total),
      means: classes.map(({ mean }) => mean),
      covariances: classes.map(({ covariance: [a, b, c, d] }) => [
        [a, b],
        [c, d],
      ]),
    },
    rounds: 10,
    restarts: 6,
    scales: values.map(
      (channel) =>
        1 /
        Math.sqrt(
          weightedGaussian(
            [channel],
            channel.map(() => 1),
          )!.covariance[0],
        ),
    ),
  }
  const kinds = [
    ['mixture', 'Gaussian mixture, FLAIR and T1, an iteration', 'scikit-learn', job.channels],
    ['k-means', `k-means, FLAIR and T1, ${job.restarts} starts`, 'scikit-learn', job.channels],
    ['fuzzy', 'fuzzy c-means, FLAIR, an iteration', 'scikit-fuzzy', [path.flair]],
  ] as const
  const rows: string[] = []
  for (const [what, title, who, channels] of kinds) {
    const given = { ...job, channels: [...channels] }
    const theirs = await keep<Clustered>('clusters', `${what}-peer`, async () =>
      existsSync(python) ? peer<Clustered>({ peer: what, ...given }) : undefined,
    )
    if (!theirs) return missing('clusters', 'scikit-learn and scikit-fuzzy')
    if ('failed' in theirs) {
      rows.push(`| ${title}: ${theirs.failed} | | | | | | | |`)
      continue
    }
    const ours = await keep<Clustered>('clusters', `${what}-ours`, async () => own<Clustered>({ what, ...given }))
    if (!ours || 'failed' in ours) throw new Error(`${what}: ${ours?.failed}`)
    const [a, b] = [ours, theirs].map(({ means }) => means.toSorted((p, q) => p[0] - q[0]))
    const apart = Math.max(...a.flatMap((mean, k) => mean.map((m, c) => Math.abs(m - b[k][c]) * job.scales[c])))
    const shown = (means: number[][]) => means.map((mean) => mean.map((m) => m.toPrecision(6)).join(', ')).join('; ')
    const distortions = ours.distortion
      ? ` (distortion ${ours.distortion.toFixed(6)}, ${theirs.distortion!.toFixed(6)})`
      : ''
    rows.push(
      `| ${title} | ${ours.seconds.toFixed(4)} | ${who} ${theirs.version} | ${(theirs.seconds / ours.seconds).toFixed(2)} | ${ours.mb.toFixed(0)} | ${(theirs.mb / ours.mb).toFixed(2)} | ${shown(a)} | ${shown(b)} | ${apart.toExponential(1)}${distortions} |`,
    )
  }
  return [
    `| lj19, ${voxels.length} voxels of brain, 3 classes | ours, s | peer | peer / ours, time | ours, MB | peer / ours | our means | its means | furthest apart, σ of the image |`,
    '|---|---|---|---|---|---|---|---|---|',
    ...rows,
  ].join('\n')
}

function scansOf(...ids: string[]): LabelledCase[] {
  return cases.filter(({ id }) => ids.includes(id) && (options.scan?.includes(id) ?? true))
}

/** Whether a part is measured now. */
function fresh(part: string): boolean {
  return !options.kept && (options.only?.includes(part) ?? part !== 'samseg')
}

/**
 * What `make` gives, or what an earlier run left; why it failed is not kept.
 * @param evenSo make what is not there even where the part is not measured now
 */
async function keep<T>(
  part: string,
  name: string,
  make: () => Promise<T | undefined>,
  evenSo = false,
): Promise<T | { failed: string } | undefined> {
  const path = `${out}/${name}.json`
  if (!fresh(part)) {
    if (existsSync(path)) return JSON.parse(readFileSync(path, 'utf8')) as T
    if (options.kept || !evenSo) return undefined
  }
  try {
    const value = await make()
    if (value !== undefined) writeFileSync(path, JSON.stringify(value, null, 1))
    return value
  } catch (error) {
    return { failed: `failed: ${(error as Error).message.replaceAll(/\s+/g, ' ').slice(0, 200)}` }
  }
}

function missing(part: string, who: string): string {
  if (!fresh(part)) return `${who}: not run (--only ${part}), left out.`
  return `${who}: not installed (bash bench/peers/install-unsupervised.sh), left out.`
}

function peer<T>(job: { peer: string } & Record<string, unknown>): T {
  return answer<T>(python, ['bench/peers/unsupervised.py'], JSON.stringify(job))
}

function own<T>(job: OwnJob): T {
  return answer<T>(process.execPath, ['--import', 'tsx', 'bench/unsupervised-ours.ts', JSON.stringify(job)])
}

/** Runs a program whose last line is an answer in JSON. */
function answer<T>(program: string, given: string[], input = ''): T {
  const { status, stdout, stderr } = spawnSync(program, given, {
    cwd: root,
    input,
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  })
  if (status !== 0) throw new Error(stderr.trim().split('\n').slice(-3).join(' '))
  return JSON.parse(stdout.trim().split('\n').at(-1)!) as T
}

/** Writes volumes into the temporary folder, and says where each is. */
async function written<K extends string>(name: string, volumes: Record<K, Volume>): Promise<Record<K, string>> {
  const paths = Object.entries<Volume>(volumes).map(async ([key, volume]) => {
    const path = join(folder, `${name}-${key}.nii.gz`)
    writeFileSync(path, await writeNifti(volume, { level: 1 }))
    return [key, path]
  })
  return Object.fromEntries(await Promise.all(paths)) as Record<K, string>
}

function maskOf(path: string): Promise<Mask> {
  return readNiftiMask(readFileSync(path), path)
}
