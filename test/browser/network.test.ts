import assert from 'node:assert/strict'
import { test } from 'node:test'
import { networkKinds } from '../../src/network/kinds.js'
import { loadModel } from '../../src/network/model.js'
import { ballPhantom } from '../network/training/phantoms.js'
import type { Answer } from './network-page.js'
import { answersOf, skip } from './served.js'

test('in a browser, with onnxruntime-web, the shipped network labels a scan as in Node', {
  skip,
  timeout: 120_000,
}, async () => {
  const scan = ballPhantom('scan', 1, [2, 2, 2])
  const channels = Float32Array.from(scan.channels.flatMap((channel) => [...channel]))
  const [page] = await answersOf<Answer>(['page'], {
    script: 'network-page.ts',
    data: { channels: new Uint8Array(channels.buffer) },
  })
  assert.equal(page.error, undefined)
  assert.match(page.without ?? '', /onnxruntime-web is not loaded/)
  const { card, weights } = await loadModel('multislice')
  const { kind, features } = card.network
  const expected = await networkKinds[kind].predict(scan, { features, weights })
  assert.ok(expected.some((p) => p > 0.5))
  const found = page.probabilities![kind]
  assert.equal(found.length, expected.length)
  const off = expected.reduce((most, p, i) => Math.max(most, Math.abs(p - found[i])), 0)
  assert.ok(off < 1e-4, `off by ${off}`)
})
