import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cornerDistance } from '../../src/volume/affine.js'
import { phantomBrain, phantomImage } from '../phantom.js'
import type { Answer } from './kernels-page.js'
import { answersOf, skip } from './served.js'
import { results } from './steps.js'

const [flair, t1, brain] = [
  phantomImage({ contrast: 'flair', bias: 0.2 }),
  phantomImage({ contrast: 't1' }),
  phantomBrain(),
]
const bytes = ({ data }: { data: Float32Array | Uint8Array }) => new Uint8Array(data.buffer)
const served = {
  script: 'kernels-page.ts',
  data: { flair: bytes(flair), t1: bytes(t1), brain: bytes(brain) },
}

test('in a browser, in a page and in its worker, kernels and preparation give what Node gives', {
  skip,
  timeout: 120_000,
}, async () => {
  const [page, worker] = await answersOf<Answer>(['page', 'worker'], served)
  for (const { where, error, isolated, sharedMemory } of [page, worker]) {
    assert.equal(error, undefined, where)
    assert.ok(isolated && sharedMemory, where)
  }
  const expected = await results(flair, t1, brain, 1)
  assert.equal(new Set(Object.values(expected.hashes)).size, Object.keys(expected.hashes).length)
  const found = [page.results![1], page.results![2], worker.results![2]]
  for (const { hashes, map } of found) {
    assert.deepEqual(hashes, expected.hashes)
    assert.deepEqual(map, found[0].map)
  }
  // Registration sums in double precision, and engines differ in the last bit of cosines and logarithms.
  const apart = cornerDistance(found[0].map, expected.map, flair.dims)
  assert.ok(apart < 1e-3, `registration: ${apart} mm from Node's`)
})

test('a page that is not cross-origin isolated is told so', { skip, timeout: 60_000 }, async () => {
  const [page] = await answersOf<Answer>(['page'], { ...served, headers: {} })
  assert.equal(page.isolated, false)
  assert.match(page.error ?? '', /cross-origin isolated/)
})
