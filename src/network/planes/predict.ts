import { Graph, type Value } from '../graph/graph.js'
import type { Weights } from '../initialise.js'
import { sigmoid } from '../operators/index.js'
import { openSession, type Session, type SessionOptions } from '../runtime.js'
import type { NetworkScan } from '../scan.js'
import { planeAxes, slicesWithin } from './sample.js'

/** Runs a 2-D network over the slices of a scan along every useful axis and averages the probabilities. */

export interface PlanePredictOptions extends SessionOptions {
  /** Builds the network: logits `[batch, 1, height, width]` from `[batch, channels, height, width]`. */
  build(graph: Graph, image: Value): Value
  weights: readonly Weights[]
  /** Neighbouring slices on either side that the network sees too; default 0. */
  reach?: number
  /** Sizes are padded to multiples of this. */
  multiple: number
  /** Also predict the mirrored slice and average. */
  mirror?: boolean
  progress?(fraction: number): void
  signal?: AbortSignal
}

const batch = 4

/**
 * Mean probability over planes, mirror images and the models of an ensemble, 0–1 on the scan's grid; 0 outside the brain.
 * In-plane pixels far from 1 mm are resampled to 1 mm for the network and the result back.
 */
export async function predictPlanes(scan: NetworkScan, options: PlanePredictOptions): Promise<Float32Array> {
  const { channels, brain } = scan
  const axes = planeAxes(scan.spacing)
  const sum = new Float32Array(brain.length)
  let done = 0
  const total = axes.length * options.weights.length
  for (const axis of axes) {
    const layout = layoutOf(scan, axis, options.multiple)
    for (const weights of options.weights) {
      const session = await planeSession(
        layout,
        channels.length * slicesWithin(options.reach ?? 0).length,
        weights,
        options,
      )
      try {
        await onePass(scan, layout, session, options, sum, (f) => options.progress?.((done + f) / total))
      } finally {
        await session.close()
      }
      done++
    }
  }
  const share = 1 / total
  for (let i = 0; i < sum.length; i++) sum[i] = brain[i] ? sum[i] * share : 0
  options.progress?.(1)
  return sum
}

interface Layout {
  axis: number
  u: number
  v: number
  strides: readonly number[]
  /** Size of the slice that the network sees, before padding. */
  inner: readonly [number, number]
  padded: readonly [number, number]
  /** Slices that hold brain. */
  slices: readonly number[]
}

function layoutOf({ dims, spacing, brain }: NetworkScan, axis: number, multiple: number): Layout {
  const [u, v] = [0, 1, 2].filter((a) => a !== axis)
  const strides = [1, dims[0], dims[0] * dims[1]]
  const fit = (a: number) =>
    spacing[a] > 0.8 && spacing[a] < 1.25 ? dims[a] : Math.max(1, Math.round(dims[a] * spacing[a]))
  const inner = [fit(u), fit(v)] as const
  const up = (n: number) => Math.ceil(n / multiple) * multiple
  const slices: number[] = []
  for (let w = 0; w < dims[axis]; w++) {
    let some = false
    for (let j = 0; j < dims[v] && !some; j++)
      for (let i = 0; i < dims[u] && !some; i++) some = brain[w * strides[axis] + j * strides[v] + i * strides[u]] !== 0
    if (some) slices.push(w)
  }
  return { axis, u, v, strides, inner, padded: [up(inner[0]), up(inner[1])], slices }
}

async function planeSession(
  layout: Layout,
  channels: number,
  weights: Weights,
  options: PlanePredictOptions,
): Promise<Session> {
  const graph = new Graph(false)
  const image = graph.input('image', [batch, channels, layout.padded[1], layout.padded[0]])
  return await openSession(graph.model({ probability: sigmoid(graph, options.build(graph, image)) }, weights), options)
}

async function onePass(
  scan: NetworkScan,
  layout: Layout,
  session: Session,
  options: PlanePredictOptions,
  sum: Float32Array,
  progress: (f: number) => void,
): Promise<void> {
  const [width, height] = layout.padded
  const area = width * height
  const offsets = slicesWithin(options.reach ?? 0)
  const count = scan.channels.length * offsets.length
  const last = scan.dims[layout.axis] - 1
  const images = new Float32Array(batch * count * area)
  const mirrors = options.mirror && layout.u === 0 ? [false, true] : [false]
  for (let first = 0; first < layout.slices.length; first += batch) {
    options.signal?.throwIfAborted()
    const slices = layout.slices.slice(first, first + batch)
    for (const mirrored of mirrors) {
      images.fill(0)
      slices.forEach((w, b) => {
        let at = b * count * area
        for (const offset of offsets) {
          const beside = Math.max(0, Math.min(last, w + offset))
          for (const volume of scan.channels)
            read(scan, layout, volume, beside, mirrored, images.subarray(at, (at += area)))
        }
      })
      const { probability } = await session.run({ image: { data: images, shape: [batch, count, height, width] } })
      slices.forEach((w, b) =>
        addBack(scan, layout, probability.subarray(b * area, (b + 1) * area), w, mirrored, 1 / mirrors.length, sum),
      )
    }
    progress(Math.min(1, (first + batch) / layout.slices.length))
  }
}

/** Linear weights of a resampled axis: for each output pixel the lower input pixel and the share of the upper one. */
function steps(from: number, to: number): { low: Int32Array; share: Float32Array } {
  const low = new Int32Array(to)
  const share = new Float32Array(to)
  for (let i = 0; i < to; i++) {
    const place = Math.min(Math.max(((i + 0.5) * from) / to - 0.5, 0), from - 1)
    low[i] = Math.min(Math.floor(place), Math.max(0, from - 2))
    share[i] = place - low[i]
  }
  return { low, share }
}

function read(
  { dims }: NetworkScan,
  { axis, u, v, strides, inner, padded }: Layout,
  volume: Float32Array,
  w: number,
  mirrored: boolean,
  out: Float32Array,
): void {
  const x = steps(dims[u], inner[0])
  const y = steps(dims[v], inner[1])
  const [right, below] = [dims[u] > 1 ? strides[u] : 0, dims[v] > 1 ? strides[v] : 0]
  for (let j = 0; j < inner[1]; j++) {
    for (let i = 0; i < inner[0]; i++) {
      const at = w * strides[axis] + y.low[j] * strides[v] + x.low[i] * strides[u]
      const [a, b] = [x.share[i], y.share[j]]
      const value =
        a === 0 && b === 0
          ? volume[at]
          : (volume[at] * (1 - a) + volume[at + right] * a) * (1 - b) +
            (volume[at + below] * (1 - a) + volume[at + below + right] * a) * b
      out[j * padded[0] + (mirrored ? inner[0] - 1 - i : i)] = value
    }
  }
}

function addBack(
  { dims }: NetworkScan,
  { axis, u, v, strides, inner, padded }: Layout,
  plane: Float32Array,
  w: number,
  mirrored: boolean,
  weight: number,
  sum: Float32Array,
): void {
  const x = steps(inner[0], dims[u])
  const y = steps(inner[1], dims[v])
  const pixel = (i: number, j: number) =>
    plane[
      Math.min(j, inner[1] - 1) * padded[0] +
        (mirrored ? inner[0] - 1 - Math.min(i, inner[0] - 1) : Math.min(i, inner[0] - 1))
    ]
  for (let j = 0; j < dims[v]; j++) {
    for (let i = 0; i < dims[u]; i++) {
      const [a, b] = [x.share[i], y.share[j]]
      const [p, q] = [x.low[i], y.low[j]]
      const top = pixel(p, q) * (1 - a) + (a ? pixel(p + 1, q) * a : 0)
      const value = b ? top * (1 - b) + (pixel(p, q + 1) * (1 - a) + (a ? pixel(p + 1, q + 1) * a : 0)) * b : top
      sum[w * strides[axis] + j * strides[v] + i * strides[u]] += value * weight
    }
  }
}
