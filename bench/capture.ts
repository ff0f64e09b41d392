// Rigid registration of the six raw pairs of ljubljana-long, as given and from known random moves, and of 1 mm scans:
//   error against the authors' transforms over the middle half of the FLAIR grid (also against their rigid part);
//   how far the two directions of a registration are from each other's inverse;
//   four stripped pairs of 1 mm that their centres aligned, T1w moved by 6° and 10 mm: distance to the known move;
//   50 starts of up to 40° and 60 mm, all to be recovered: distance to the map found without the move;
// beside elastix and ANTs where they are installed (bench/peers/install.sh), with as many threads.
//
//   npm run bench:capture [-- --seeds 50 --threads 2 --ants --json]
//
// --ants: ANTs too, which takes minutes.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { Matrix, SingularValueDecomposition } from 'ml-matrix'
import { readItkAffine } from '../src/formats/itk.js'
import { readNifti, writeNifti } from '../src/formats/nifti.js'
import { setThreads } from '../src/kernels/index.js'
import { register } from '../src/preprocess/register.js'
import { seededRandom } from '../src/random.js'
import { type Affine, apply, compose, identity, translation, type Vec3 } from '../src/volume/affine.js'
import { rigidExp } from '../src/volume/rigid.js'
import type { Image } from '../src/volume/volume.js'
import { runPeer } from './peer.js'

const { values: options } = parseArgs({
  options: {
    seeds: { type: 'string', default: '50' },
    threads: { type: 'string', default: '2' },
    ants: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
})
const shared = fileURLToPath(new URL('../../shared/data/', import.meta.url))
const data = `${shared}ljubljana-long/`
if (!existsSync(data)) {
  console.log('No ljubljana-long here (../shared/data): nothing measured.')
  process.exit(0)
}
setThreads(Number(options.threads))
const say = (line: string) => (options.json ? undefined : console.log(line))

const mean = (values: number[]) => values.reduce((sum, v) => sum + v, 0) / values.length
const visits = [
  ['sub-01', 'ses-1', 'T1w'],
  ['sub-01', 'ses-1', 'T2w'],
  ['sub-01', 'ses-2', 'T1w'],
  ['sub-01', 'ses-2', 'T2w'],
  ['sub-03', 'ses-2', 'T1w'],
  ['sub-19', 'ses-2', 'T1w'],
] as const
const file = (subject: string, session: string, kind: string) =>
  `${data}${subject}/${session}/anat/${subject}_${session}_${kind}.nii.gz`
const clinical = visits.map(([subject, session, kind]) => ({
  fixed: file(subject, session, 'FLAIR'),
  moving: file(subject, session, kind),
}))
const load = async (path: string): Promise<Image> => (await readNifti(readFileSync(path), path)).image

const pairs: { id: string; fixed: Image; moving: Image; map: Affine; truth: Affine; points: Vec3[] }[] = []
const errors: { id: string; mm: number; rigidPartMm: number; inverseMm: number; seconds: number }[] = []
say('pair                  error  to the rigid part  there and back  seconds')
for (const [subject, session, kind] of visits) {
  const [fixed, moving] = [await load(file(subject, session, 'FLAIR')), await load(file(subject, session, kind))]
  const path = `${data}derivatives/authors/${subject}/${session}/from-FLAIR_to-${kind}.txt`
  const truth = readItkAffine(readFileSync(path, 'utf8'), path)
  const points = middleHalf(fixed)
  const started = performance.now()
  const { map } = await register(fixed, moving, { dof: 6 })
  const seconds = (performance.now() - started) / 1000
  const back = await register(moving, fixed, { dof: 6 })
  const id = `${subject} ${session} ${kind}`
  const error = {
    id,
    mm: apart(points, map, truth),
    rigidPartMm: apart(points, map, rigidPart(truth, points)),
    inverseMm: apart(points, compose(back.map, map), identity),
    seconds,
  }
  errors.push(error)
  say(
    `${id.padEnd(20)} ${fixedTo(error.mm)} ${fixedTo(error.rigidPartMm, 12)} ${fixedTo(error.inverseMm, 15)} ${fixedTo(seconds, 14)}`,
  )
  pairs.push({ id, fixed, moving, map, truth, points })
}
const [average, worst] = [mean(errors.map((e) => e.mm)), Math.max(...errors.map((e) => e.mm))]
say(`mean ${fixedTo(average)} (asked 0.42), worst ${fixedTo(worst)} (asked 0.60)`)

const own = mean(errors.map((e) => e.seconds))
const peers = besidePeers(
  pairs.map(({ truth, points }, i) => ({ ...clinical[i], truth, points })),
  own,
)

say('\n1 mm, T1w moved by 6° and 10 mm          error  seconds')
const scratch = mkdtempSync(`${tmpdir()}/capture-`)
const fine: {
  id: string
  fixed: string
  moving: string
  truth: Affine
  points: Vec3[]
  mm: number
  seconds: number
}[] = []
for (const [n, id] of [
  'ljubljana/sub-07',
  'ljubljana/sub-19',
  'mslesseg/sub-14/ses-1',
  'mslesseg/sub-18/ses-1',
].entries()) {
  const [, subject, session] = id.split('/')
  const stem = `${shared}${id}/anat/${[subject, session].filter(Boolean).join('_')}_space-MNI152_`
  const [fixed, still] = [await load(`${stem}FLAIR.nii.gz`), await load(`${stem}T1w.nii.gz`)]
  const truth = randomMove(100 + n, 6, 10, apply(fixed.affine, fixed.dims.map((size) => size / 2) as unknown as Vec3))
  const moving = { ...still, affine: compose(truth, still.affine) }
  const path = `${scratch}/${n}.nii.gz`
  writeFileSync(path, await writeNifti(moving, { level: 1 }))
  const points = middleHalf(fixed)
  const started = performance.now()
  const { map } = await register(fixed, moving, { dof: 6 })
  const seconds = (performance.now() - started) / 1000
  const mm = apart(points, map, truth)
  fine.push({ id, fixed: `${stem}FLAIR.nii.gz`, moving: path, truth, points, mm, seconds })
  say(`${id.padEnd(38)} ${fixedTo(mm)} ${fixedTo(seconds)}`)
}
const oneMm = {
  average: mean(fine.map(({ mm }) => mm)),
  worst: Math.max(...fine.map(({ mm }) => mm)),
  seconds: mean(fine.map(({ seconds }) => seconds)),
  peers: {} as Record<string, PeerFigures>,
}
oneMm.peers = besidePeers(fine, oneMm.seconds)
rmSync(scratch, { recursive: true })

say(`\n${options.seeds} random moves of up to 40° and 60 mm: distance in mm to the map found without the move`)
const captured: { id: string; degrees: number; millimetres: number; mm: number; seconds: number }[] = []
for (let seed = 1; seed <= Number(options.seeds); seed++) {
  const { id, fixed, moving, map, points } = pairs[seed % pairs.length]
  const random = seededRandom(seed)
  const [degrees, millimetres] = [40 * random(), 60 * random()]
  const move = randomMove(1000 + seed, degrees, millimetres, apply(map, points[points.length >> 1]))
  const started = performance.now()
  const found = await register(fixed, { ...moving, affine: compose(move, moving.affine) }, { dof: 6 })
  const one = {
    id,
    degrees,
    millimetres,
    mm: apart(points, found.map, compose(move, map)),
    seconds: (performance.now() - started) / 1000,
  }
  captured.push(one)
  say(
    `${String(seed).padStart(3)} ${id.padEnd(20)} ${degrees.toFixed(0).padStart(3)}° ${millimetres.toFixed(0).padStart(3)} mm ${fixedTo(one.mm)} ${fixedTo(one.seconds)} s`,
  )
}
const recovered = captured.filter(({ mm }) => mm < 1).length
const worstStart = Math.max(...captured.map(({ mm }) => mm))
say(`recovered to 1 mm: ${recovered} of ${captured.length}; worst ${fixedTo(worstStart)} mm`)
if (options.json)
  console.log(
    JSON.stringify({
      errors,
      average,
      worst,
      seconds: own,
      peers,
      oneMm,
      captured: captured.length,
      recovered,
      worstStart,
    }),
  )
process.exit(0)

interface PeerFigures {
  average: number
  worst: number
  seconds: number
  ratio: number
}

/** The peers on the same files: distance to the truth, and how many times as long they take. */
function besidePeers(
  some: readonly { fixed: string; moving: string; truth: Affine; points: Vec3[] }[],
  ourSeconds: number,
): Record<string, PeerFigures> {
  const answer = runPeer<{ pairs: Record<string, { map: number[]; seconds: number }>[] }>('registration.py', {
    threads: Number(options.threads),
    ants: options.ants,
    pairs: some.map(({ fixed, moving }) => ({ fixed, moving })),
  })
  if (!answer) say('elastix and ANTs are not installed here (bench/peers/install.sh): not compared')
  const figures: Record<string, PeerFigures> = {}
  for (const tool of Object.keys(answer?.pairs[0] ?? {})) {
    const found = answer!.pairs.map((pair) => pair[tool])
    // LPS to RAS: x and y change sign on both sides.
    const flip = [-1, -1, 1, 1]
    const mm = found.map(({ map }, i) =>
      apart(
        some[i].points,
        map.map((value, at) => value * flip[at >> 2] * flip[at & 3]),
        some[i].truth,
      ),
    )
    const seconds = mean(found.map((one) => one.seconds))
    figures[tool] = { average: mean(mm), worst: Math.max(...mm), seconds, ratio: seconds / ourSeconds }
    say(
      `${tool.padEnd(8)} mean ${fixedTo(mean(mm))}, worst ${fixedTo(Math.max(...mm))}; ${fixedTo(seconds)} s a pair, ours ${fixedTo(ourSeconds)} s: ${(seconds / ourSeconds).toFixed(1)} times as long`,
    )
  }
  return figures
}

/** A turn of so many degrees about a random axis through `centre`, and a shift of so many mm in a random direction. */
function randomMove(seed: number, degrees: number, millimetres: number, centre: Vec3): Affine {
  const random = seededRandom(seed)
  const direction = () => {
    const v = [random() - 0.5, random() - 0.5, random() - 0.5]
    const length = Math.hypot(...v)
    return v.map((x) => x / length)
  }
  const turn = direction().map((x) => (x * degrees * Math.PI) / 180)
  const shift = direction().map((x) => x * millimetres)
  return compose(
    translation(shift as unknown as Vec3),
    translation(centre),
    rigidExp([turn[0], turn[1], turn[2], 0, 0, 0]),
    translation(centre.map((x) => -x) as unknown as Vec3),
  )
}

/** Points of the middle half of a grid, along each axis, in mm. */
function middleHalf({ dims, affine }: Image): Vec3[] {
  const points: Vec3[] = []
  const at = (n: number, i: number) => (n - 1) * (0.25 + (0.5 * i) / 8)
  for (let k = 0; k <= 8; k++)
    for (let j = 0; j <= 8; j++)
      for (let i = 0; i <= 8; i++) points.push(apply(affine, [at(dims[0], i), at(dims[1], j), at(dims[2], k)]))
  return points
}

/** The rigid map closest to an affine one, at the middle of the points (polar decomposition). */
function rigidPart(map: Affine, points: Vec3[]): Affine {
  const linear = new Matrix([0, 1, 2].map((r) => [0, 1, 2].map((c) => map[4 * r + c])))
  const svd = new SingularValueDecomposition(linear)
  const r = svd.leftSingularVectors.mmul(svd.rightSingularVectors.transpose()).to2DArray()
  const centre = [0, 1, 2].map((axis) => mean(points.map((p) => p[axis]))) as unknown as Vec3
  const to = apply(map, centre)
  const rows = r.map((row, i) => [...row, to[i] - row.reduce((sum, v, c) => sum + v * centre[c], 0)])
  return [...rows.flat(), 0, 0, 0, 1]
}

/** Mean distance between where two maps take points. */
function apart(points: Vec3[], a: Affine, b: Affine): number {
  return mean(
    points.map((p) => {
      const [u, v] = [apply(a, p), apply(b, p)]
      return Math.hypot(u[0] - v[0], u[1] - v[1], u[2] - v[2])
    }),
  )
}

function fixedTo(value: number, width = 7): string {
  return value.toFixed(2).padStart(width)
}
