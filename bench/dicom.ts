// From the scanner's files to the archive's, on whole heads: real scans of ../shared/data written as classic MR series with
// made-up headers, then `import-dicom` → `segment` → `export-dicom`, as a user runs them.
//
//   npm run bench:dicom -- [--only ID …]
//
// Prints for each scan: what the series were taken for; voxels of the imported FLAIR that are not those of the scan at the
// same place; Dice of the mask with that of `segment` on the scan itself; seconds of each step; then what dciodvfy and
// highdicom and dcmqi say of the objects (bench/peers/dicom.sh, where dciodvfy is installed).
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { overlap } from '../src/evaluate/overlap.js'
import { readNifti, readNiftiMask } from '../src/formats/nifti.js'
import type { ImportDicomResult } from '../src/run/import-dicom.js'
import { apply, invert, type Vec3, voxelSizes } from '../src/volume/affine.js'
import { percentiles } from '../src/volume/histogram.js'
import { resample, resampleMask } from '../src/volume/resample.js'
import type { Image } from '../src/volume/volume.js'
import { flairRecipe, mprageRecipe, mrSeries, type SeriesRecipe } from '../test/formats/dicom/series.js'
import { labelledCases } from './cases.js'

const { values } = parseArgs({ options: { only: { type: 'string', multiple: true, default: ['tb01', 'ms14v1'] } } })
const root = fileURLToPath(new URL('..', import.meta.url))
const cases = labelledCases().filter(({ id }) => values.only.includes(id))
if (cases.length === 0) {
  console.log('No labelled scans here (../shared/data): nothing measured.')
  process.exit(0)
}
let failed = false
const folder = mkdtempSync(join(tmpdir(), 'bench-dicom-'))
try {
  for (const { id, flair, t1 } of cases) {
    const [cd, bids, result, direct, objects] = ['cd', 'bids', 'result', 'direct', 'objects'].map((name) =>
      join(folder, id, name),
    )
    mkdirSync(cd, { recursive: true })
    const scan = await readImage(flair)
    // Pixels are whole numbers, as a scanner's are.
    const scale = 1000 / percentiles(scan, [99.5])[0]
    const whole: Image = { ...scan, data: scan.data.map((v) => Math.max(0, Math.round(v * scale))) }
    writeSeries(cd, 'flair', whole, { ...flairRecipe, acquisition: '3D' })
    const other = await readImage(t1)
    const brightest = 1000 / percentiles(other, [99.5])[0]
    const written = { ...other, data: other.data.map((v) => Math.max(0, Math.round(v * brightest))) }
    writeSeries(cd, 't1', written, { ...mprageRecipe, size: undefined, origin: undefined })

    const imported = run('import-dicom', cd, '--out', bids, '--json')
    const { series } = JSON.parse(imported.stdout) as ImportDicomResult
    const anat = join(bids, 'sub-001', 'anat')
    const [flairOf, t1Of] = ['FLAIR', 'T1w'].map((suffix) => join(anat, `sub-001_${suffix}.nii.gz`))
    const back = await resample(await readImage(flairOf), whole, { method: 'nearest' })
    const wrong = back.data.reduce((n, v, at) => n + (v === whole.data[at] ? 0 : 1), 0)
    const segmented = run('segment', '--flair', flairOf, '--t1', t1Of, '--out', result, '--pdf', '--quiet')
    run('segment', '--flair', flair, '--t1', t1, '--out', direct, '--quiet')
    const [ours, theirs] = await Promise.all(
      [result, direct].map(async (one) => {
        const path = join(one, 'lesion_mask.nii.gz')
        return await resampleMask(await readNiftiMask(readFileSync(path), path), whole)
      }),
    )
    const exported = run('export-dicom', result, '--dicom', cd, '--out', objects, '--json')
    const { dice } = overlap(ours, theirs)
    console.log(
      `${id}: taken as ${series.map(({ role, images }) => `${role} (${images} images)`).join(', ')}; ${wrong} of ${whole.data.length} voxels differ; Dice with the mask of the scan itself ${dice.toFixed(4)}; import ${imported.seconds}, segment ${segmented.seconds}, export ${exported.seconds} s`,
    )
    if (wrong > 0 || !(dice > 0.95)) failed = true
    if (spawnSync('dciodvfy', ['-version']).error) {
      console.log('  dciodvfy is not installed (dicom3tools): objects not judged')
      continue
    }
    const judged = spawnSync('sh', [`${root}bench/peers/dicom.sh`, objects, cd], { encoding: 'utf8' })
    console.log(judged.stdout.replaceAll(/^/gm, '  ').trimEnd())
    if (judged.status !== 0) {
      failed = true
      console.log(judged.stderr.trimEnd())
    }
  }
} finally {
  rmSync(folder, { recursive: true, force: true })
}
process.exit(failed ? 1 : 0)

async function readImage(path: string): Promise<Image> {
  return (await readNifti(readFileSync(path), path)).image
}

/** Axial as stored: columns along the first axis of the image, rows along the second, slices along the third. */
function writeSeries(out: string, name: string, image: Image, recipe: SeriesRecipe): void {
  const { dims, affine } = image
  const sizes = voxelSizes(affine) as Vec3
  const direction = (axis: number) =>
    [-1, -1, 1].map((sign, world) => (sign * affine[4 * world + axis]) / sizes[axis]) as unknown as Vec3
  const [row, column, through] = [0, 1, 2].map(direction)
  const normal: Vec3 = [
    row[1] * column[2] - row[2] * column[1],
    row[2] * column[0] - row[0] * column[2],
    row[0] * column[1] - row[1] * column[0],
  ]
  // Slices follow the normal; an image whose third axis runs against it begins at its other end.
  const along = normal.reduce((sum, v, i) => sum + v * through[i], 0) > 0
  const [x, y, z] = apply(affine, [0, 0, along ? 0 : dims[2] - 1])
  const toVoxel = invert(affine)
  const files = mrSeries({
    ...recipe,
    size: dims,
    spacing: sizes,
    row,
    column,
    origin: [-x, -y, z],
    value: (ras) => {
      const [i, j, k] = apply(toVoxel, ras as Vec3).map(Math.round)
      return image.data[i + dims[0] * (j + dims[1] * k)]
    },
  })
  files.forEach((bytes, n) => {
    writeFileSync(join(out, `${name}-${String(n).padStart(4, '0')}.dcm`), bytes)
  })
}

function run(...args: string[]): { stdout: string; seconds: string } {
  const started = performance.now()
  const { status, stdout, stderr } = spawnSync(process.execPath, [`${root}dist/cli/main.js`, ...args], {
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  })
  if (status !== 0) throw new Error(`${args[0]} ended with ${status}: ${stderr}`)
  return { stdout, seconds: ((performance.now() - started) / 1000).toFixed(1) }
}
