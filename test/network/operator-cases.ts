import type { Graph, Value } from '../../src/network/graph/graph.js'
import { batchNormalised } from '../../src/network/networks/batch-norm.js'
import * as o from '../../src/network/operators/index.js'
import type { Build } from './gradient-check.js'

const pair =
  (run: (graph: Graph, a: Value, b: Value) => Value): Build =>
  (g, { a, b }) =>
    run(g, a, b)

const plain =
  (run: (graph: Graph, x: Value) => Value): Build =>
  (g, { x }) =>
    run(g, x)

const conv =
  (options: o.ConvolutionOptions = {}): Build =>
  (g, { x, weight }) =>
    o.convolution(g, x, weight, options)

const up =
  (options: Parameters<typeof o.transposedConvolution>[3]): Build =>
  (g, { x, weight }) =>
    o.transposedConvolution(g, x, weight, options)

const gru: Build = (g, { frames, ...weights }) => {
  const gate = (name: string) => ({ weight: weights[`${name}Weight`], bias: weights[`${name}Bias`] })
  const gates = { update: gate('update'), reset: gate('reset'), candidate: gate('candidate') }
  const each = Array.from({ length: frames.shape[0] }, (_, t) =>
    o.reshape(g, o.slice(g, frames, [{ axis: 0, start: t, end: t + 1 }]), frames.shape.slice(1)),
  )
  return o.convGru(g, each, gates).at(-1)!
}

/** Builds of the cases of test/golden/network.json that are operators. */
export const operatorCases: Record<string, Build> = {
  add: pair(o.add),
  subtract: pair(o.subtract),
  multiply: pair(o.multiply),
  divide: pair(o.divide),
  maximum: pair(o.maximum),
  minimum: pair(o.minimum),
  power: plain((g, x) => o.power(g, x, 2.5)),
  where: (g, { x, yes, no }) => o.where(g, o.greater(g, x, 0), yes, no),
  negate: plain(o.negate),
  exponential: plain(o.exponential),
  logarithm: plain(o.logarithm),
  squareRoot: plain(o.squareRoot),
  absolute: plain(o.absolute),
  sigmoid: plain(o.sigmoid),
  tanh: plain(o.tanh),
  errorFunction: plain(o.errorFunction),
  sum: plain((g, x) => o.sum(g, x, [0, -1])),
  mean: plain((g, x) => o.mean(g, x, [1, 2])),
  largest: plain((g, x) => o.largest(g, x, [0, 2])),
  logSumExp: plain((g, x) => o.logSumExp(g, x, [0, 2])),
  cast: plain((g, x) => o.cast(g, o.cast(g, x, 'float64'), 'float32')),

  reshape: plain((g, x) => o.reshape(g, x, [4, -1])),
  transpose: plain((g, x) => o.transpose(g, x, [2, 0, 1])),
  expand: plain((g, x) => o.expand(g, x, [2, 3, 4])),
  slice: plain((g, x) =>
    o.slice(g, x, [
      { axis: 0, start: 1, end: 3 },
      { axis: 1, start: 1, end: 6, step: 2 },
    ]),
  ),
  dilate: plain((g, x) => o.dilate(g, x, [{ axis: 1, step: 3 }])),
  pad: plain((g, x) =>
    o.pad(
      g,
      x,
      [
        { axis: 1, before: 2, after: 1 },
        { axis: 0, before: 1, after: 0 },
      ],
      0.5,
    ),
  ),
  replicatePad: plain((g, x) =>
    o.replicatePad(g, x, [
      { axis: 3, before: 2, after: 1 },
      { axis: 2, before: 1, after: 0 },
    ]),
  ),
  concat: (g, { a, b, c }) => o.concat(g, [a, b, c], 1),
  cropCentre: plain((g, x) => o.cropCentre(g, x, [3, 2])),
  gather: (g, { x, at }) => o.gather(g, x, o.cast(g, at, 'int64')),
  'gather axis 1': (g, { x, at }) => o.gather(g, x, o.cast(g, at, 'int64'), 1),
  scatterSum: (g, { x, at }) => o.scatterSum(g, x, o.cast(g, at, 'int64'), [4]),

  matmul: pair(o.matmul),
  'matmul transA': pair((g, a, b) => o.matmul(g, a, b, { transA: true })),
  'matmul transB': pair((g, a, b) => o.matmul(g, a, b, { transB: true })),
  'matmul transA transB': pair((g, a, b) => o.matmul(g, a, b, { transA: true, transB: true })),
  'matmul broadcast': pair(o.matmul),
  dense: (g, { x, weight, bias }) => o.dense(g, x, weight, bias),
  attention: (g, { q, k, v, bias }) => o.attention(g, q, k, v, bias),

  'convolution 2-D same': conv({ padding: 'same' }),
  'convolution 2-D valid': conv({ padding: 'valid' }),
  'convolution 2-D stride': conv({ padding: 'same', stride: 2 }),
  'convolution 2-D even kernel': conv({ padding: [1, 1], stride: 2 }),
  'convolution 2-D dilation': conv({ padding: 'same', dilation: 2 }),
  'convolution 2-D stride dilation': conv({ padding: 'same', stride: 2, dilation: 2 }),
  'convolution 2-D groups': conv({ padding: 'same', groups: 2 }),
  'convolution 2-D much padding': conv({ padding: [2, 2] }),
  'convolution 2-D one voxel': conv(),
  'convolution 2-D one voxel stride': conv({ stride: 2 }),
  'convolution 2-D wide': conv({ padding: 'same' }),
  'convolution 2-D wide groups dilation': conv({ padding: 'same', dilation: [2, 1], groups: 2 }),
  'convolution 3-D same': conv({ padding: 'same' }),
  'convolution 3-D anisotropic': conv({ padding: 'same' }),
  'convolution 3-D stride': conv({ padding: 'same', stride: [1, 2, 2] }),
  'convolution 3-D patches': conv({ padding: 'valid', stride: 2 }),
  'convolution 3-D dilation': conv({ padding: 'valid', dilation: [2, 1, 2] }),
  'convolution 3-D groups': conv({ padding: [1, 1, 0], groups: 2 }),
  'convolution 3-D wide': conv({ padding: [0, 1, 1] }),
  'transposed 2-D doubling': up({ stride: 2 }),
  'transposed 2-D general': up({ stride: 2, padding: [1, 1] }),
  'transposed 2-D groups': up({ stride: [2, 1], groups: 2 }),
  'transposed 3-D anisotropic': up({ stride: [1, 2, 2] }),
  'transposed 3-D general': up({ stride: [1, 2, 2], padding: [1, 0, 1] }),
  convGru: gru,
  'convGru 3-D': gru,

  relu: plain(o.relu),
  leakyRelu: plain((g, x) => o.leakyRelu(g, x, 0.1)),
  prelu: (g, { x, slope }) => o.prelu(g, x, slope),
  elu: plain((g, x) => o.elu(g, x, 0.7)),
  gelu: plain(o.gelu),
  silu: plain(o.silu),
  softplus: plain(o.softplus),
  softmax: plain((g, x) => o.softmax(g, x, 1)),
  logSoftmax: plain((g, x) => o.logSoftmax(g, x, 1)),
  affine: (g, { x, scale, shift }) => o.affine(g, x, scale, shift),
  instanceNormalised: plain((g, x) => o.instanceNormalised(g, x)),
  'instanceNormalised affine': (g, { x, scale, shift }) => o.instanceNormalised(g, x, 1e-5, { scale, shift }),
  groupNormalised: (g, { x, scale, shift }) => o.groupNormalised(g, x, 2, 1e-5, { scale, shift }),
  layerNormalised: (g, { x, scale, shift }) => o.layerNormalised(g, x, 1e-5, { scale, shift }),
  batchNormalised: (g, { x, scale, shift }) => batchNormalised(g, 'norm', x, { scale, shift }),
  dropout: plain((g, x) => o.dropout(g, x, 0.4)),
  'dropout per channel': plain((g, x) => o.dropout(g, x, 0.4, { perChannel: true })),

  'maxPool 2-D': plain((g, x) => o.maxPool(g, x, 2)),
  'maxPool 3-D': plain((g, x) => o.maxPool(g, x, [1, 2, 2])),
  'maxPool overlapping': plain((g, x) => o.maxPool(g, x, 3, { stride: 2, padding: 1 })),
  unpool: plain((g, x) => {
    const { values, indices } = o.maxPoolWithIndices(g, x, 2)
    return o.unpool(g, values, indices, x.shape)
  }),
  averagePool: plain((g, x) => o.averagePool(g, x, 2)),
  'averagePool general': plain((g, x) => o.averagePool(g, x, 3, { stride: 2, padding: 1 })),
  'averagePool 3-D': plain((g, x) => o.averagePool(g, x, [1, 2, 3], { stride: [1, 1, 2], padding: [0, 1, 1] })),
  windowSum: plain((g, x) => o.windowSum(g, x, 3, { padding: 1 })),
  globalAverage: plain(o.globalAverage),
  globalLargest: plain(o.globalLargest),
  'resize nearest': plain((g, x) => o.resize(g, x, [5, 6], 'nearest')),
  'resize nearest-exact': plain((g, x) => o.resize(g, x, [3, 3], 'nearest-exact')),
  'resize linear': plain((g, x) => o.resize(g, x, [6, 5])),
  'resize linear 3-D': plain((g, x) => o.resize(g, x, [4, 2, 5], 'linear', true)),
}

/** Operators whose gradient is on purpose not that of their value. */
export const detachedCases: Record<string, Build> = {
  stopGradient: plain((g, x) => o.multiply(g, x, o.stopGradient(g, x))),
  reverseGradient: plain((g, x) => o.reverseGradient(g, x, 0.5)),
}
