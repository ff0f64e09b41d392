// nnU-Net v2's own predictor (PyPI, bench/peers) and ours, end to end on the same case with the same weights, two threads: time,
// peak and how far the masks agree.
//
//   npm run bench:nnunet-predict [-- --model flat|full|residual|large …] [--runs N]
//
// The models have random weights (bench/peers/nnunet_models.py), so that what they call lesion means nothing: their borders run
// through the whole image, which is hard on the agreement. The case is a block of a labelled scan of ../shared/data.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { readNifti } from '../src/formats/nifti.js'
import { loadNnunet } from '../src/network/nnunet/card.js'
import type { Shape3 } from '../src/network/nnunet/crop.js'
import { segmentNnunet } from '../src/network/nnunet/predict.js'
import { importModel } from '../src/run/import-model.js'
import { labelledCases } from './cases.js'
import { peersInstalled, runPeer } from './peer.js'

const { values: options } = parseArgs({
  options: {
    model: { type: 'string', multiple: true, default: ['flat', 'full', 'large'] },
    runs: { type: 'string', default: '1' },
    child: { type: 'string' },
  },
})
const shape: Shape3 = [96, 112, 96]
const spacing = [1, 1, 1] as const

if (options.child) {
  const { folder, image, mask, runs, channels } = JSON.parse(options.child) as Record<string, never> & {
    folder: string
    image: string
    mask: string
    runs: number
    channels: number
  }
  const model = await loadNnunet(folder)
  const values = new Float32Array(readFileSync(image).buffer.slice(0))
  const size = shape[0] * shape[1] * shape[2]
  const split = Array.from({ length: channels }, (_, c) => values.slice(c * size, (c + 1) * size))
  const seconds: number[] = []
  let labels = new Uint8Array()
  for (let i = 0; i < runs; i++) {
    const start = performance.now()
    labels = Uint8Array.from(
      (await segmentNnunet({ shape, spacing, channels: split }, model, 'case', { threads: 2 })).labels,
    )
    seconds.push((performance.now() - start) / 1000)
  }
  writeFileSync(mask, labels)
  console.log(JSON.stringify({ seconds, megabytes: process.resourceUsage().maxRSS / 1024 }))
  process.exit(0)
}

const scan = labelledCases().find(({ id }) => id === 'lj19')
if (!scan || !peersInstalled()) {
  console.log('This needs ../shared/data and the peers (bash bench/peers/install.sh).')
  process.exit(0)
}
interface Timed {
  seconds: number[]
  megabytes: number
}
const folder = mkdtempSync(join(tmpdir(), 'lesionwise-nnunet-'))
try {
  const models = fileURLToPath(new URL('peers/nnunet_models.py', import.meta.url))
  const python = fileURLToPath(new URL('peers/.venv/bin/python', import.meta.url))
  const made = spawnSync(python, [models, folder, ...options.model], { encoding: 'utf8' })
  if (made.status !== 0) throw new Error(made.stderr.slice(-1000))
  const runs = Number(options.runs)
  const contrasts = await Promise.all([scan.flair, scan.t1].map(async (path) => await block(path)))
  console.log(
    '| model | nnU-Net / ours, time | ours | ours / nnU-Net, peak | Dice of the masks |\n|---|---|---|---|---|',
  )
  for (const name of options.model) {
    const channels = name === 'residual' ? 1 : 2
    const image = join(folder, 'image.f32')
    writeFileSync(image, Buffer.concat(contrasts.slice(0, channels).map((c) => Buffer.from(c.buffer))))
    const own = join(folder, `${name}-own`)
    await importModel({ from: join(folder, name), out: own })
    const masks = { ours: join(folder, 'ours.u8'), theirs: join(folder, 'theirs.u8') }
    const job = JSON.stringify({ folder: own, image, mask: masks.ours, runs, channels })
    const ran = spawnSync(process.execPath, ['--import', 'tsx', fileURLToPath(import.meta.url), '--child', job], {
      encoding: 'utf8',
    })
    if (ran.status !== 0) throw new Error(ran.stderr.slice(-1000))
    const ours = JSON.parse(ran.stdout) as Timed
    const theirs = runPeer<Timed>('nnunet_predict.py', {
      model: join(folder, name),
      image,
      shape: [channels, ...shape],
      spacing,
      mask: masks.theirs,
      runs,
    })!
    const best = (t: Timed) => Math.min(...t.seconds)
    const [a, b] = [readFileSync(masks.ours), readFileSync(masks.theirs)]
    let [both, sum] = [0, 0]
    for (let i = 0; i < a.length; i++) {
      if (a[i] && a[i] === b[i]) both++
      sum += (a[i] ? 1 : 0) + (b[i] ? 1 : 0)
    }
    console.log(
      `| ${name} | ${(best(theirs) / best(ours)).toFixed(2)} | ${best(ours).toFixed(1)} s | ${(ours.megabytes / theirs.megabytes).toFixed(2)} | ${((2 * both) / sum).toFixed(5)} |`,
    )
  }
} finally {
  rmSync(folder, { recursive: true, force: true })
}

/** The middle of a scan, z, y, x. */
async function block(path: string): Promise<Float32Array> {
  const { image } = await readNifti(readFileSync(path), path)
  const [nx, ny, nz] = image.dims
  const first = [nz, ny, nx].map((n, i) => Math.floor((n - shape[i]) / 2))
  const out = new Float32Array(shape[0] * shape[1] * shape[2])
  for (let z = 0, to = 0; z < shape[0]; z++)
    for (let y = 0; y < shape[1]; y++)
      for (let x = 0; x < shape[2]; x++)
        out[to++] = image.data[((first[0] + z) * ny + first[1] + y) * nx + first[2] + x]
  return out
}
