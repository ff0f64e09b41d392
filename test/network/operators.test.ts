import assert from 'node:assert/strict'
import { test } from 'node:test'
import { differentiate } from '../../src/network/graph/differentiate.js'
import { Graph, ShapeError, sizeOf, type Value } from '../../src/network/graph/graph.js'
import * as op from '../../src/network/operators/index.js'
import { openSession } from '../../src/network/runtime.js'
import { type Case, checkGradients, evaluate } from './gradient-check.js'

const image = [2, 4, 6, 8]
const volume = [1, 2, 4, 6, 8]
const positive = [0.5, 2] as const

const unary = (build: (graph: Graph, x: Value) => Value, rest: Partial<Case> = {}): Case => ({
  shapes: [[2, 3, 5]],
  build: (graph, [x]) => build(graph, x),
  ...rest,
})

/** Numbers so far from each other that no step of a difference changes which is the largest. */
const apart = (graph: Graph, x: Value): Value => {
  const count = sizeOf(x.shape)
  const steps = new Float32Array(count).map((_, i) => ((i * 7919) % count) / 5)
  return op.add(graph, op.multiply(graph, x, 0.05), graph.constant(steps, x.shape))
}

const convolutions: Record<string, { x: number[]; w: number[]; options?: op.ConvolutionOptions }> = {
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

for (const [name, { x, w, options }] of Object.entries(convolutions))
  test(`gradient of convolution, ${name}`, () =>
    checkGradients(name, { shapes: [x, w], build: (g, [a, b]) => op.convolution(g, a, b, options) }))

test('convolution is the sum that its definition says, for every variant', async () => {
  for (const [name, { x, w, options = {} }] of Object.entries(convolutions)) {
    const { run, values, close } = await evaluate({
      shapes: [x, w],
      build: (g, [a, b]) => op.convolution(g, a, b, options),
    })
    const { y } = await run()
    const expected = plainConvolution(values[0], x, values[1], w, options)
    assert.equal(y.length, expected.length, name)
    y.forEach((v, i) => assert.ok(Math.abs(v - expected[i]) < 1e-4, `${name} at ${i}: ${v}, not ${expected[i]}`))
    await close()
  }
})

/** By the definition, in 64 bits; two dimensions are three with a depth of 1. */
function plainConvolution(
  x: Float32Array,
  xs: number[],
  w: Float32Array,
  ws: number[],
  options: op.ConvolutionOptions,
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

const cases: Record<string, Case> = {
  add: {
    shapes: [
      [2, 3, 4],
      [3, 1],
    ],
    build: (g, [a, b]) => op.add(g, a, b),
  },
  subtract: { shapes: [[2, 3, 4], [4]], build: (g, [a, b]) => op.subtract(g, a, b) },
  multiply: {
    shapes: [
      [2, 3, 4],
      [2, 1, 4],
    ],
    build: (g, [a, b]) => op.multiply(g, a, b),
  },
  divide: {
    shapes: [
      [2, 3],
      [2, 3],
    ],
    range: positive,
    build: (g, [a, b]) => op.divide(g, a, b),
  },
  maximum: { shapes: [[40], [40]], gap: 0.05, build: (g, [a, b]) => op.maximum(g, a, op.add(g, b, 5)) },
  minimum: { shapes: [[40], [40]], build: (g, [a, b]) => op.minimum(g, a, op.add(g, b, 5)) },
  power: unary((g, x) => op.power(g, x, 2.5), { range: positive }),
  where: {
    shapes: [
      [3, 4],
      [3, 4],
    ],
    build: (g, [a, b]) =>
      op.where(
        g,
        op.greater(
          g,
          g.constant(
            new Float32Array(12).map((_, i) => i % 3),
            [3, 4],
          ),
          0.5,
        ),
        a,
        b,
      ),
  },
  negate: unary(op.negate),
  exponential: unary(op.exponential),
  logarithm: unary(op.logarithm, { range: positive }),
  'square root': unary(op.squareRoot, { range: positive }),
  absolute: unary(op.absolute, { gap: 0.05 }),
  sigmoid: unary(op.sigmoid),
  tanh: unary(op.tanh),
  'error function': unary(op.errorFunction),
  sum: unary((g, x) => op.multiply(g, op.sum(g, x, [1]), x)),
  mean: unary((g, x) => op.multiply(g, op.mean(g, x, [0, 2]), x)),
  largest: {
    shapes: [[4, 9]],
    build: (g, [x]) =>
      op.largest(
        g,
        op.add(
          g,
          x,
          g.constant(
            new Float32Array(36).map((_, i) => (i * 7) % 9),
            [4, 9],
          ),
        ),
        [1],
      ),
  },
  reshape: unary((g, x) => op.multiply(g, op.reshape(g, x, [6, -1]), op.reshape(g, x, [6, 5]))),
  transpose: { shapes: [[2, 3, 4]], build: (g, [x]) => op.transpose(g, x, [2, 0, 1]) },
  expand: { shapes: [[3, 1]], build: (g, [x]) => op.expand(g, x, [2, 3, 4]) },
  slice: {
    shapes: [[7, 9]],
    build: (g, [x]) =>
      op.slice(g, x, [
        { axis: 0, start: 1, end: 6, step: 2 },
        { axis: 1, start: 2, end: 9, step: 3 },
      ]),
  },
  dilate: {
    shapes: [[3, 4]],
    build: (g, [x]) =>
      op.dilate(g, x, [
        { axis: 0, step: 2 },
        { axis: 1, step: 3 },
      ]),
  },
  pad: { shapes: [[3, 4]], build: (g, [x]) => op.pad(g, x, [{ axis: 1, before: 2, after: 1 }], 3) },
  concat: {
    shapes: [
      [2, 3],
      [2, 4],
    ],
    build: (g, [a, b]) => op.concat(g, [a, b, a], 1),
  },
  matmul: {
    shapes: [
      [2, 3, 4],
      [4, 5],
    ],
    build: (g, [a, b]) => op.matmul(g, a, b),
  },
  'matmul, both transposed': {
    shapes: [
      [2, 4, 3],
      [2, 5, 4],
    ],
    build: (g, [a, b]) => op.matmul(g, a, b, { transA: true, transB: true }),
  },
  'matmul, first transposed': {
    shapes: [
      [2, 4, 3],
      [2, 4, 5],
    ],
    build: (g, [a, b]) => op.matmul(g, a, b, { transA: true }),
  },
  'transposed convolution, kernel = stride': {
    shapes: [
      [2, 3, 3, 4],
      [3, 2, 2, 2],
    ],
    build: (g, [x, w]) => op.transposedConvolution(g, x, w, { stride: 2 }),
  },
  'transposed convolution, kernel 3 stride 2': {
    shapes: [
      [1, 2, 3, 4],
      [2, 3, 3, 3],
    ],
    build: (g, [x, w]) => op.transposedConvolution(g, x, w, { stride: 2, padding: [1, 1] }),
  },
  'transposed convolution, 3-D': {
    shapes: [
      [1, 2, 2, 3, 3],
      [2, 3, 1, 2, 2],
    ],
    build: (g, [x, w]) => op.transposedConvolution(g, x, w, { stride: [1, 2, 2] }),
  },
  relu: unary(op.relu, { gap: 0.05 }),
  'leaky relu': unary((g, x) => op.leakyRelu(g, x, 0.1), { gap: 0.05 }),
  prelu: { shapes: [[2, 3, 5], [3]], gap: 0.05, build: (g, [x, s]) => op.prelu(g, x, s) },
  elu: unary(op.elu, { gap: 0.05 }),
  gelu: unary(op.gelu),
  silu: unary(op.silu),
  softplus: unary(op.softplus),
  softmax: unary((g, x) => op.softmax(g, x, 1)),
  'log softmax': unary((g, x) => op.logSoftmax(g, x, 1)),
  'instance norm': { shapes: [image], build: (g, [x]) => op.instanceNormalised(g, x) },
  'instance norm, scaled': {
    shapes: [image, [4], [4]],
    build: (g, [x, scale, shift]) => op.instanceNormalised(g, x, 1e-5, { scale, shift }),
  },
  'group norm': { shapes: [image], build: (g, [x]) => op.groupNormalised(g, x, 2) },
  'layer norm': { shapes: [[3, 4, 10]], build: (g, [x]) => op.layerNormalised(g, x) },
  affine: { shapes: [image, [4], [4]], build: (g, [x, a, b]) => op.affine(g, x, a, b) },
  'max pool': { shapes: [image], build: (g, [x]) => op.maxPool(g, apart(g, x), 2) },
  'max pool, overlapping': {
    shapes: [image],
    build: (g, [x]) => op.maxPool(g, apart(g, x), 3, { stride: 2, padding: 1 }),
  },
  'max pool, 3-D': { shapes: [volume], build: (g, [x]) => op.maxPool(g, apart(g, x), [1, 2, 2]) },
  unpool: {
    shapes: [image],
    build: (g, [x]) => {
      const { values, indices } = op.maxPoolWithIndices(g, apart(g, x), 2)
      return op.unpool(g, values, indices, image)
    },
  },
  'average pool': { shapes: [volume], build: (g, [x]) => op.averagePool(g, x, [2, 3, 2]) },
  gather: { shapes: [[5, 3]], build: (g, [x]) => op.gather(g, x, g.whole([4, 0, 4, 2])) },
  'resize up, linear': { shapes: [image], build: (g, [x]) => op.resize(g, x, [12, 9]) },
  'resize down, corners': { shapes: [volume], build: (g, [x]) => op.resize(g, x, [3, 4, 5], 'linear', true) },
  'resize, nearest': { shapes: [image], build: (g, [x]) => op.resize(g, x, [12, 16], 'nearest') },
  attention: {
    shapes: [
      [1, 2, 4, 3],
      [1, 2, 5, 3],
      [1, 2, 5, 3],
    ],
    build: (g, [q, k, v]) => op.attention(g, q, k, v),
  },
  'crop of the centre': { shapes: [image], build: (g, [x]) => op.cropCentre(g, x, [3, 4]) },
}

for (const [name, one] of Object.entries(cases)) test(`gradient of ${name}`, () => checkGradients(name, one))

test('a gradient that is stopped is not there, a reversed one is the negative', async () => {
  const graph = new Graph()
  const x = graph.input('x', [3])
  const stopped = op.sum(graph, op.stopGradient(graph, x))
  assert.deepEqual(differentiate(graph, stopped, [x]), [undefined])
  const reversed = op.sum(graph, op.reverseGradient(graph, op.multiply(graph, x, x), 0.5))
  const [g] = differentiate(graph, reversed, [x])
  const session = await openSession(graph.model({ g: g! }))
  const result = await session.run({ x: { data: Float32Array.of(1, -2, 3), shape: [3] } })
  assert.deepEqual([...result.g], [-1, 2, -3])
})

test('a gradient can be differentiated again', async () => {
  const graph = new Graph()
  const x = graph.input('x', [2])
  const cubed = op.sum(graph, op.multiply(graph, x, op.multiply(graph, x, x)))
  const [first] = differentiate(graph, cubed, [x])
  const [second] = differentiate(graph, op.sum(graph, first!), [x])
  const session = await openSession(graph.model({ second: second! }))
  const result = await session.run({ x: { data: Float32Array.of(2, -1), shape: [2] } })
  assert.deepEqual([...result.second], [12, -6])
})

test('dropout zeroes a share in training, keeps the mean, and does nothing at inference', async () => {
  const shape = [4, 1000]
  const training = new Graph(true)
  const y = op.dropout(training, training.input('x', shape), 0.3)
  const session = await openSession(training.model({ y }))
  const noise = { data: Float32Array.from({ length: 4000 }, (_, i) => ((i * 7919) % 4000) / 4000), shape }
  const result = await session.run({ x: { data: new Float32Array(4000).fill(1), shape }, noise0: noise })
  const zeros = result.y.filter((v) => v === 0).length
  assert.equal(zeros, 1200)
  assert.ok(Math.abs(result.y.reduce((a, b) => a + b, 0) / 4000 - 1) < 1e-4)
  const inference = new Graph(false)
  const x = inference.input('x', shape)
  assert.equal(op.dropout(inference, x, 0.3), x)
})

test('shapes that do not fit are refused when the graph is built', () => {
  const graph = new Graph()
  const x = graph.input('x', [2, 3, 4, 4])
  const refused: (() => unknown)[] = [
    () => op.add(graph, x, graph.input('a', [5])),
    () => op.convolution(graph, x, graph.input('w', [2, 4, 3, 3])),
    () => op.matmul(graph, x, graph.input('m', [3, 3])),
    () => op.concat(graph, [x, graph.input('c', [2, 3, 4, 5])], 1),
    () => op.reshape(graph, x, [5, -1]),
    () => op.slice(graph, x, [{ axis: 2, start: 1, end: 6 }]),
    () => op.groupNormalised(graph, x, 2),
    () => op.averagePool(graph, x, 3),
    () => op.maxPool(graph, x, 5),
    () => differentiate(graph, x, [x]),
    () => graph.input('x', [1]),
  ]
  for (const f of refused) assert.throws(f, ShapeError)
})
