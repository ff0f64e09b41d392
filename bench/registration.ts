// Rigid registration on the six raw pairs of ljubljana-long against the authors' transforms (mean displacement over the
// head), and the registration check on good pairs against other people's images and maps moved on purpose.
//
//   npm run bench:registration [-- --check]
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { readItkAffine } from '../src/formats/itk.js'
import { readNifti } from '../src/formats/nifti.js'
import { setThreads } from '../src/kernels/index.js'
import { register, registrationCheck } from '../src/preprocess/register.js'
import { type Affine, apply, compose, identity } from '../src/volume/affine.js'
import { percentiles } from '../src/volume/histogram.js'
import type { Image } from '../src/volume/volume.js'
import { labelledCases } from './cases.js'

const data = fileURLToPath(new URL('../../shared/data/ljubljana-long/', import.meta.url))
if (!existsSync(data)) {
  console.log('No ljubljana-long here (../shared/data): nothing measured.')
  process.exit(0)
}
setThreads(2)
const pairs = [
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

const maps = new Map<string, Affine>()
console.log('pair                      error mm   untouched mm   seconds   check')
for (const [subject, session, kind] of pairs) {
  const fixed = await anat(subject, session, 'FLAIR')
  const moving = await anat(subject, session, kind)
  const path = `${data}derivatives/authors/${subject}/${session}/from-FLAIR_to-${kind}.txt`
  const truth = readItkAffine(readFileSync(path, 'utf8'), path)
  const started = performance.now()
  const { map } = await register(fixed, moving, { dof: 6 })
  const seconds = (performance.now() - started) / 1000
  maps.set(`${subject} ${session} ${kind}`, map)
  const check = await registrationCheck(fixed, moving, map)
  console.log(
    `${subject} ${session} ${kind}`.padEnd(24),
    displacement(fixed, map, truth).toFixed(2).padStart(8),
    displacement(fixed, identity, truth).toFixed(2).padStart(14),
    seconds.toFixed(1).padStart(9),
    check.toFixed(3).padStart(7),
  )
}

if (process.argv.includes('--start')) {
  console.log('\nsub-01 ses-1 T1w, moved before the start')
  const fixed = await anat('sub-01', 'ses-1', 'FLAIR')
  const moving = await anat('sub-01', 'ses-1', 'T1w')
  const truth = maps.get('sub-01 ses-1 T1w')!
  for (const degrees of [10, 20, 40, 60])
    for (const axis of [0, 1, 2]) {
      const move = turn(axis, degrees)
      const { map } = await register(fixed, { ...moving, affine: compose(move, moving.affine) }, { dof: 6 })
      console.log(
        `turned ${degrees}° about ${'xyz'[axis]}`.padEnd(24),
        displacement(fixed, map, compose(move, truth)).toFixed(2).padStart(8),
      )
    }
}

if (process.argv.includes('--check')) {
  console.log('\ncheck of good pairs, and of the same pairs broken')
  const good: [string, Image, Image, Affine][] = []
  for (const [subject, session, kind] of pairs)
    good.push([
      `${subject} ${session} ${kind}`,
      await anat(subject, session, 'FLAIR'),
      await anat(subject, session, kind),
      maps.get(`${subject} ${session} ${kind}`)!,
    ])
  for (const { id, flair, t1 } of labelledCases()) good.push([id, await load(flair), await load(t1), identity])
  for (const [i, [name, fixed, moving, map]] of good.entries()) {
    const right = await registrationCheck(fixed, moving, map)
    // The next pair of another person: registered in earnest, it still shows somebody else.
    const [otherName, , stranger] = good[(i + 3) % good.length]
    const wrong = await registrationCheck(fixed, stranger, (await register(fixed, stranger, { dof: 6 })).map)
    const moved = await registrationCheck(fixed, moving, compose(turn(2, 8), map))
    console.log(
      `${name.padEnd(20)} right ${right.toFixed(3)}   with ${otherName.padEnd(18)} ${wrong.toFixed(3)}   turned by 8° ${moved.toFixed(3)}`,
    )
  }
}
process.exit(0)

/** Mean distance, over the bright voxels of the middle of the image, between where two maps take a point. */
function displacement(image: Image, a: Affine, b: Affine): number {
  const [threshold] = percentiles(image, [60])
  const [nx, ny, nz] = image.dims
  let [sum, n] = [0, 0]
  for (let k = 0; k < nz; k += 2)
    for (let j = 0; j < ny; j += 8)
      for (let i = 0; i < nx; i += 8) {
        if (image.data[i + nx * (j + ny * k)] < threshold) continue
        const p = apply(image.affine, [i, j, k])
        const [u, v] = [apply(a, p), apply(b, p)]
        sum += Math.hypot(u[0] - v[0], u[1] - v[1], u[2] - v[2])
        n++
      }
  return sum / n
}

/** Rotation of the world about its origin. */
function turn(axis: number, degrees: number): Affine {
  const [c, s] = [Math.cos((degrees * Math.PI) / 180), Math.sin((degrees * Math.PI) / 180)]
  const [u, v] = [(axis + 1) % 3, (axis + 2) % 3]
  const m = [...identity]
  m[5 * u] = c
  m[5 * v] = c
  m[4 * u + v] = -s
  m[4 * v + u] = s
  return m
}
