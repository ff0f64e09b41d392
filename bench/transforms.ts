// Transform files both ways between us and ITK (SimpleITK, bench/peers/install.sh): the same points must map to the same place
// within 0.001 mm. Ours: a rigid map, an affine one, and a pair written by `preprocess`; theirs: all kinds of linear
// transform, as .txt, .tfm and ANTs' .mat.
//
//   npm run bench:transforms [-- --json]
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readItkAffine, writeItkAffine } from '../src/formats/itk.js'
import { readItkMat } from '../src/formats/itk-mat.js'
import { seededRandom } from '../src/random.js'
import { type Affine, apply, compose, scaling, type Vec3 } from '../src/volume/affine.js'
import { rigidExp } from '../src/volume/rigid.js'
import { runPeer } from './peer.js'

const folder = mkdtempSync(join(tmpdir(), 'lesionwise-transforms-'))
const random = seededRandom(3)
const within = (reach: number) => (random() - 0.5) * 2 * reach
const points: Vec3[] = Array.from({ length: 50 }, () => [within(120), within(120), within(120)])
const lps = ([x, y, z]: readonly number[]): Vec3 => [-x, -y, z]
const maps: Affine[] = Array.from({ length: 20 }, (_, i) => {
  const rigid = rigidExp([within(1), within(1), within(1), within(80), within(80), within(80)])
  return i % 2 === 0 ? rigid : compose(rigid, scaling([1 + within(0.2), 1 + within(0.2), 1 + within(0.2)]))
})
const files = maps.map((map, i) => {
  const path = join(folder, `ours-${i}.txt`)
  writeFileSync(path, writeItkAffine(map))
  return path
})
const answer = runPeer<{ ours: Vec3[][]; theirs: { path: string; points: Vec3[] }[] }>('transforms.py', {
  files,
  points: points.map(lps),
  folder,
})
if (!answer) {
  console.log('SimpleITK is not installed here (bench/peers/install.sh): nothing measured.')
  process.exit(0)
}
const apart = (map: Affine, taken: readonly Vec3[]) =>
  Math.max(...points.map((p, i) => Math.hypot(...apply(map, p).map((v, axis) => v - lps(taken[i])[axis]))))
const readByItk = Math.max(...answer.ours.map((taken, i) => apart(maps[i], taken)))
const readByUs = answer.theirs.map(({ path, points: taken }) => {
  const map = path.endsWith('.mat')
    ? readItkMat(readFileSync(path), path)
    : readItkAffine(readFileSync(path, 'utf8'), path)
  return { file: path.slice(folder.length + 1), mm: apart(map, taken) }
})
rmSync(folder, { recursive: true })
const worst = Math.max(...readByUs.map(({ mm }) => mm))
if (process.argv.includes('--json')) console.log(JSON.stringify({ readByItk, readByUs: worst }))
else {
  console.log(`${files.length} files of ours, read by ITK: at most ${readByItk.toExponential(1)} mm apart (asked 1e-3)`)
  for (const { file, mm } of readByUs) console.log(`  ${file.padEnd(16)} read by us: ${mm.toExponential(1)} mm`)
  console.log(`${readByUs.length} files of ITK, read by us: at most ${worst.toExponential(1)} mm apart (asked 1e-3)`)
}
process.exitCode = readByItk < 1e-3 && worst < 1e-3 ? 0 : 1
