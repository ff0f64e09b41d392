import assert from 'node:assert/strict'
import { test } from 'node:test'
import { spectralInvariants } from '../../src/learn/spectral-gradient.js'
import { seededRandom } from '../../src/random.js'

test('by hand for one voxel', () => {
  const [first, second] = spectralInvariants([[100], [50], [200]].map((v) => Float32Array.from(v)))
  const e = 0.2358 + 1.2587 + 2.1642
  const el = 1.1943 + 0.08575 - 2.7988
  const ell = 1.3743 - 1.19825 + 1.314
  assert.ok(Math.abs(first[0] - el / e) < 1e-6)
  assert.ok(Math.abs(second[0] - (e * ell - el * el) / (e * e)) < 1e-6)
})

test('shading does not change it, and no signal is 0', () => {
  const random = seededRandom(1)
  const channels = [0, 1, 2].map(() => Float32Array.from({ length: 50 }, () => 20 + 200 * random()))
  const shaded = channels.map((values) => values.map((v, i) => v * (0.5 + i / 50)))
  const [plain, dim] = [spectralInvariants(channels), spectralInvariants(shaded)]
  for (const at of [0, 1])
    plain[at].forEach((value, i) => {
      assert.ok(Math.abs(value - dim[at][i]) < 1e-5)
    })
  const dark = spectralInvariants([0, 1, 2].map(() => new Float32Array(3)))
  assert.deepEqual(dark, [new Float32Array(3), new Float32Array(3)])
})
