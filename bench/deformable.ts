// Deformable registration, measured against SyN (antspyx): the ICBM152 template onto the T1 of each patient (stripped, 1 mm),
// both from one affine of ours. The template's tissues, carried over by nearest neighbour through either map, are compared
// with three classes of the patient's T1 by Atropos (k-means start), which serves both: Dice of fluid, grey and white matter.
// Seconds on the wall and of processor time; smallest and largest Jacobian. Then 500 points through the fields' files, here and
// in SimpleITK.
//
//   npm run bench:deformable -- [--case sub-07] [--kind SyN,SyNCC] [--threads 1,2] [--keep] [--json]
//
// SyN is antspyx's default deformable stage (mutual information, 40 and 20 steps at 4 and 2 mm); SyNCC the same with local
// correlation of radius 4. --keep takes what an earlier run of them left.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { readField, writeField } from '../src/formats/field.js'
import { writeItkAffine } from '../src/formats/itk.js'
import { readNifti, writeNifti } from '../src/formats/nifti.js'
import { setThreads } from '../src/kernels/index.js'
import { registerDeformable } from '../src/preprocess/deformable.js'
import { register } from '../src/preprocess/register.js'
import { seededRandom } from '../src/random.js'
import { type Affine, apply, type Vec3 } from '../src/volume/affine.js'
import {
  type Deformation,
  deform,
  deformationOf,
  jacobianDeterminant,
  resampleDeformed,
} from '../src/volume/deformation.js'
import type { Image, Mask } from '../src/volume/volume.js'

const root = fileURLToPath(new URL('../..', import.meta.url))
const data = join(root, 'shared/data/')
const python = fileURLToPath(new URL('peers/.venv/bin/python', import.meta.url))
const script = fileURLToPath(new URL('peers/deformable.py', import.meta.url))
const option = (name: string, otherwise: string) =>
  process.argv.includes(`--${name}`) ? process.argv[process.argv.indexOf(`--${name}`) + 1] : otherwise
const wanted = option('case', '')
const kinds = option('kind', 'SyN').split(',')
const threads = option('threads', '1,2').split(',').map(Number)
const json = process.argv.includes('--json')
const say = (...words: unknown[]) => (json ? undefined : console.log(...words))
const rows: { case: string; map: string; mean: number; threads?: number; seconds?: number; cpu?: number }[] = []
let worstPoint = 0

const cases: [string, string][] = [
  ['lj-sub-07', 'ljubljana/sub-07/anat/sub-07_space-MNI152_T1w.nii.gz'],
  ['lj-sub-19', 'ljubljana/sub-19/anat/sub-19_space-MNI152_T1w.nii.gz'],
  ['ms-sub-14', 'mslesseg/sub-14/ses-1/anat/sub-14_ses-1_space-MNI152_T1w.nii.gz'],
  ['ms-sub-18', 'mslesseg/sub-18/ses-1/anat/sub-18_ses-1_space-MNI152_T1w.nii.gz'],
]
if (!existsSync(join(data, cases[0][1])) || !existsSync(python)) {
  console.log('Needs the patients of ../shared/data and antspyx in bench/peers/.venv: nothing measured.')
  process.exit(0)
}

const load = async (name: string): Promise<Image> => (await readNifti(readFileSync(data + name), name)).image
const template = await loadTemplate()
say('case       map                    CSF     GM     WM   mean  threads seconds    cpu  Jacobian')
for (const [id, file] of cases) if (id.includes(wanted)) await measure(id, file)
if (json) console.log(JSON.stringify({ rows, worstPoint }))
process.exit(0)

async function measure(id: string, file: string): Promise<void> {
  const fixed = await load(file)
  const folder = join(tmpdir(), 'lesionwise-deformable', id)
  mkdirSync(folder, { recursive: true })
  const path = (name: string) => join(folder, name)
  const brain: Mask = { ...fixed, data: Uint8Array.from(fixed.data, (v) => (v > 0 ? 1 : 0)) }
  const affine = await startOf(path('affine.json'), fixed)
  writeFileSync(path('affine.txt'), writeItkAffine(affine))
  writeFileSync(path('fixed.nii.gz'), await writeNifti(fixed, { level: 1 }))
  writeFileSync(path('moving.nii.gz'), await writeNifti(template.t1, { level: 1 }))
  writeFileSync(path('brain.nii.gz'), await writeNifti(brain, { level: 1 }))
  const line = async (name: string, warp: Deformation, time?: Time) => {
    const labels = await resampleDeformed(template.labels, fixed, warp, { method: 'nearest' })
    const scores = [1, 2, 3].map((label) => dice(labels, truth, label))
    const jacobian = (await jacobianDeterminant(warp.field)).data
    const [least, most] = [Math.min, Math.max].map((of) => jacobian.reduce((a, b) => of(a, b)).toFixed(2))
    rows.push({ case: id, map: name.split(' ')[0], mean: scores.reduce((sum, v) => sum + v / 3, 0), ...time })
    say(
      id.padEnd(10),
      name.padEnd(18),
      ...scores.map((value) => value.toFixed(4)),
      scores.reduce((sum, value) => sum + value / 3, 0).toFixed(4),
      time ? `${column(time.threads, 0)} ${column(time.seconds)} ${column(time.cpu)}` : ' '.repeat(23),
      ` ${least} – ${most}`,
    )
  }
  if (!existsSync(path('tissue.nii.gz'))) execFileSync(python, [script, folder, 'tissue', '2'])
  const truth = (await readNifti(readFileSync(path('tissue.nii.gz')), 'tissue')).image
  const still = { dims: fixed.dims, affine: fixed.affine, data: new Float32Array(3 * fixed.data.length) }
  await line('affine', await deformationOf(still, { after: affine }))

  const apart: string[] = []
  for (const count of threads) {
    for (const kind of kinds) {
      const time = peer(folder, kind, count)
      const file = path(`${kind}-warp.nii.gz`)
      const warp = await deformationOf(await readField(readFileSync(file), kind), { after: affine })
      await line(kind, warp, time)
      if (count === threads[0]) apart.push(`${kind} ${apartFromItk(warp, file, folder).toExponential(1)}`)
    }
    for (const model of ['velocity', 'bspline'] as const) {
      setThreads(count)
      const [started, before] = [performance.now(), process.cpuUsage()]
      const warp = await registerDeformable(fixed, template.t1, { initial: affine, model })
      const { user, system } = process.cpuUsage(before)
      const time = { seconds: (performance.now() - started) / 1000, cpu: (user + system) / 1e6, threads: count }
      await line(`${model} ${warp.steps}`, warp, time)
      if (count !== threads[0]) continue
      writeFileSync(path('field.nii.gz'), await writeField(warp.field, { level: 1 }))
      apart.push(`${model} ${apartFromItk(warp, path('field.nii.gz'), folder).toExponential(1)}`)
    }
  }
  say(`${id}: points through the files, here and in SimpleITK, differ by at most (mm): ${apart.join(', ')}`)
}

interface Time {
  seconds: number
  /** Seconds of all processors together. */
  cpu: number
  threads: number
}
function column(value: number, digits = 1): string {
  return value.toFixed(digits).padStart(7)
}

/** Largest distance in mm between where we and SimpleITK take 500 points of the field's block. */
function apartFromItk(warp: Deformation, field: string, folder: string): number {
  const random = seededRandom(1)
  const points = Array.from({ length: 500 }, () =>
    apply(warp.field.affine, warp.field.dims.map((n) => random() * (n - 1)) as unknown as Vec3),
  )
  const lps = ([x, y, z]: Vec3): Vec3 => [-x, -y, z]
  writeFileSync(join(folder, 'points.json'), JSON.stringify(points.map(lps)))
  const script = fileURLToPath(new URL('peers/points.py', import.meta.url))
  const args = [script, field, join(folder, 'affine.txt'), join(folder, 'points.json')]
  const theirs = JSON.parse(execFileSync(python, args, { encoding: 'utf8' })) as Vec3[]
  const far = points.reduce((most, p, i) => {
    const [u, v] = [deform(warp, p), lps(theirs[i])]
    return Math.max(most, Math.hypot(u[0] - v[0], u[1] - v[1], u[2] - v[2]))
  }, 0)
  worstPoint = Math.max(worstPoint, far)
  return far
}

async function startOf(path: string, fixed: Image): Promise<Affine> {
  if (existsSync(path)) return JSON.parse(readFileSync(path, 'utf8')) as Affine
  setThreads(2)
  const { map } = await register(fixed, template.t1, { dof: 12 })
  writeFileSync(path, JSON.stringify(map))
  return map
}

/** Runs SyN, or takes what an earlier run left. */
function peer(folder: string, kind: string, count: number): Time {
  const kept = join(folder, `${kind}-${count}.json`)
  if (!process.argv.includes('--keep') || !existsSync(kept)) {
    const out = execFileSync(python, [script, folder, kind, String(count)], { encoding: 'utf8' })
    writeFileSync(kept, out.trim().split('\n').at(-1)!)
  }
  return { ...(JSON.parse(readFileSync(kept, 'utf8')) as Omit<Time, 'threads'>), threads: count }
}

/** The ICBM152 T1 within its tissues, and the most likely tissue: 1 fluid, 2 grey, 3 white. */
async function loadTemplate(): Promise<{ t1: Image; labels: Image }> {
  const folder = 'templates/icbm152_sym09a/mni_icbm152_'
  const t1 = await load(`${folder}t1_tal_nlin_sym_09a_converted.nii.gz`)
  const maps = await Promise.all(
    ['csf_tal_nlin_sym_09a', 'gm_tal_nlin_sym_09a_converted', 'wm_tal_nlin_sym_09a_converted'].map((name) =>
      load(`${folder}${name}.nii.gz`),
    ),
  )
  const scales = maps.map(({ data }) => 1 / data.reduce((most, value) => Math.max(most, value), 0))
  const labels = new Float32Array(t1.data.length)
  const stripped = new Float32Array(t1.data.length)
  for (let i = 0; i < labels.length; i++) {
    const p = maps.map(({ data }, k) => data[i] * scales[k])
    if (p[0] + p[1] + p[2] < 0.5) continue
    labels[i] = 1 + p.indexOf(Math.max(...p))
    stripped[i] = t1.data[i]
  }
  return { t1: { ...t1, data: stripped }, labels: { ...t1, data: labels } }
}

function dice(a: Image, b: Image, label: number): number {
  let [both, sum] = [0, 0]
  for (let i = 0; i < a.data.length; i++) {
    const [x, y] = [a.data[i] === label, Math.round(b.data[i]) === label]
    if (x && y) both++
    sum += Number(x) + Number(y)
  }
  return (2 * both) / sum
}
