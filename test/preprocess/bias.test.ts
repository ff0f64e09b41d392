import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  Approximation,
  controlLines,
  flatLattice,
  GridSpline,
  type Lattice,
  type Places,
  subdivide,
} from '../../src/preprocess/bias/lattice.js'
import { SmoothingSpline } from '../../src/preprocess/bias/smooth.js'
import { n3, n4 } from '../../src/preprocess/bias.js'
import { seededRandom } from '../../src/random.js'
import { scaling } from '../../src/volume/affine.js'
import type { Image, Mask, Volume } from '../../src/volume/volume.js'
import {
  phantomBias,
  phantomBrain,
  phantomGrid,
  phantomImage,
  phantomLabels,
  phantomLesionMask,
  tissue,
} from '../phantom.js'

const brain = phantomBrain()
const labels = phantomLabels().data
const lesions = phantomLesionMask().data
const whiteMatter = (i: number) => labels[i] === tissue.wm && lesions[i] === 0

const mean = (data: ArrayLike<number>, inside: (i: number) => boolean): number => moments(data, inside).mean
/** Coefficient of variation. */
const variation = (data: ArrayLike<number>, inside: (i: number) => boolean): number =>
  moments(data, inside).sd / mean(data, inside)

function moments(data: ArrayLike<number>, inside: (i: number) => boolean): { mean: number; sd: number } {
  let [n, sum, squares] = [0, 0, 0]
  for (let i = 0; i < data.length; i++)
    if (inside(i)) {
      n++
      sum += data[i]
      squares += data[i] * data[i]
    }
  return { mean: sum / n, sd: Math.sqrt(Math.max(0, squares / n - (sum / n) ** 2)) }
}

function correlation(a: ArrayLike<number>, b: ArrayLike<number>, inside: (i: number) => boolean): number {
  const [x, y] = [moments(a, inside), moments(b, inside)]
  const product = Float64Array.from({ length: a.length }, (_, i) => a[i] * b[i])
  return (mean(product, inside) - x.mean * y.mean) / (x.sd * y.sd)
}

/** Largest difference of the mean over eight parts of the white matter to the mean of all, as a fraction. */
function octantSpread({ data }: Volume): number {
  const [nx, ny, nz] = phantomGrid.dims
  const all = mean(data, whiteMatter)
  const parts = [0, 1, 2, 3, 4, 5, 6, 7].map((octant) =>
    mean(data, (i) => {
      const part =
        (i % nx >= nx / 2 ? 1 : 0) + (Math.floor(i / nx) % ny >= ny / 2 ? 2 : 0) + (i >= (nx * ny * nz) / 2 ? 4 : 0)
      return part === octant && whiteMatter(i)
    }),
  )
  return Math.max(...parts.map((part) => Math.abs(part / all - 1)))
}

const inBrain = (i: number) => brain.data[i] !== 0

test('an even image is left as it is', async () => {
  for (const contrast of ['t1', 'flair'] as const) {
    const { logField } = await n4(phantomImage({ contrast }), brain)
    const largest = logField.data.reduce((most, v, i) => (inBrain(i) ? Math.max(most, Math.abs(v)) : most), 0)
    assert.ok(largest < 0.02, `${contrast}: ${largest}`)
  }
})

test('a known field is found: FLAIR and T1 of the phantom', async () => {
  const truth = phantomBias(0.2).data.map(Math.log)
  for (const contrast of ['t1', 'flair'] as const) {
    const biased = phantomImage({ contrast, bias: 0.2 })
    const { corrected, logField } = await n4(biased, brain)
    assert.ok(correlation(logField.data, truth, inBrain) > 0.97, contrast)
    const even = variation(phantomImage({ contrast }).data, whiteMatter)
    assert.ok(variation(corrected.data, whiteMatter) < 1.1 * even, contrast)
    assert.ok(octantSpread(biased) > 0.05)
    assert.ok(octantSpread(corrected) < 0.02, `${contrast}: ${octantSpread(corrected)}`)
    assert.ok(Math.abs(mean(corrected.data, inBrain) / mean(biased.data, inBrain) - 1) < 1e-4)
    assert.ok(Math.abs(mean(logField.data, inBrain)) < 1e-4)
  }
})

test('lesions keep their contrast', async () => {
  const ratio = (data: Float32Array) => mean(data, (i) => lesions[i] !== 0) / mean(data, whiteMatter)
  const even = ratio(phantomImage({ contrast: 'flair' }).data)
  const { corrected } = await n4(phantomImage({ contrast: 'flair', bias: 0.2 }), brain)
  assert.ok(Math.abs(ratio(corrected.data) / even - 1) < 0.03)
})

test('weights keep a large bright region from pulling the field', async () => {
  const image = phantomImage({ contrast: 'flair' })
  const patch = new Float32Array(image.data.length).fill(1)
  for (let i = 0; i < patch.length; i++) {
    const [x, y, z] = [2 * (i % 80) - 79, 2 * (Math.floor(i / 80) % 96) - 95, 2 * Math.floor(i / 7680) - 79]
    if (Math.hypot(x - 30, y + 30, z - 10) < 24) patch[i] = 0
  }
  const odd = { ...image, data: image.data.map((v, i) => (patch[i] === 0 ? 1.25 * v : v)) }
  const pull = async (weights?: Image) => {
    const { logField } = await n4(odd, brain, { levels: 4, weights })
    return mean(logField.data, (i) => patch[i] === 0 && inBrain(i))
  }
  const [plain, weighted] = [await pull(), await pull({ ...image, data: patch })]
  assert.ok(Math.abs(weighted) < 0.5 * Math.abs(plain), `${weighted} and ${plain}`)
})

test('brighter or darker units give the same field', async () => {
  const image = phantomImage({ contrast: 't1', bias: 0.1 })
  const { logField } = await n4(image, brain)
  const scaled = await n4({ ...image, data: image.data.map((v) => 37 * v) }, brain)
  assert.ok(scaled.logField.data.every((v, i) => Math.abs(v - logField.data[i]) < 1e-3))
})

test('thick slices', async () => {
  const whole = phantomImage({ contrast: 'flair', bias: 0.2 })
  const every = <T extends Float32Array | Uint8Array>(data: T): T =>
    data.filter((_, i) => Math.floor(i / 7680) % 4 === 0) as T
  const grid = { dims: [80, 96, 20] as const, affine: scaling([2, 2, 8]) }
  const mask: Mask = { ...grid, data: every(brain.data) }
  const { logField } = await n4({ ...grid, data: every(whole.data) }, mask)
  const truth = every(phantomBias(0.2).data).map(Math.log)
  assert.ok(correlation(logField.data, truth, (i) => mask.data[i] !== 0) > 0.97)
})

test('nothing to correct, and wrong grids', async () => {
  const image = phantomImage({ contrast: 't1' })
  const nothing = await n4(image, { ...brain, data: new Uint8Array(brain.data.length) })
  assert.deepEqual(nothing.corrected.data, image.data)
  for (const value of [0, 5, -3]) {
    const flat = { ...image, data: new Float32Array(image.data.length).fill(value) }
    const { corrected } = await n4(flat, brain)
    assert.ok(corrected.data.every((v) => Math.abs(v - value) < 1e-5))
  }
  await assert.rejects(n4(image, { ...brain, data: new Uint8Array(5) }), RangeError)
  await assert.rejects(n4(image, brain, { signal: AbortSignal.abort(new Error('enough')) }), /enough/)
})

test('N3 finds the field of the phantom, FLAIR and T1, and leaves an even image', async () => {
  const truth = phantomBias(0.2).data.map(Math.log)
  for (const contrast of ['t1', 'flair'] as const) {
    const plain = phantomImage({ contrast })
    const flat = await n3(plain, brain)
    const largest = flat.logField.data.reduce((most, v, i) => (inBrain(i) ? Math.max(most, Math.abs(v)) : most), 0)
    assert.ok(largest < 0.02, `${contrast}: ${largest}`)
    const biased = phantomImage({ contrast, bias: 0.2 })
    const { corrected, logField } = await n3(biased, brain)
    assert.ok(correlation(logField.data, truth, inBrain) > 0.97, contrast)
    assert.ok(variation(corrected.data, whiteMatter) < 1.15 * variation(plain.data, whiteMatter), contrast)
    assert.ok(Math.abs(mean(logField.data, inBrain)) < 1e-4)
    const loud = await n3({ ...biased, data: biased.data.map((v) => 37 * v) }, brain)
    assert.ok(loud.logField.data.every((v, i) => Math.abs(v - logField.data[i]) < 1e-3))
  }
})

test('aware of lesions, either leaves their contrast and does not follow a large one', async () => {
  const ratio = (data: Float32Array) => mean(data, (i) => lesions[i] !== 0) / mean(data, whiteMatter)
  const image = phantomImage({ contrast: 'flair' })
  const even = ratio(image.data)
  const large = (i: number) => {
    const [x, y, z] = [2 * (i % 80) - 79, 2 * (Math.floor(i / 80) % 96) - 95, 2 * Math.floor(i / 7680) - 79]
    return Math.hypot(x - 30, y + 20, z - 24) < 18
  }
  const odd = { ...image, data: image.data.map((v, i) => (large(i) ? 2 * v : v)) }
  for (const correct of [
    (i: Image, lesionAware: boolean) => n4(i, brain, { levels: 4, lesionAware }),
    (i: Image, lesionAware: boolean) => n3(i, brain, { distanceMm: 50, lesionAware }),
  ]) {
    const { corrected } = await correct(phantomImage({ contrast: 'flair', bias: 0.2 }), true)
    assert.ok(Math.abs(ratio(corrected.data) / even - 1) < 0.03, `${ratio(corrected.data)} and ${even}`)
    const pull = async (aware: boolean) => Math.abs(mean((await correct(odd, aware)).logField.data, large))
    const [plain, aware] = [await pull(false), await pull(true)]
    assert.ok(aware < 0.6 * plain, `${aware} and ${plain}`)
  }
})

const places = (n: number): Places => [0, 1, 2].map(() => ({ n, start: 0.5 / n, step: 1 / n })) as unknown as Places
const expand = ({ mesh, values }: Lattice, n: number) => new GridSpline(places(n), mesh).expand(values)

test('a finer mesh is the same spline', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 1e6 }), (mesh, seed) => {
      const random = seededRandom(seed)
      const lattice = { mesh, values: flatLattice(mesh).values.map(() => random() - 0.5) }
      const [coarse, fine] = [expand(lattice, 9), expand(subdivide(lattice), 9)]
      for (let i = 0; i < coarse.length; i++) assert.ok(Math.abs(coarse[i] - fine[i]) < 1e-12)
    }),
    { numRuns: 20, seed: 1 },
  )
})

test('a single value is met exactly, and the rows of a full grid are those of the spline', () => {
  const one = new Float64Array(12 ** 3)
  const at = 5 + 12 * (7 + 12 * 2)
  one[at] = 1
  const { points, values } = new Approximation(one, places(12), 2).fit(one.map((v) => 0.7 * v))
  assert.ok(Math.abs(values[at] - 0.7) < 1e-9)
  const { lines, basis, width } = controlLines({ mesh: 2, values: points }, places(12))
  for (let i = 0; i < values.length; i++) {
    let value = 0
    for (let p = 0; p < 5; p++) value += lines[5 * Math.floor(i / 12) + p] * basis[p * width + (i % 12)]
    assert.ok(Math.abs(value - values[i]) < 1e-6)
  }
})

test('least squares: a spline is found again from its values, where there are weights, and bending is held back', () => {
  const random = seededRandom(4)
  const values = flatLattice(2).values.map(() => random())
  const data = expand({ mesh: 2, values }, 12)
  const weights = data.map(() => 0.5 + random())
  const exact = new SmoothingSpline(weights, places(12), 2, 0).fit(data).values
  const roughness = (v: Float64Array) =>
    v.reduce((s, _, i) => (i % 12 > 1 ? s + (v[i] - 2 * v[i - 1] + v[i - 2]) ** 2 : s), 0)
  for (let i = 0; i < data.length; i++) assert.ok(Math.abs(exact[i] - data[i]) < 1e-5)
  const stiff = new SmoothingSpline(weights, places(12), 2, 10).fit(data).values
  assert.ok(roughness(stiff) < 0.1 * roughness(data), `${roughness(stiff)} of ${roughness(data)}`)
})
