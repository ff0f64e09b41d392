import assert from 'node:assert/strict'
import { test } from 'node:test'
import { classify } from '../../../src/network/cascade/predict.js'
import { candidates } from '../../../src/network/cascade/samples.js'
import { scoreChannels } from '../../../src/network/channels.js'
import { readConfig } from '../../../src/network/config.js'
import { networkKinds } from '../../../src/network/kinds.js'
import { identity } from '../../../src/volume/affine.js'
import { labelComponents } from '../../../src/volume/components.js'
import { ballPhantom, dice, differing, flip, mirror } from './phantoms.js'
import { stoppedAfter } from './stopped.js'

const training = [1, 2, 3, 4].map((seed) => ballPhantom(`train-${seed}`, seed))
const unseen = ballPhantom('unseen', 99)
const small = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10].map((seed) => ballPhantom(`small-${seed}`, seed, [2, 2, 2]))
/** The channels that the cascade sees; excess and T1 of the phantom serve as its scores. */
const scores = (scan: typeof unseen) => ({
  ...scan,
  channels: [scan.channels[0], scan.channels[2]].slice(0, scoreChannels.length),
})
const threshold = dice(
  unseen.truth,
  unseen.channels[0].map((v) => (v > 1.2 ? 1 : 0)),
)

test('a small 3-D U-Net learns lesions from rims, and mirrors with the scan', { timeout: 60_000 }, async () => {
  const config = readConfig(
    { network: 'unet3d', features: [8, 16], size: 16, steps: 300, rate: 0.01, thick: 0.1, intensity: 0.3 },
    'test',
  )
  const { train, predict } = networkKinds.unet3d
  const weights = [await train(training, { config, seed: 1 })]
  const run = { features: config.features, weights, size: 48 }
  const found = await predict(unseen, run)
  const score = dice(unseen.truth, found)
  assert.ok(score >= 0.9 && score > threshold + 0.2, `Dice ${score}, threshold ${threshold}`)
  const back = flip(await predict(mirror(unseen), run), unseen.dims)
  for (let i = 0; i < back.length; i++) assert.ok(Math.abs(back[i] - found[i]) < 1e-3)
})

test('the cascade: its second network takes most false positives of the first and few lesions', {
  timeout: 180_000,
}, async () => {
  const config = readConfig(
    { network: 'valverde2017', features: [8, 16], batch: 24, steps: 1200, checkEvery: 100 },
    'test',
  )
  const { train, predict } = networkKinds.valverde2017
  const scans = small.map(scores)
  const weights = await train(scans, { config, seed: 1 })
  const sum = { lesions: 0, byFirst: 0, byBoth: 0, falseFirst: 0, falseBoth: 0 }
  for (const seed of [97, 98, 99, 100]) {
    const scan = scores(ballPhantom('unseen', seed, [2, 2, 2]))
    const lesions = labelComponents({ dims: scan.dims, affine: identity, data: scan.truth }, 26)
    // Smaller ones than l_min the method drops in any case.
    const large = (label: number) => lesions.sizes[label] > 10
    const detected = (data: Uint8Array) =>
      new Set(lesions.labels.data.filter((label, i) => data[i] && label && large(label))).size
    const wrong = (data: Uint8Array) => data.reduce((n, v, i) => n + (v && !scan.truth[i] ? 1 : 0), 0)
    const voxels = candidates(scan)
    const probability = await classify(scan, voxels, 'first', weights, { features: config.features })
    const first = new Uint8Array(scan.truth.length)
    voxels.forEach((voxel, i) => {
      first[voxel] = probability[i] > 0.5 ? 1 : 0
    })
    const both = await predict(scan, { features: config.features, weights: [weights] })
    const second = Uint8Array.from(both, (p) => (p > 0.5 ? 1 : 0))
    sum.lesions += Array.from(lesions.sizes.keys()).filter((label) => label > 0 && large(label)).length
    sum.byFirst += detected(first)
    sum.byBoth += detected(second)
    sum.falseFirst += wrong(first)
    sum.falseBoth += wrong(second)
    assert.ok(dice(scan.truth, both) > 0.75, `Dice ${dice(scan.truth, both)}`)
  }
  const found = JSON.stringify(sum)
  assert.ok(sum.byFirst / sum.lesions > 0.9, found)
  assert.ok(sum.byFirst - sum.byBoth < 0.05 * sum.lesions, found)
  assert.ok(sum.falseBoth < 0.5 * sum.falseFirst, found)
})

for (const [kind, settings, stops] of [
  ['unet3d', { features: [4, 8], size: 8, steps: 8 }, [3, 6]],
  ['valverde2017', { features: [4, 8], batch: 4, steps: 16, checkEvery: 4 }, [3, 6, 13]],
] as const)
  test(`$kind, stopped on the way, goes on to the same bits`, async () => {
    const config = readConfig({ network: kind, ...settings, checkpointEvery: 2 }, 'test')
    const scans = kind === 'unet3d' ? small : small.slice(0, 2).map(scores)
    const { train } = networkKinds[kind]
    const whole = await train(scans, { config, seed: 3 })
    for (const stopAt of stops) {
      const kept = await stoppedAfter(stopAt, (how) => train(scans, { config, seed: 3, ...how }))
      assert.deepEqual(differing(await train(scans, { config, seed: 3, state: kept }), whole), [])
    }
  })
