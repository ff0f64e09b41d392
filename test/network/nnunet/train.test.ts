import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readConfig } from '../../../src/network/config.js'
import { drawPatch, type PreparedCase } from '../../../src/network/nnunet/sample.js'
import { plannedNnunet } from '../../../src/network/nnunet/train.js'
import { seededRandom } from '../../../src/random.js'
import { ballPhantom, dice, differing } from '../training/phantoms.js'
import { stoppedAfter } from '../training/stopped.js'

/** A phantom with its images as channels, its x axis running to the left. */
function scan(id: string, seed: number) {
  const { channels, ...phantom } = ballPhantom(id, seed, [2, 2, 2])
  const affine = [-2, 0, 0, 0, 0, 2, 0, 0, 0, 0, 2, 0, 0, 0, 0, 1]
  return { ...phantom, channels: [channels[0], channels[2]], grid: { dims: phantom.dims, affine } }
}
const scans = [1, 2, 3, 4].map((seed) => scan(`train-${seed}`, seed))
const settings = { network: 'nnunet', gigabytes: 0.5, steps: 60, checkpointEvery: 2 } as const

for (const configuration of ['3d_fullres', '2d'] as const)
  test(`an nnU-Net plans itself, trains and labels a scan that it has not seen: ${configuration}`, {
    timeout: 120_000,
  }, async () => {
    const config = readConfig({ ...settings, configuration, steps: configuration === '2d' ? 150 : 60 }, 'test')
    const kind = plannedNnunet(scans, ['FLAIR', 'T1'], config, 'test')
    assert.equal(kind.model.network.inputChannels, 2)
    assert.equal(kind.model.configuration.patch_size.length, configuration === '2d' ? 2 : 3)
    const weights = await kind.train(scans, { config, seed: 1 })
    const unseen = scan('unseen', 99)
    const threshold = dice(
      unseen.truth,
      unseen.channels[0].map((v) => (v > 1.2 ? 1 : 0)),
    )
    const score = dice(unseen.truth, await kind.predict(unseen, { features: [], weights: [weights] }))
    assert.ok(score > threshold + 0.1 && score > 0.75, `Dice ${score}, threshold ${threshold}`)
  })

test('an nnU-Net whose training was stopped goes on to the same bits', { timeout: 60_000 }, async () => {
  const config = readConfig({ ...settings, configuration: '2d', steps: 6 }, 'test')
  const kind = plannedNnunet(scans, ['FLAIR', 'T1'], config, 'test')
  const whole = await kind.train(scans, { config, seed: 2 })
  const kept = await stoppedAfter(4, (how) => kind.train(scans, { config, seed: 2, ...how }))
  assert.deepEqual(differing(await kind.train(scans, { config, seed: 2, state: kept }), whole), [])
})

test('patches: unvaried ones are cut as they lie, forced ones hold lesion, and labels stay with their image', () => {
  const shape = [20, 24, 28] as const
  const count = shape[0] * shape[1] * shape[2]
  const labels = new Int16Array(count)
  const foreground: number[] = []
  for (let k = 2; k < 5; k++)
    for (let j = 18; j < 22; j++)
      for (let i = 3; i < 7; i++) {
        labels[(k * shape[1] + j) * shape[2] + i] = 1
        foreground.push((k * shape[1] + j) * shape[2] + i)
      }
  // The image is the place itself: 1 at lesions, else a small number of its own.
  const channel = Float32Array.from(labels, (label, i) => (label ? 1 : (i % 97) / 200))
  const one: PreparedCase = { shape, channels: [channel], labels, foreground: Uint32Array.from(foreground) }
  const random = seededRandom(5)
  for (const patch of [
    [8, 8, 8],
    [12, 16],
  ]) {
    const size = patch.reduce((a, b) => a * b, 1)
    const [image, truth] = [new Float32Array(size), new Float32Array(2 * size)]
    for (let n = 0; n < 20; n++) {
      drawPatch([one], { patch, intensity: 0 }, true, random, image, truth)
      const lesion = truth.subarray(size)
      assert.ok(lesion.some((v) => v === 1))
      for (let i = 0; i < size; i++) {
        assert.equal(truth[i] + lesion[i], 1)
        assert.equal(image[i] > 0.9, lesion[i] === 1)
      }
    }
    const [again, labelsAgain] = [new Float32Array(size), new Float32Array(2 * size)]
    drawPatch([one], { patch, intensity: 1 }, false, seededRandom(7), image, truth)
    drawPatch([one], { patch, intensity: 1 }, false, seededRandom(7), again, labelsAgain)
    assert.deepEqual(again, image)
    assert.deepEqual(labelsAgain, truth)
    assert.ok(image.every(Number.isFinite))
  }
})
