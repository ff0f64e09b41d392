// Lesion filling: seconds on a scan of each centre (expert's mask, everything included: reading, white matter, filling,
// writing), and the filled region beside the normal white matter within 6 mm of it: mean, standard deviation about the local
// mean. `before` and `rim` are the lesion's own mean, and that of the voxels it is grown by, over that of the white matter.
// For the pictures: --figure FOLDER. --mirror fills healthy white matter too, where the lesions' mirror images lie in MNI152
// (not tabriz), and gives the mean of the filled voxels over what was there.
//
//   npm run bench:fill -- [--json] [--grow N] [--mirror] [--only ID] [--figure FOLDER]
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { encode } from 'fast-png'
import { readNifti, readNiftiMask, writeNifti } from '../src/formats/nifti.js'
import { growThin } from '../src/lesions/fill.js'
import { inVoxels } from '../src/preprocess/space.js'
import { fillFiles } from '../src/run/fill.js'
import { resample, resampleMask } from '../src/volume/resample.js'
import { type Image, type Mask, maskWhere, volumeMl, voxelsIn } from '../src/volume/volume.js'
import { labelledCases } from './cases.js'

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    grow: { type: 'string', default: '1' },
    mirror: { type: 'boolean', default: false },
    only: { type: 'string' },
    figure: { type: 'string' },
  },
})
const wanted = values.only === undefined ? ['lj07', 'ms14v1', 'tb01'] : [values.only]
const cases = labelledCases().filter(({ id }) => wanted.includes(id))
if (cases.length === 0) {
  console.log('No labelled scans here (../shared/data): nothing measured.')
  process.exit(0)
}
const folder = mkdtempSync(join(tmpdir(), 'bench-fill-'))
const rows: Record<string, number | string | boolean>[] = []
for (const { id, centre, flair, t1, mask } of cases) {
  const out = join(folder, `${id}.nii.gz`)
  // The mask of these scans was drawn on the FLAIR.
  const result = await fillFiles({ t1, lesionMask: mask, flair, out, grow: Number(values.grow) })
  const before = (await readNifti(readFileSync(t1), t1)).image
  const after = (await readNifti(readFileSync(out), out)).image
  let changed = 0
  for (let i = 0; i < before.data.length; i++) if (before.data[i] !== after.data[i]) changed++
  rows.push({
    scan: id,
    centre,
    voxels: before.dims.join('×'),
    filledMl: result.filledMl,
    before: Number((result.meanBefore / result.meanAround).toFixed(3)),
    rim: Number((result.meanRim / result.meanAround).toFixed(3)),
    mean: result.meanRatio ?? Number.NaN,
    sd: result.sdRatio ?? Number.NaN,
    widened: result.widenedVoxels,
    othersSame: changed <= result.filledVoxels,
    seconds: result.seconds,
    ...(values.mirror && centre !== 'tabriz' ? await mirrored(t1, before, mask, result.meanAround) : {}),
  })
  if (values.figure) {
    mkdirSync(values.figure, { recursive: true })
    const lesions = await readNiftiMask(readFileSync(mask), mask)
    writeFileSync(join(values.figure, `${id}.png`), await picture(before, after, lesions))
  }
}
rmSync(folder, { recursive: true })
if (values.json) console.log(JSON.stringify(rows))
else console.table(rows)

/** Fills lesions and, of their mirror images, what is healthy white matter; the mean of the latter after and before. */
async function mirrored(
  t1: string,
  before: Image,
  mask: string,
  around: number,
): Promise<{ mirrored: number; ml: number }> {
  const lesions = await readNiftiMask(readFileSync(mask), mask)
  const near = growThin(lesions, 3)
  const [nx] = lesions.dims
  // x = 0 lies in column 90 of MNI152's 1 mm grid.
  const other = (i: number) => i - (i % nx) + Math.max(0, Math.min(nx - 1, 180 - (i % nx)))
  const healthy = maskWhere(lesions, (_, i) => {
    const white = before.data[i] > 0.88 * around
    return white && near.data[i] === 0 && lesions.data[other(i)] !== 0
  })
  const both = maskWhere(lesions, (v, i) => v !== 0 || healthy.data[i] !== 0)
  writeFileSync(join(folder, 'both.nii.gz'), await writeNifti(both))
  const out = join(folder, 'mirrored.nii.gz')
  await fillFiles({ t1, lesionMask: join(folder, 'both.nii.gz'), out, grow: Number(values.grow) })
  const after = (await readNifti(readFileSync(out), out)).image
  let [was, is] = [0, 0]
  for (const i of voxelsIn(healthy)) {
    was += before.data[i]
    is += after.data[i]
  }
  return { mirrored: Number((is / was).toFixed(4)), ml: Number(volumeMl(healthy).toFixed(2)) }
}

/** The slice of 1 mm with most lesion, before and after, and the lesions in white. */
async function picture(before: Image, after: Image, lesions: Mask): Promise<Uint8Array> {
  const grid = inVoxels(before, 1)
  const [a, b] = [await resample(before, grid), await resample(after, grid)]
  const m = await resampleMask(lesions, grid)
  const [nx, ny, nz] = grid.dims
  let [most, slice] = [-1, 0]
  for (let k = 0; k < nz; k++) {
    const n = m.data.subarray(k * nx * ny, (k + 1) * nx * ny).reduce((s, v) => s + v, 0)
    if (n > most) [most, slice] = [n, k]
  }
  const top = Float32Array.from(a.data.filter((v) => v > 0)).sort()
  const white = top[Math.floor(0.995 * top.length)]
  const zoom = 3
  const width = 3 * nx * zoom
  const data = new Uint8Array(width * ny * zoom)
  ;[a, b, m].forEach((volume, panel) => {
    for (let y = 0; y < ny * zoom; y++)
      for (let x = 0; x < nx * zoom; x++) {
        const v = volume.data[Math.floor(x / zoom) + nx * (ny - 1 - Math.floor(y / zoom) + ny * slice)]
        data[y * width + panel * nx * zoom + x] = Math.max(0, Math.min(255, panel === 2 ? 255 * v : (255 * v) / white))
      }
  })
  return encode({ width, height: ny * zoom, data, channels: 1, depth: 8 })
}
