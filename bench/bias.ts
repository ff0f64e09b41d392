// Bias-field correction, ours and that of ITK and ANTs, at the same settings: four levels of up to 50 iterations, tolerance
// 0.001, shrunk to 4 mm. Known fields of several shapes and 20–40 % on a bias-free T1 and FLAIR painted from ICBM152's tissue
// maps (1 mm, Rician noise 3 of white matter 100), and real images, whose field nobody knows. RMS of the ratio to the
// true field, and to ITK's, in the mask after scaling (%); seconds with one and two threads.
//
//   npm run bench:bias -- [--json] [--ours] [--one]
//
// --ours leaves the peers out; --one measures the first case only.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { readNifti } from '../src/formats/nifti.js'
import { writeNifti } from '../src/formats/nifti-write.js'
import { setThreads } from '../src/kernels/index.js'
import { n3, n4 } from '../src/preprocess/bias.js'
import { gaussianRandom, seededRandom } from '../src/random.js'
import { type Image, type Mask, maskWhere } from '../src/volume/volume.js'
import { sharedData } from '../test/shared-data.js'
import { peersInstalled, runPeer } from './peer.js'

interface Row {
  case: string
  tool: string
  threads: number
  seconds: number
  /** RMS of the ratio to the true field and to ITK's, in per cent; undefined where there is none. */
  truth?: number
  itk?: number
}

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    ours: { type: 'boolean', default: false },
    one: { type: 'boolean', default: false },
  },
})
const settings = { levels: 4, iterations: 50, tolerance: 1e-3 }
const withPeers = !values.ours && peersInstalled()
const rows: Row[] = []
const versions: Record<string, string> = {}
if (sharedData('templates') === undefined) {
  console.log('No templates here (../shared/data): nothing measured.')
  process.exit(0)
}
if (!values.json) console.log('RMS of the ratio to the true field and to ITK’s (%), seconds')

/** Shapes over −1 … 1 along each axis of the head; largest value about 1. */
const shapes: Record<string, (x: number, y: number, z: number) => number> = {
  slope: (x, y, z) => 0.6 * x + 0.6 * y - 0.4 * z,
  bowl: (x, y, z) => x * x + 0.8 * y * y + 0.6 * z * z - 0.8,
  coil: (x, y, z) => 2 * Math.exp(-((x - 0.8) ** 2 + (y + 0.6) ** 2 + (z - 0.4) ** 2) / 0.9) - 0.5,
  waves: (x, y, z) => 0.6 * Math.sin(2.4 * x + 0.5) + 0.5 * Math.cos(2.8 * y) * Math.cos(1.5 * z),
}
const plan: [contrast: 't1' | 'flair', shape: string, strength: number][] = [
  ['t1', 'slope', 0.2],
  ['t1', 'bowl', 0.3],
  ['t1', 'coil', 0.4],
  ['flair', 'waves', 0.2],
]
for (const [contrast, shape, strength] of values.one ? plan.slice(0, 1) : plan) {
  const { image, mask } = await painted(contrast)
  const [nx, ny, nz] = image.dims
  const truth = image.data.map((_, at) => {
    const [i, j, k] = [at % nx, Math.floor(at / nx) % ny, Math.floor(at / (nx * ny))]
    const log = shapes[shape]((2 * i) / nx - 1, (2 * j) / ny - 1, (2 * k) / nz - 1)
    return Math.log(1 + strength * Math.max(-1, Math.min(1, log)))
  })
  const biased = { ...image, data: image.data.map((v, i) => v * Math.exp(truth[i])) }
  await measure(`${contrast} ${shape} ${100 * strength} %`, biased, mask, truth)
}
for (const [name, path] of [
  ['lj07 T1', 'ljubljana/sub-07/anat/sub-07_space-MNI152_T1w.nii.gz'],
  ['ml18 FLAIR', 'mslesseg/sub-18/ses-1/anat/sub-18_ses-1_space-MNI152_FLAIR.nii.gz'],
] as const) {
  const file = sharedData(path)
  if (!file || values.one) continue
  const { image } = await readNifti(readFileSync(file), file)
  await measure(
    name,
    image,
    maskWhere(image, (v) => v > 0),
  )
}
if (values.json) console.log(JSON.stringify({ versions, rows }, null, 1))
process.exit(0)

async function measure(name: string, image: Image, mask: Mask, truth?: Float32Array): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'lesionwise-bias-'))
  try {
    const paths = { image: join(folder, 'image.nii.gz'), mask: join(folder, 'mask.nii.gz') }
    writeFileSync(paths.image, await writeNifti(image, { level: 1 }))
    writeFileSync(paths.mask, await writeNifti(mask, { level: 1 }))
    let itk: Float32Array | undefined
    for (const threads of [1, 2]) {
      setThreads(threads)
      const job = { ...settings, ...paths, out: folder, threads, shrink: 4, ants: threads === 2 }
      const peer = withPeers
        ? runPeer<{ seconds: Record<string, number>; versions: Record<string, string> }>('bias.py', job)
        : undefined
      Object.assign(versions, peer?.versions)
      const fieldOf = async (file: string) =>
        (await readNifti(readFileSync(join(folder, file)), file)).image.data as Float32Array
      if (peer) itk = await fieldOf('itk.nii')
      const add = (tool: string, field: Float32Array, seconds: number) =>
        report({
          case: name,
          tool,
          threads,
          seconds,
          truth: truth && disagreement(field, truth, mask),
          itk: itk && tool !== 'ITK N4' ? disagreement(field, itk, mask) : undefined,
        })
      for (const [tool, seconds] of Object.entries(peer?.seconds ?? {}))
        add(tool, await fieldOf(tool.startsWith('ITK') ? 'itk.nii' : 'ants.nii'), seconds)
      const own = {
        n4: () => n4(image, mask, settings),
        'n4, lesion-aware': () => n4(image, mask, { ...settings, lesionAware: true }),
        n3: () => n3(image, mask),
      }
      for (const [tool, work] of Object.entries(own)) {
        let best = Number.POSITIVE_INFINITY
        let field = new Float32Array()
        // The second run is the first without compiling.
        for (let run = 0; run < 2; run++) {
          const started = performance.now()
          field = (await work()).logField.data as typeof field
          best = Math.min(best, (performance.now() - started) / 1000)
        }
        add(tool, field, best)
      }
    }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function report(row: Row): void {
  rows.push(row)
  if (values.json) return
  const show = (v: number | undefined, digits: number) => (v === undefined ? '–' : v.toFixed(digits)).padStart(8)
  console.log(
    row.case.padEnd(18),
    row.tool.padEnd(18),
    row.threads,
    show(row.truth, 2),
    show(row.itk, 2),
    show(row.seconds, 2),
  )
}

/** RMS of the ratio of two fields, scaled to a mean of 1, less 1: in per cent. */
function disagreement(a: Float32Array, b: Float32Array, mask: Mask): number {
  let [n, sum, squares] = [0, 0, 0]
  for (let i = 0; i < a.length; i++) {
    if (mask.data[i] === 0) continue
    const ratio = Math.exp(a[i] - b[i])
    n++
    sum += ratio
    squares += ratio * ratio
  }
  const mean = sum / n
  return (100 * Math.sqrt(Math.max(0, squares / n - mean * mean))) / mean
}

/** Tissue maps of ICBM152 2009a as an image: white matter 100 (T1), 75 (FLAIR). */
async function painted(contrast: 't1' | 'flair'): Promise<{ image: Image; mask: Mask }> {
  const means = { t1: [28, 65, 100], flair: [20, 95, 75] }[contrast]
  const maps: Image[] = []
  for (const tissue of ['csf_tal_nlin_sym_09a', 'gm_tal_nlin_sym_09a_converted', 'wm_tal_nlin_sym_09a_converted']) {
    const file = sharedData(`templates/icbm152_sym09a/mni_icbm152_${tissue}.nii.gz`)
    if (!file || !existsSync(file)) throw new Error(`no ${tissue} in ../shared/data/templates/icbm152_sym09a`)
    maps.push((await readNifti(readFileSync(file), file)).image as Image)
  }
  const normal = gaussianRandom(seededRandom(1))
  const [csf, gm, wm] = maps
  const total = csf.data.map((v, i) => v + gm.data[i] + wm.data[i])
  const mask = maskWhere({ ...csf, data: total }, (v) => v > 0.5)
  const data = total.map((all, i) => {
    const value = means[0] * csf.data[i] + means[1] * gm.data[i] + means[2] * wm.data[i]
    return mask.data[i] === 0 ? 0 : Math.hypot(value / all + 3 * normal(), 3 * normal())
  })
  return { image: { dims: csf.dims, affine: csf.affine, data }, mask }
}
