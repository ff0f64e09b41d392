// Speed of the kernels on 181×217×181 float32: plain JavaScript, then WebAssembly SIMD with one thread and with two.
// Median of five after two warm-up runs, spread in brackets; seeded data.
//
//   npm run bench:kernels
import { setThreads } from '../src/kernels/index.js'
import { seededRandom } from '../src/learn/random.js'
import { labelComponents } from '../src/volume/components.js'
import { distanceTo } from '../src/volume/distance.js'
import { gaussian, gaussianWeights } from '../src/volume/filter.js'
import { resample } from '../src/volume/resample.js'
import { emptyImage, emptyMask, type Image } from '../src/volume/volume.js'

const grid = { dims: [181, 217, 181] as const, affine: [1, 0, 0, -90, 0, 1, 0, -126, 0, 0, 1, -72, 0, 0, 0, 1] }
const random = seededRandom(1)
const image = emptyImage(grid)
for (let i = 0; i < image.data.length; i++) image.data[i] = random()
const blobs = await gaussian(image, 3)
const mask = emptyMask(grid)
for (let i = 0; i < mask.data.length; i++) mask.data[i] = blobs.data[i] > 0.51 ? 1 : 0
const map = [0.99, 0.1, 0, -3, -0.1, 0.99, 0.05, 2, 0, -0.05, 1, 1, 0, 0, 0, 1]

async function time(body: () => unknown): Promise<[number, string]> {
  const times: number[] = []
  for (let run = -2; run < 5; run++) {
    const start = performance.now()
    await body()
    if (run >= 0) times.push(performance.now() - start)
  }
  times.sort((a, b) => a - b)
  return [times[2], `${times[2].toFixed(0)} ms (${times[0].toFixed(0)}–${times[4].toFixed(0)})`]
}

console.log('Gaussian of 17 taps along x, y and z; ratios are to plain JavaScript in the same run')
const [plain, shown] = await time(() => plainGaussian(image, 2))
console.log(`  plain JavaScript        ${shown}`)
for (const threads of [1, 2]) {
  setThreads(threads)
  const [ms, text] = await time(() => gaussian(image, 2))
  console.log(`  kernel, ${threads} thread${threads > 1 ? 's' : ' '}        ${text}  ${(plain / ms).toFixed(1)}×`)
}
for (const [name, body] of [
  ['nearest resampling', () => resample(image, image, { map, method: 'nearest' })],
  ['linear resampling', () => resample(image, image, { map, method: 'linear' })],
  ['cubic B-spline resampling', () => resample(image, image, { map, method: 'cubic' })],
  ['distance transform', () => distanceTo(mask)],
  ['components, 18 neighbours', () => labelComponents(mask, 18)],
] as const) {
  const texts: string[] = []
  for (const threads of [1, 2]) {
    setThreads(threads)
    texts.push((await time(body))[1])
  }
  console.log(`${name.padEnd(26)} 1 thread ${texts[0].padEnd(22)} 2 threads ${texts[1]}`)
}
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
