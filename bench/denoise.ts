// Denoising, ours and that of dipy (non-local means, block-wise and classic, same patch and search radius) and of SimpleITK
// (gradient and curvature anisotropic diffusion), of real images with noise added: Gaussian or Rician, 3 and 6 % of the
// 95th percentile. PSNR (dB) and SSIM (7³ boxes) to the image as it was, within the brain; seconds; peak memory in MB of
// the process so far. The images hold noise of their own, which is part of the reference: the last decibels are not to be had.
//
//   npm run bench:denoise -- [--json] [--ours] [--one] [--whole]
//
// --ours leaves the peers out; --one measures the first case only. A block of 96³ voxels about the middle of the brain is
// used; --whole takes the image.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { readNifti } from '../src/formats/nifti.js'
import { writeNifti } from '../src/formats/nifti-write.js'
import { setThreads } from '../src/kernels/index.js'
import { peakMegabytes } from '../src/platform/index.js'
import { anisotropicDiffusion, edgeEnhancingDiffusion, nonLocalMeans } from '../src/preprocess/denoise.js'
import { gaussianRandom, seededRandom } from '../src/random.js'
import { type Box, boundingBox, crop } from '../src/volume/crop.js'
import { percentiles } from '../src/volume/histogram.js'
import { type Image, type Mask, maskWhere } from '../src/volume/volume.js'
import { sharedData } from '../test/shared-data.js'
import { peersInstalled, runPeer } from './peer.js'
import { structuralSimilarity } from './similarity.js'

interface Row {
  case: string
  tool: string
  threads: number
  psnr: number
  ssim: number
  seconds?: number
  megabytes?: number
}

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    ours: { type: 'boolean', default: false },
    one: { type: 'boolean', default: false },
    whole: { type: 'boolean', default: false },
  },
})
const withPeers = !values.ours && peersInstalled()
const rows: Row[] = []
const versions: Record<string, string> = {}
const search = 5
const iterations = 5
if (!values.json) console.log('case, tool, threads: PSNR (dB), SSIM, seconds, peak MB')
const plan: [name: string, path: string, percent: number, rician: boolean][] = [
  ['lj07 T1', 'ljubljana/sub-07/anat/sub-07_space-MNI152_T1w.nii.gz', 3, true],
  ['lj07 FLAIR', 'ljubljana/sub-07/anat/sub-07_space-MNI152_FLAIR.nii.gz', 6, true],
  ['ml18 FLAIR', 'mslesseg/sub-18/ses-1/anat/sub-18_ses-1_space-MNI152_FLAIR.nii.gz', 3, false],
]
for (const [name, path, percent, rician] of values.one ? plan.slice(0, 1) : plan) {
  const file = sharedData(path)
  if (!file) continue
  await measure(name, (await readNifti(readFileSync(file), file)).image as Image, percent, rician)
}
if (values.json) console.log(JSON.stringify({ versions, rows }, null, 1))
process.exit(0)

async function measure(name: string, whole: Image, percent: number, rician: boolean): Promise<void> {
  const brain = maskWhere(whole, (v) => v > 0)
  const box = boundingBox(brain)
  if (!box) throw new Error(`${name} is empty`)
  const block = values.whole ? box : middle(box, 96)
  const [clean, mask] = [crop(whole, block), crop(brain, block)]
  const [top] = percentiles(clean, [95], mask)
  const sigma = (percent / 100) * top
  const normal = gaussianRandom(seededRandom(1))
  const noisy: Image = {
    ...clean,
    data: clean.data.map((v) => (rician ? Math.hypot(v + sigma * normal(), sigma * normal()) : v + sigma * normal())),
  }
  const title = `${name} ${percent} % ${rician ? 'Rician' : 'Gaussian'}`
  const add = (tool: string, threads: number, image: Image, seconds?: number, megabytes?: number) =>
    report({ case: title, tool, threads, ...quality(image, clean, mask, top), seconds, megabytes })
  add('as it came', 0, noisy)
  const folder = mkdtempSync(join(tmpdir(), 'lesionwise-denoise-'))
  try {
    const paths = { image: join(folder, 'image.nii.gz'), mask: join(folder, 'mask.nii.gz') }
    writeFileSync(paths.image, await writeNifti(noisy, { level: 1 }))
    writeFileSync(paths.mask, await writeNifti(mask, { level: 1 }))
    for (const threads of [1, 2]) {
      setThreads(threads)
      if (withPeers) {
        const tools = ['dipy blockwise', 'dipy classic', 'ITK gradient', 'ITK curvature']
        const job = {
          ...paths,
          out: folder,
          sigma,
          rician,
          threads,
          patch: 1,
          block: search,
          conductance: 1,
          iterations,
        }
        const answer = runPeer<{
          seconds: Record<string, number>
          megabytes: Record<string, number>
          versions: Record<string, string>
        }>('denoise.py', { ...job, tools })
        Object.assign(versions, answer?.versions)
        for (const [tool, seconds] of Object.entries(answer?.seconds ?? {})) {
          const { image } = await readNifti(readFileSync(join(folder, `${tool}.nii`)), tool)
          add(tool, threads, image as Image, seconds, answer?.megabytes[tool])
        }
      }
      const nlm = (options: object) => async () =>
        (await nonLocalMeans(noisy, { mask, searchMm: search, sigma, rician, ...options })).denoised
      const own: Record<string, () => Promise<Image>> = {
        'ours blockwise': nlm({ blockwise: true }),
        'ours voxels': nlm({}),
        'ours adaptive': nlm({ blockwise: true, adaptive: true }),
        'ours sigma auto': nlm({ blockwise: true, sigma: 'auto' }),
        'ours diffusion': () => anisotropicDiffusion(noisy, { kappa: 1.5 * sigma, iterations, mask }),
        'ours 6 neighbours': () => anisotropicDiffusion(noisy, { kappa: 1.5 * sigma, iterations, mask, neighbours: 6 }),
        'ours edges': () => edgeEnhancingDiffusion(noisy, { kappa: 1.5 * sigma, iterations }),
      }
      for (const [tool, work] of Object.entries(own)) {
        const started = performance.now()
        const image = await work()
        add(tool, threads, image, (performance.now() - started) / 1000, peakMegabytes())
      }
    }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function middle({ start, dims }: Box, side: number): Box {
  const size = dims.map((n) => Math.min(n, side)) as [number, number, number]
  return { start: start.map((s, axis) => s + ((dims[axis] - size[axis]) >> 1)) as [number, number, number], dims: size }
}

function quality(image: Image, clean: Image, mask: Mask, top: number): { psnr: number; ssim: number } {
  let [n, squares] = [0, 0]
  for (let i = 0; i < mask.data.length; i++)
    if (mask.data[i] !== 0) {
      n++
      squares += (image.data[i] - clean.data[i]) ** 2
    }
  return { psnr: 10 * Math.log10((top * top * n) / squares), ssim: structuralSimilarity(image, clean, mask, top) }
}

function report(row: Row): void {
  rows.push(row)
  if (values.json) return
  const show = (v: number | undefined, digits: number) => (v === undefined ? '–' : v.toFixed(digits)).padStart(8)
  console.log(
    row.case.padEnd(26),
    row.tool.padEnd(18),
    row.threads,
    show(row.psnr, 2),
    show(row.ssim, 4),
    show(row.seconds, 2),
    show(row.megabytes, 0),
  )
}
