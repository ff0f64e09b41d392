import { gaussianRandom } from '../../random.js'
import { pick } from '../scan.js'
import type { Shape3 } from './crop.js'

/** Training patches of nnU-Net v2: where they lie, and how they are varied (Isensee et al. 2021, its supplement). */

/** A case on the plan's spacing. */
export interface PreparedCase {
  /** z, y, x of the transposed axes. */
  shape: Shape3
  channels: readonly Float32Array[]
  /** 0 background, 1 lesion. */
  labels: Int16Array
  /** Indices of lesion voxels. */
  foreground: Uint32Array
}

export interface PatchOptions {
  /** (z,) y, x */
  patch: readonly number[]
  /** Chance of turning, of scaling, and so on is nnU-Net's times this; 0 leaves patches as they are. */
  intensity: number
}

/**
 * Writes one patch: `image` `[channels, …patch]`, `truth` `[2, …patch]` one-hot.
 * @param forced lies around a lesion voxel where the case has one
 */
export function drawPatch(
  cases: readonly PreparedCase[],
  { patch, intensity }: PatchOptions,
  forced: boolean,
  random: () => number,
  image: Float32Array,
  truth: Float32Array,
): void {
  const one = pick(cases, random)
  const flat = 3 - patch.length
  const size = [...Array<number>(flat).fill(1), ...patch]
  const count = size[0] * size[1] * size[2]
  const place = placeOf(one, size, flat, forced, random)
  const map = affine(size, flat, intensity, random)
  const mirrored = size.map((n, axis) => axis >= flat && n > 1 && intensity > 0 && random() < 0.5)
  const labels = new Float32Array(count)
  const at: number[] = [0, 0, 0]
  for (let k = 0, to = 0; k < size[0]; k++)
    for (let j = 0; j < size[1]; j++)
      for (let i = 0; i < size[2]; i++, to++) {
        const p = [k, j, i].map((v, axis) => (mirrored[axis] ? size[axis] - 1 - v : v) - (size[axis] - 1) / 2)
        for (let axis = 0; axis < 3; axis++)
          at[axis] = place[axis] + map[axis][0] * p[0] + map[axis][1] * p[1] + map[axis][2] * p[2]
        one.channels.forEach((channel, c) => {
          image[c * count + to] = linear(channel, one.shape, at)
        })
        labels[to] = nearest(one.labels, one.shape, at)
      }
  for (let i = 0; i < count; i++) {
    truth[i] = labels[i] > 0 ? 0 : 1
    truth[count + i] = labels[i] > 0 ? 1 : 0
  }
  for (let c = 0; c < one.channels.length; c++)
    varyChannel(image.subarray(c * count, (c + 1) * count), size, flat, intensity, random)
}

/** Middle of the patch, voxels: anywhere that the patch fits, or around a lesion voxel. */
function placeOf(one: PreparedCase, size: readonly number[], flat: number, forced: boolean, random: () => number) {
  const { shape, foreground } = one
  const chosen = forced && foreground.length > 0 ? pick(foreground, random) : undefined
  const voxel =
    chosen === undefined
      ? shape.map((n) => Math.floor(n * random()))
      : [Math.floor(chosen / (shape[1] * shape[2])), Math.floor(chosen / shape[2]) % shape[1], chosen % shape[2]]
  return voxel.map((v, axis) => {
    if (axis < flat) return v
    const half = (size[axis] - 1) / 2
    const low = Math.min(size[axis], shape[axis]) / 2 - 0.5
    // On the voxels, so that what is not turned is not blurred.
    return Math.floor(Math.min(Math.max(v, low), shape[axis] - 1 - low) - half) + half
  })
}

/** Rows of the matrix from the patch to the image: turned with a chance of 0.2, scaled by 0.7–1.4 with one of 0.2. */
function affine(size: readonly number[], flat: number, intensity: number, random: () => number): number[][] {
  // In thin patches (anisotropic ones) turning across slices would tear them apart: about the first axis only.
  const thin = flat === 1 || Math.max(...size) / size[0] > 3
  const most = thin ? Math.PI : Math.PI / 6
  const turned = random() < 0.2 * intensity
  const angle = () => (turned ? (2 * random() - 1) * most : 0)
  const [a, b, c] = [angle(), thin ? 0 : angle(), thin ? 0 : angle()]
  const scale = random() < 0.2 * intensity ? 0.7 + 0.7 * random() : 1
  const about = (angle: number, u: number, v: number): number[][] =>
    [0, 1, 2].map((row) =>
      [0, 1, 2].map((column) => {
        if (row === u && column === u) return Math.cos(angle)
        if (row === v && column === v) return Math.cos(angle)
        if (row === u && column === v) return -Math.sin(angle)
        if (row === v && column === u) return Math.sin(angle)
        return row === column ? 1 : 0
      }),
    )
  const times = (m: number[][], n: number[][]) =>
    m.map((row) => [0, 1, 2].map((column) => row.reduce((sum, v, i) => sum + v * n[i][column], 0)))
  const turn = times(times(about(a, 1, 2), about(b, 0, 2)), about(c, 0, 1))
  return turn.map((row, axis) => row.map((v, column) => (axis < flat || column < flat ? v : v / scale)))
}

function linear(data: Float32Array, [nz, ny, nx]: Shape3, [z, y, x]: readonly number[]): number {
  const [k, j, i] = [Math.floor(z), Math.floor(y), Math.floor(x)]
  let sum = 0
  for (let corner = 0; corner < 8; corner++) {
    const [dz, dy, dx] = [corner >> 2, (corner >> 1) & 1, corner & 1]
    const weight = (dz ? z - k : 1 - z + k) * (dy ? y - j : 1 - y + j) * (dx ? x - i : 1 - x + i)
    const inside = k + dz >= 0 && k + dz < nz && j + dy >= 0 && j + dy < ny && i + dx >= 0 && i + dx < nx
    if (weight > 0 && inside) sum += weight * data[((k + dz) * ny + j + dy) * nx + i + dx]
  }
  return sum
}

function nearest(data: Int16Array, [nz, ny, nx]: Shape3, [z, y, x]: readonly number[]): number {
  const [k, j, i] = [Math.round(z), Math.round(y), Math.round(x)]
  return k >= 0 && k < nz && j >= 0 && j < ny && i >= 0 && i < nx ? data[(k * ny + j) * nx + i] : 0
}

/** Noise, blur, brightness, contrast, low resolution and gamma, each with the chance that nnU-Net gives it. */
function varyChannel(
  values: Float32Array,
  size: readonly number[],
  flat: number,
  intensity: number,
  random: () => number,
): void {
  const happens = (chance: number) => random() < chance * intensity
  if (happens(0.1)) {
    const normal = gaussianRandom(random)
    const deviation = Math.sqrt(0.1 * random())
    for (let i = 0; i < values.length; i++) values[i] += deviation * normal()
  }
  if (happens(0.1)) blurred(values, size, flat, 0.5 + 0.5 * random())
  if (happens(0.15)) scale(values, 0.75 + 0.5 * random())
  if (happens(0.15)) contrast(values, 0.75 + 0.5 * random())
  if (happens(0.125)) coarsened(values, size, flat, 1 + random())
  if (happens(0.1)) gamma(values, 0.7 + 0.8 * random(), true)
  if (happens(0.3)) gamma(values, 0.7 + 0.8 * random(), false)
}

function scale(values: Float32Array, factor: number): void {
  for (let i = 0; i < values.length; i++) values[i] *= factor
}

function range(values: Float32Array) {
  let [low, high, sum, squares] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, 0]
  for (const v of values) {
    low = Math.min(low, v)
    high = Math.max(high, v)
    sum += v
    squares += v * v
  }
  const mean = sum / values.length
  return { low, high, mean, deviation: Math.sqrt(Math.max(0, squares / values.length - mean * mean)) }
}

/** Spread around the mean, within the range that was. */
function contrast(values: Float32Array, factor: number): void {
  const { low, high, mean } = range(values)
  for (let i = 0; i < values.length; i++) values[i] = Math.min(high, Math.max(low, (values[i] - mean) * factor + mean))
}

/** Power of the position within the range, mean and deviation restored; of the inverted image where asked. */
function gamma(values: Float32Array, exponent: number, inverted: boolean): void {
  if (inverted) scale(values, -1)
  const before = range(values)
  const width = before.high - before.low
  if (width > 0) {
    for (let i = 0; i < values.length; i++)
      values[i] = ((values[i] - before.low) / width) ** exponent * width + before.low
    const now = range(values)
    const factor = now.deviation > 0 ? before.deviation / now.deviation : 1
    for (let i = 0; i < values.length; i++) values[i] = (values[i] - now.mean) * factor + before.mean
  }
  if (inverted) scale(values, -1)
}

/** Gaussian along each axis of the patch, three deviations wide, the edge repeated. */
function blurred(values: Float32Array, size: readonly number[], flat: number, sigma: number): void {
  const reach = Math.ceil(3 * sigma)
  const taps = Array.from({ length: 2 * reach + 1 }, (_, i) => Math.exp(-0.5 * ((i - reach) / sigma) ** 2))
  const total = taps.reduce((a, b) => a + b, 0)
  alongAxes(size, flat, (line, out) => {
    for (let i = 0; i < line.length; i++) {
      let sum = 0
      for (let t = 0; t < taps.length; t++) sum += taps[t] * line[Math.min(line.length - 1, Math.max(0, i + t - reach))]
      out[i] = sum / total
    }
  })(values)
}

/** As if scanned with voxels `factor` times as large: the nearest of these, then linear between them. */
function coarsened(values: Float32Array, size: readonly number[], flat: number, factor: number): void {
  alongAxes(size, flat, (line, out) => {
    const few = Math.max(1, Math.round(line.length / factor))
    const low = Float64Array.from(
      { length: few },
      (_, i) => line[Math.min(line.length - 1, Math.floor(((i + 0.5) * line.length) / few))],
    )
    for (let i = 0; i < line.length; i++) {
      const at = Math.min(Math.max(((i + 0.5) * few) / line.length - 0.5, 0), few - 1)
      const first = Math.floor(at)
      const next = Math.min(few - 1, first + 1)
      out[i] = low[first] + (low[next] - low[first]) * (at - first)
    }
  })(values)
}

/** Applies a filter to every line along every axis of the patch, in place. */
const alongAxes =
  (size: readonly number[], flat: number, filter: (line: Float64Array, out: Float64Array) => void) =>
  (values: Float32Array): void => {
    const strides = [size[1] * size[2], size[2], 1]
    for (let axis = flat; axis < 3; axis++) {
      const [line, out] = [new Float64Array(size[axis]), new Float64Array(size[axis])]
      const others = [0, 1, 2].filter((a) => a !== axis)
      for (let u = 0; u < size[others[0]]; u++)
        for (let v = 0; v < size[others[1]]; v++) {
          const start = u * strides[others[0]] + v * strides[others[1]]
          for (let i = 0; i < line.length; i++) line[i] = values[start + i * strides[axis]]
          filter(line, out)
          for (let i = 0; i < line.length; i++) values[start + i * strides[axis]] = out[i]
        }
    }
  }
