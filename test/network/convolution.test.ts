import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as o from '../../src/network/operators/index.js'
import { checkGradients, type Spec, valuesOf } from './gradient-check.js'

const real = (shape: number[]): Spec => ({ shape, kind: 'real', low: -1, high: 1 })

const convolutions: Record<string, { x: number[]; w: number[]; options?: o.ConvolutionOptions }> = {
  'same 3×3': { x: [2, 3, 6, 7], w: [4, 3, 3, 3] },
  'same 3×3, large plane': { x: [2, 2, 18, 17], w: [3, 2, 3, 3] },
  valid: { x: [2, 3, 6, 7], w: [4, 3, 3, 3], options: { padding: 'valid' } },
  'valid, large plane': { x: [1, 2, 20, 19], w: [3, 2, 3, 3], options: { padding: 'valid' } },
  'stride 2': { x: [2, 3, 7, 8], w: [4, 3, 3, 3], options: { stride: 2, padding: [1, 1] } },
  'stride 2, kernel 2': { x: [2, 3, 8, 8], w: [4, 3, 2, 2], options: { stride: 2, padding: 'valid' } },
  'dilation 2': { x: [1, 2, 9, 10], w: [3, 2, 3, 3], options: { dilation: 2 } },
  'dilation 2, large plane': { x: [1, 2, 18, 17], w: [3, 2, 3, 3], options: { dilation: 2 } },
  'two groups': { x: [2, 4, 6, 6], w: [6, 2, 3, 3], options: { groups: 2 } },
  'depthwise, large plane': { x: [1, 3, 17, 18], w: [3, 1, 3, 3], options: { groups: 3 } },
  '1×1': { x: [2, 3, 5, 4], w: [4, 3, 1, 1] },
  '1×3': { x: [1, 2, 6, 7], w: [3, 2, 1, 3] },
  '3-D': { x: [2, 2, 4, 5, 6], w: [3, 2, 3, 3, 3] },
  '3-D, large plane': { x: [1, 2, 3, 16, 17], w: [2, 2, 3, 3, 3] },
  '3-D 1×3×3': { x: [1, 2, 3, 16, 17], w: [2, 2, 1, 3, 3] },
  '3-D stride 1×2×2': { x: [1, 2, 3, 8, 8], w: [3, 2, 3, 3, 3], options: { stride: [1, 2, 2], padding: [1, 1, 1] } },
  '3-D dilated': { x: [1, 2, 6, 7, 7], w: [2, 2, 3, 3, 3], options: { dilation: 2 } },
}

for (const [name, { x, w, options = {} }] of Object.entries(convolutions)) {
  test(`convolution, ${name}: the sum that its definition says, with the gradient of differences`, async () => {
    const inputs = { x: real(x), w: real(w) }
    const { output, errors } = await checkGradients(inputs, (g, i) => o.convolution(g, i.x, i.w, options))
    for (const [input, error] of Object.entries(errors)) assert.ok(error < 2e-2, `gradient of ${input}: ${error}`)
    const expected = plainConvolution(valuesOf(inputs.x, 1), x, valuesOf(inputs.w, 2), w, options)
    assert.equal(output.length, expected.length)
    output.forEach((v, i) => assert.ok(Math.abs(v - expected[i]) < 1e-4, `at ${i}: ${v}, not ${expected[i]}`))
  })
}

for (const kernel of [
  [3, 3],
  [1, 1],
])
  test(`a convolution's bias, ${kernel.join('×')}: added to every voxel of its channel, its gradient their sum`, async () => {
    const inputs = { x: real([2, 3, 5, 6]), w: real([4, 3, ...kernel]), bias: real([4]) }
    const { output, errors } = await checkGradients(inputs, (g, { x, w, bias }) => o.convolution(g, x, w, { bias }))
    for (const [input, error] of Object.entries(errors)) assert.ok(error < 2e-2, `gradient of ${input}: ${error}`)
    const plain = plainConvolution(valuesOf(inputs.x, 1), [2, 3, 5, 6], valuesOf(inputs.w, 2), [4, 3, ...kernel], {})
    const bias = valuesOf(inputs.bias, 3)
    plain.forEach((v, i) => {
      const expected = v + bias[Math.floor(i / 30) % 4]
      assert.ok(Math.abs(output[i] - expected) < 1e-4, `at ${i}: ${output[i]}, not ${expected}`)
    })
  })

/** By the definition, in 64 bits; two dimensions are three with a depth of 1. */
function plainConvolution(
  x: Float32Array,
  xs: number[],
  w: Float32Array,
  ws: number[],
  options: o.ConvolutionOptions,
): number[] {
  const rank = xs.length - 2
  const three = (v: readonly number[], fill: number) => (rank === 3 ? [...v] : [fill, ...v])
  const per = (v: number | readonly number[] | undefined) => (typeof v === 'object' ? v : Array(rank).fill(v ?? 1))
  const k = three(ws.slice(2), 1)
  const s = three(per(options.stride), 1)
  const d = three(per(options.dilation), 1)
  const { padding = 'same', groups = 1 } = options
  const p =
    typeof padding === 'object'
      ? three(padding, 0)
      : k.map((n, i) => (padding === 'same' ? Math.floor(((n - 1) * d[i]) / 2) : 0))
  const n = three(xs.slice(2), 1)
  const m = n.map((size, i) => Math.floor((size + 2 * p[i] - d[i] * (k[i] - 1) - 1) / s[i]) + 1)
  const [batch, channels, out, perGroup] = [xs[0], xs[1], ws[0], ws[1]]
  const result: number[] = []
  for (let b = 0; b < batch; b++)
    for (let o = 0; o < out; o++)
      for (let z = 0; z < m[0]; z++)
        for (let y = 0; y < m[1]; y++)
          for (let q = 0; q < m[2]; q++) {
            let total = 0
            for (let c = 0; c < perGroup; c++)
              for (let i = 0; i < k[0]; i++)
                for (let j = 0; j < k[1]; j++)
                  for (let l = 0; l < k[2]; l++) {
                    const at = [z * s[0] + i * d[0] - p[0], y * s[1] + j * d[1] - p[1], q * s[2] + l * d[2] - p[2]]
                    if (at.some((v, a) => v < 0 || v >= n[a])) continue
                    const channel = Math.floor(o / (out / groups)) * perGroup + c
                    total +=
                      x[(((b * channels + channel) * n[0] + at[0]) * n[1] + at[1]) * n[2] + at[2]] *
                      w[(((o * perGroup + c) * k[0] + i) * k[1] + j) * k[2] + l]
                  }
            result.push(total)
          }
  return result
}
