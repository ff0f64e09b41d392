import assert from 'node:assert/strict'
import { test } from 'node:test'
import { channelNames } from '../../src/network/channels.js'
import { readConfig } from '../../src/network/config.js'
import type { Weights } from '../../src/network/initialise.js'
import { multiplaneUnet } from '../../src/network/networks/multiplane.js'
import { predictPlanes } from '../../src/network/planes/predict.js'
import { type PlaneCase, planeAxes } from '../../src/network/planes/sample.js'
import { trainPlanes } from '../../src/network/planes/train.js'
import type { TrainingState } from '../../src/network/trainer.js'
import { gaussianRandom, seededRandom } from '../../src/random.js'

/**
 * A ball of white matter in grey matter with bright lesions, and bright rims of fluid that are no lesions: a threshold
 * alone does not tell them apart.
 */
function phantom(id: string, seed: number, spacing: [number, number, number] = [1, 1, 1]): PlaneCase {
  const dims = spacing.map((mm) => Math.round(48 / mm)) as [number, number, number]
  const count = dims[0] * dims[1] * dims[2]
  const random = seededRandom(seed)
  const normal = gaussianRandom(random)
  const balls = Array.from({ length: 6 }, () => ({
    at: [0, 1, 2].map(() => 12 + 24 * random()),
    r: 2.5 + 2.5 * random(),
  }))
  const channels = channelNames.map(() => new Float32Array(count))
  const [truth, brain] = [new Uint8Array(count), new Uint8Array(count)]
  for (let k = 0, i = 0; k < dims[2]; k++)
    for (let j = 0; j < dims[1]; j++)
      for (let l = 0; l < dims[0]; l++, i++) {
        const p = [(l + 0.5) * spacing[0], (j + 0.5) * spacing[1], (k + 0.5) * spacing[2]]
        const r = Math.hypot(...p.map((v) => v - 24))
        if (r > 22) continue
        brain[i] = 1
        const white = r < 19 ? 1 : 0
        const rim = Math.abs(r - 20.5) < 1
        const lesion = white === 1 && balls.some((ball) => Math.hypot(...p.map((v, a) => v - ball.at[a])) < ball.r)
        truth[i] = lesion ? 1 : 0
        channels[0][i] = (lesion || rim ? 2.2 : white ? 0 : 0.5) + 0.3 * normal() || 1e-6
        channels[1][i] = channels[0][i] * 0.8 || 1e-6
        channels[2][i] = (lesion ? -0.6 : white ? 0 : -0.5) + 0.1 * normal() || 1e-6
        channels[3][i] = white || 1e-6
        channels[4][i] = 1 - white || 1e-6
        channels[5][i] = white * 0.5 || 1e-6
      }
  return { id, patient: id, dims, spacing, channels, truth, brain }
}

const config = readConfig(
  { features: [8, 16, 32], size: 32, batch: 8, steps: 150, rate: 0.01, folds: 0, checkpointEvery: 40, intensity: 0.3 },
  'test',
)
const training = [1, 2, 3, 4, 5, 6].map((seed) => phantom(`train-${seed}`, seed, seed % 3 ? [1, 1, 1] : [1, 1, 4]))

const dice = (a: Uint8Array, b: Float32Array) => {
  let [both, sum] = [0, 0]
  for (let i = 0; i < a.length; i++) {
    const found = b[i] >= 0.5 ? 1 : 0
    both += a[i] * found
    sum += a[i] + found
  }
  return (2 * both) / sum
}
const run = { build: multiplaneUnet(config.features), multiple: 4, mirror: true }

test('a small network learns lesions from rims: Dice of 0.9 on phantoms that it has not seen, in less than a minute', {
  timeout: 60_000,
}, async () => {
  const weights = [await trainPlanes(training, { config, seed: 1 })]
  const unseen = phantom('unseen', 99)
  const found = await predictPlanes(unseen, { ...run, weights })
  const score = dice(unseen.truth, found)
  const threshold = dice(
    unseen.truth,
    unseen.channels[0].map((v) => (v > 1.2 ? 1 : 0)),
  )
  assert.ok(score >= 0.9 && score > threshold + 0.2, `Dice ${score}, threshold ${threshold}`)
  const thick = phantom('thick', 98, [1, 1, 4])
  assert.ok(dice(thick.truth, await predictPlanes(thick, { ...run, weights })) > 0.8)
  // T1 is dropped in a third of the samples: the network works without it.
  const alone = { ...unseen, channels: unseen.channels.map((c, i) => (i === 2 ? new Float32Array(c.length) : c)) }
  assert.ok(dice(unseen.truth, await predictPlanes(alone, { ...run, weights })) > 0.8)
  // Mirrored scans give mirrored results, as both directions are averaged.
  const mirrored = await predictPlanes(mirror(unseen), { ...run, weights })
  const back = flip(mirrored, unseen.dims)
  for (let i = 0; i < back.length; i++) assert.ok(Math.abs(back[i] - found[i]) < 1e-3)
})

test('a training that was stopped goes on to the same bits, and another seed gives others', {
  timeout: 60_000,
}, async () => {
  const short = { ...config, steps: 12, checkpointEvery: 5 }
  const whole = await trainPlanes(training, { config: short, seed: 3 })
  let kept: TrainingState | undefined
  const stop = new AbortController()
  await assert.rejects(
    trainPlanes(training, {
      config: short,
      seed: 3,
      signal: stop.signal,
      checkpoint: async (state) => {
        kept = state
      },
      onStep: ({ step }) => {
        if (step === 7) stop.abort()
      },
    }),
    { name: 'AbortError' },
  )
  assert.equal(kept!.step, 5)
  const resumed = await trainPlanes(training, { config: short, seed: 3, state: kept })
  assert.deepEqual(differing(resumed, whole), [])
  const other = await trainPlanes(training, { config: short, seed: 4 })
  assert.ok(differing(other, whole).length > 10)
})

test('layers that are frozen keep their weights, the others move', async () => {
  const short = { ...config, steps: 3 }
  const from = await trainPlanes(training, { config: short, seed: 1 })
  const tuned = await trainPlanes(training, { config: short, seed: 2, from, frozen: ['encoder'] })
  const moved = differing(from, tuned)
  for (const name of from.keys()) {
    if (name.includes('running')) continue
    if (name.startsWith('encoder')) assert.ok(!moved.includes(name), name)
    else assert.ok(moved.includes(name), name)
  }
})

test('even voxels are cut along three axes, thick slices along their own', () => {
  assert.deepEqual(planeAxes([1, 1, 1]), [0, 1, 2])
  assert.deepEqual(planeAxes([0.9, 0.9, 6]), [2])
  assert.deepEqual(planeAxes([5, 0.5, 0.5]), [0])
})

test('settings that will not do are refused with the name of the setting', () => {
  for (const [value, pattern] of [
    [{ steps: 0 }, /test: steps/],
    [{ size: 50 }, /test: size: is not a multiple/],
    [{ stepz: 5 }, /test: .*stepz/],
    [[], /test/],
  ] as const)
    assert.throws(() => readConfig(value, 'test'), { name: 'UsageError', message: pattern })
})

/** Names of weights that are not the same bits; a plain comparison would print them all. */
const differing = (a: Weights, b: Weights): string[] =>
  [...a.keys()].filter((name) => !a.get(name)!.every((v, i) => Object.is(v, b.get(name)![i])))

function flip(values: Float32Array, [nx, ny, nz]: readonly number[]): Float32Array {
  const out = new Float32Array(values.length)
  for (let r = 0; r < ny * nz; r++) for (let x = 0; x < nx; x++) out[r * nx + x] = values[r * nx + nx - 1 - x]
  return out
}

function mirror(scan: PlaneCase): PlaneCase {
  const brain = Uint8Array.from(flip(Float32Array.from(scan.brain), scan.dims))
  return { ...scan, channels: scan.channels.map((c) => flip(c, scan.dims)), brain }
}
