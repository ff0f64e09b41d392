// Speed of the kernels on 181×217×181 float32, seeded: WebAssembly SIMD with one thread and with two, and how that scales;
// beside them scipy.ndimage (one thread, where bench/peers is installed) and, for the Gaussian, plain JavaScript.
// Median of five after two warm-up runs, spread in brackets; scipy's median of three. `--json` prints milliseconds.
//
//   npm run bench:kernels [-- --json]
import { setThreads } from '../src/kernels/index.js'
import { seededRandom } from '../src/random.js'
import { labelComponents } from '../src/volume/components.js'
import { distanceTo } from '../src/volume/distance.js'
import { gaussian, gaussianWeights } from '../src/volume/filter.js'
import { resample } from '../src/volume/resample.js'
import { emptyImage, emptyMask, type Image } from '../src/volume/volume.js'
import { runPeer } from './peer.js'

const grid = { dims: [181, 217, 181] as const, affine: [1, 0, 0, -90, 0, 1, 0, -126, 0, 0, 1, -72, 0, 0, 0, 1] }
const random = seededRandom(1)
const image = emptyImage(grid)
for (let i = 0; i < image.data.length; i++) image.data[i] = random()
const blobs = await gaussian(image, 3)
const mask = emptyMask(grid)
for (let i = 0; i < mask.data.length; i++) mask.data[i] = blobs.data[i] > 0.51 ? 1 : 0
const map = [0.99, 0.1, 0, -3, -0.1, 0.99, 0.05, 2, 0, -0.05, 1, 1, 0, 0, 0, 1]

interface Time {
  median: number
  least: number
  most: number
}

async function time(body: () => unknown): Promise<Time> {
  const times: number[] = []
  for (let run = -2; run < 5; run++) {
    const start = performance.now()
    await body()
    if (run >= 0) times.push(performance.now() - start)
  }
  times.sort((a, b) => a - b)
  return { median: times[2], least: times[0], most: times[4] }
}

const json = process.argv.includes('--json')
const shown = ({ median, least, most }: Time) => `${median.toFixed(0)} ms (${least.toFixed(0)}–${most.toFixed(0)})`
const peer = runPeer<{ name: string; ms: Record<string, number> }>('kernels.py', { dims: grid.dims })
const rows: object[] = []
if (!json)
  console.log(`${''.padEnd(26)} ${'1 thread'.padEnd(20)} ${'2 threads'.padEnd(20)} scaling  ${peer?.name ?? ''}`)
for (const [name, body] of [
  ['Gaussian, 17 taps', () => gaussian(image, 2)],
  ['nearest resampling', () => resample(image, image, { map, method: 'nearest' })],
  ['linear resampling', () => resample(image, image, { map, method: 'linear' })],
  ['cubic B-spline resampling', () => resample(image, image, { map, method: 'cubic' })],
  ['distance transform', () => distanceTo(mask)],
  ['components, 18 neighbours', () => labelComponents(mask, 18)],
] as const) {
  setThreads(1)
  const one = await time(body)
  setThreads(2)
  const two = await time(body)
  const scaling = one.median / two.median
  const peerMs = peer?.ms[name]
  rows.push({ name, one, two, scaling, peerMs, peerRatio: peerMs && peerMs / one.median })
  const beside = peerMs ? `${peerMs.toFixed(0)} ms, ${(peerMs / one.median).toFixed(1)}× one thread` : ''
  if (!json)
    console.log(
      `${name.padEnd(26)} ${shown(one).padEnd(20)} ${shown(two).padEnd(20)} ${scaling.toFixed(2)}×    ${beside}`,
    )
}
const plain = await time(() => plainGaussian(image, 2))
if (json) console.log(JSON.stringify({ peer: peer?.name, kernels: rows, plainGaussian: plain }))
else console.log(`Gaussian in plain JavaScript: ${shown(plain)}`)
process.exit(0)

/** The same filter in loops over typed arrays, border voxels repeated. */
function plainGaussian({ dims: [nx, ny, nz], data }: Image, sigma: number): Float32Array {
  const weights = gaussianWeights(sigma)
  const radius = (weights.length - 1) / 2
  let [from, to]: Float32Array[] = [data, new Float32Array(data.length)]
  for (const [stride, n] of [
    [1, nx],
    [nx, ny],
    [nx * ny, nz],
  ]) {
    for (let at = 0; at < from.length; at++) {
      const i = Math.floor(at / stride) % n
      let sum = 0
      for (let t = -radius; t <= radius; t++)
        sum += weights[t + radius] * from[at + (Math.max(0, Math.min(n - 1, i + t)) - i) * stride]
      to[at] = sum
    }
    ;[from, to] = [to, from === data ? new Float32Array(data.length) : from]
  }
  return from
}
