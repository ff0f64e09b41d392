// Registration, measured:
// - rigid, on the six raw pairs of ljubljana-long against the authors' transforms (mean displacement), with seconds;
// - rigid, from known moves of up to 60° and 40 mm (--start);
// - affine to the atlas, of every T1 and FLAIR: seconds, scales, and how far the ways over T1 and FLAIR end apart (--atlas);
// - the check, on good pairs, on other people's images, and on maps moved on purpose (--check);
// - the same where one image is stripped and the other a whole head, with the accuracy (--mixed).
//
//   node --import tsx bench/registration.ts [--start] [--atlas] [--check] [--mixed]
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { readItkAffine } from '../src/formats/itk.js'
import { readNifti } from '../src/formats/nifti.js'
import { setThreads } from '../src/kernels/index.js'
import { type Atlas, loadAtlas } from '../src/preprocess/atlas.js'
import { isStripped } from '../src/preprocess/brain.js'
import { register, registrationCheck, trustThreshold } from '../src/preprocess/register.js'
import { parametersToMap, radius } from '../src/preprocess/registration/transform.js'
import { type Affine, apply, compose, identity, type Vec3, voxelSizes } from '../src/volume/affine.js'
import { percentiles } from '../src/volume/histogram.js'
import { resampleMask } from '../src/volume/resample.js'
import type { Image } from '../src/volume/volume.js'
import { labelledCases } from './cases.js'

const data = fileURLToPath(new URL('../../shared/data/ljubljana-long/', import.meta.url))
if (!existsSync(data)) {
  console.log('No ljubljana-long here (../shared/data): nothing measured.')
  process.exit(0)
}
setThreads(2)

interface Pair {
  id: string
  person: string
  fixed: Image
  moving: Image
  /** fixed → moving, as found */
  map: Affine
}
const visits = [
  ['sub-01', 'ses-1', 'T1w'],
  ['sub-01', 'ses-1', 'T2w'],
  ['sub-01', 'ses-2', 'T1w'],
  ['sub-01', 'ses-2', 'T2w'],
  ['sub-03', 'ses-2', 'T1w'],
  ['sub-19', 'ses-2', 'T1w'],
] as const
const load = async (path: string): Promise<Image> => (await readNifti(readFileSync(path), path)).image
const anat = (subject: string, session: string, kind: string) =>
  load(`${data}${subject}/${session}/anat/${subject}_${session}_${kind}.nii.gz`)
const wants = (option: string) => process.argv.includes(`--${option}`)

const pairs: Pair[] = []
const truths: Affine[] = []
console.log('Rigid, against the authors (mean displacement in mm; seconds on two threads)')
console.log('pair                  brain    head  untouched  seconds   check')
for (const [subject, session, kind] of visits) {
  const [fixed, moving] = [await anat(subject, session, 'FLAIR'), await anat(subject, session, kind)]
  const path = `${data}derivatives/authors/${subject}/${session}/from-FLAIR_to-${kind}.txt`
  const truth = readItkAffine(readFileSync(path, 'utf8'), path)
  const [map, seconds] = await timed(async () => (await register(fixed, moving, { dof: 6 })).map)
  const head = bright(fixed)
  const id = `${subject} ${session} ${kind}`
  console.log(
    id.padEnd(20),
    column(apart(around(head, 65), map, truth)),
    column(apart(head, map, truth)),
    column(apart(head, identity, truth), 2, 10),
    column(seconds, 1, 8),
    column(await registrationCheck(fixed, moving, map), 3),
  )
  pairs.push({ id, person: subject, fixed, moving, map })
  truths.push(truth)
}

if (wants('start')) await fromFarStarts()
if (wants('atlas')) await toAtlas()
if (wants('check')) await calibrateCheck()
if (wants('mixed')) await mixed()
process.exit(0)

async function fromFarStarts(): Promise<void> {
  console.log('\nRigid, T1 moved before the start: distance in mm to the map found without the move, for three axes')
  const aligned = labelledCases().filter(({ id }) => id === 'lj07')
  const sets: [string, Image, Image, Affine][] = [['sub-01 ses-1', pairs[0].fixed, pairs[0].moving, pairs[0].map]]
  for (const { id, flair, t1 } of aligned) {
    const [fixed, moving] = [await load(flair), await load(t1)]
    sets.push([id, fixed, moving, (await register(fixed, moving, { dof: 6 })).map])
  }
  for (const [id, fixed, moving, map] of sets)
    for (const [degrees, mm] of [
      [5, 15],
      [15, 15],
      [25, 40],
      [40, 20],
      [60, 0],
    ]) {
      const errors: string[] = []
      for (const axis of [0, 1, 2]) {
        const p = [0, 0, 0, 0, 0, 0]
        p[axis] = mm
        p[3 + axis] = (degrees * Math.PI * radius) / 180
        const move = parametersToMap(p, [0, 0, 0])
        const found = (await register(fixed, { ...moving, affine: compose(move, moving.affine) }, { dof: 6 })).map
        errors.push(column(apart(around(bright(fixed), 65), found, compose(move, map))))
      }
      console.log(`${id.padEnd(14)} ${degrees}° and ${mm} mm`.padEnd(34), errors.join(' '))
    }
}

async function toAtlas(): Promise<void> {
  console.log('\nAffine to the atlas: seconds, similarity, scales; distance of the two ways from FLAIR, in mm')
  const atlas = await loadAtlas()
  const cases: { id: string; fixed: Image; moving: Image; map?: Affine }[] = [
    ...pairs.filter(({ id }) => id.endsWith('T1w')),
  ]
  for (const { id, flair, t1 } of labelledCases()) cases.push({ id, fixed: await load(flair), moving: await load(t1) })
  for (const { id, fixed, moving, map } of cases) {
    const template = isStripped(fixed) ? brainOnly(atlas) : atlas.t1
    const [over, flairSeconds] = await timed(() => register(fixed, template, { dof: 12 }))
    const [t1, t1Seconds] = await timed(() => register(moving, template, { dof: 12 }))
    const rigid = map ?? (await register(fixed, moving, { dof: 6 })).map
    console.log(
      id.padEnd(20),
      `FLAIR ${column(flairSeconds, 1, 4)} s ${over.similarity.toFixed(3)} ${scales(over.map)}`,
      `  T1 ${column(t1Seconds, 1, 4)} s ${t1.similarity.toFixed(3)} ${scales(t1.map)}`,
      column(apart(around(bright(fixed), 65), over.map, compose(t1.map, rigid))),
    )
  }
}

async function calibrateCheck(): Promise<void> {
  console.log(`\nCheck (trusted from ${trustThreshold}): right; with two other people's images; moved on purpose`)
  const good = [...pairs]
  for (const { id, patient, flair, t1 } of labelledCases()) {
    const [fixed, moving] = [await load(flair), await load(t1)]
    good.push({ id, person: patient, fixed, moving, map: (await register(fixed, moving, { dof: 6 })).map })
  }
  const turned = (degrees: number, axis: number) =>
    [0, 1, 2, 3, 4, 5].map((i) => (i === 3 + axis ? (degrees * Math.PI * radius) / 180 : 0))
  const moves = [[3, 3, 2.6, 0, 0, 0], [6, 6, 5, 0, 0, 0], turned(8, 2), turned(15, 0)].map((p) =>
    parametersToMap(p, [0, 0, 0]),
  )
  const [rights, strangers, moved]: number[][] = [[], [], []]
  for (const [i, { id, person, fixed, moving, map }] of good.entries()) {
    const right = await registrationCheck(fixed, moving, map)
    const line = [column(right, 3)]
    for (const step of [3, 8]) {
      const other = good[(i + step) % good.length]
      if (samePerson(person, other.person)) continue
      // Registered in earnest, it still shows somebody else.
      strangers.push(
        await registrationCheck(fixed, other.moving, (await register(fixed, other.moving, { dof: 6 })).map),
      )
      line.push(`${column(strangers[strangers.length - 1], 3)} (${other.id})`)
    }
    const here: number[] = []
    for (const move of moves) here.push(await registrationCheck(fixed, moving, compose(map, move)))
    rights.push(right)
    moved.push(...here)
    console.log(id.padEnd(20), ...line, '  moved', here.map((v) => column(v, 3)).join(' '))
  }
  console.log(
    `right ≥ ${Math.min(...rights).toFixed(3)}, other people ≤ ${Math.max(...strangers).toFixed(3)}, moved ≤ ${Math.max(...moved).toFixed(3)}`,
  )
}

async function mixed(): Promise<void> {
  console.log('\nOne of two stripped (by the atlas): mean displacement over the brain in mm, and check')
  const atlas = await loadAtlas()
  const strip = async (image: Image): Promise<Image> => {
    const { map } = await register(image, atlas.t1, { dof: 12 })
    const brain = await resampleMask(atlas.brain, image, { map })
    return { ...image, data: image.data.map((value, i) => (brain.data[i] !== 0 ? value : 0)) }
  }
  const [rights, strangers]: number[][] = [[], []]
  for (const [i, { id, fixed, moving }] of pairs.entries()) {
    const line: string[] = []
    for (const [a, b] of [
      [fixed, await strip(moving)],
      [await strip(fixed), moving],
    ]) {
      const { map } = await register(a, b, { dof: 6 })
      rights.push(await registrationCheck(a, b, map))
      line.push(column(apart(around(bright(fixed), 65), map, truths[i])), column(rights[rights.length - 1], 3))
    }
    console.log(id.padEnd(20), ...line)
  }
  for (const { flair } of labelledCases()) {
    const fixed = await load(flair)
    for (const { moving } of pairs.filter(({ id }) => id.endsWith('T1w')))
      strangers.push(await registrationCheck(fixed, moving, (await register(fixed, moving, { dof: 6 })).map))
  }
  console.log(
    `right ≥ ${Math.min(...rights).toFixed(3)}, other people ≤ ${Math.max(...strangers).toFixed(3)} (${strangers.length} pairings)`,
  )
}

/** Tabriz numbers sub-06 and sub-09 as two people; their images show one brain. */
function samePerson(a: string, b: string): boolean {
  return a === b || (['tb06', 'tb09'].includes(a) && ['tb06', 'tb09'].includes(b))
}

async function timed<T>(work: () => Promise<T>): Promise<[T, number]> {
  const started = performance.now()
  return [await work(), (performance.now() - started) / 1000]
}

/** Every eighth bright voxel of every second slice, in mm. */
function bright({ dims: [nx, ny, nz], affine, data: values }: Image): Vec3[] {
  const [threshold] = percentiles({ dims: [nx, ny, nz], affine, data: values }, [60])
  const points: Vec3[] = []
  const step = Math.max(1, Math.round(nz / 24))
  for (let k = 0; k < nz; k += step)
    for (let j = 0; j < ny; j += 8)
      for (let i = 0; i < nx; i += 8)
        if (values[i + nx * (j + ny * k)] > threshold) points.push(apply(affine, [i, j, k]))
  return points
}

/** Points within `mm` of the middle of the upper 15 cm: about those of the brain. */
function around(points: Vec3[], mm: number): Vec3[] {
  const top = points.reduce((most, p) => Math.max(most, p[2]), Number.NEGATIVE_INFINITY)
  const upper = points.filter((p) => p[2] > top - 150)
  const middle = ([0, 1] as const).map((axis) => {
    const sorted = upper.map((p) => p[axis]).sort((a, b) => a - b)
    return (sorted[Math.floor(0.02 * sorted.length)] + sorted[Math.floor(0.98 * sorted.length)]) / 2
  })
  return points.filter((p) => Math.hypot(p[0] - middle[0], p[1] - middle[1], p[2] - (top - 75)) < mm)
}

/** Mean distance between where two maps take points. */
function apart(points: Vec3[], a: Affine, b: Affine): number {
  let sum = 0
  for (const p of points) {
    const [u, v] = [apply(a, p), apply(b, p)]
    sum += Math.hypot(u[0] - v[0], u[1] - v[1], u[2] - v[2])
  }
  return sum / points.length
}

function brainOnly({ t1, t1Brain }: Atlas): Image {
  return { ...t1, data: t1.data.map((value, i) => (t1Brain.data[i] !== 0 ? value : 0)) }
}

function scales(map: Affine): string {
  return voxelSizes(map)
    .map((s) => s.toFixed(2))
    .join('/')
}

function column(value: number, decimals = 2, width = 7): string {
  return value.toFixed(decimals).padStart(width)
}
