import type { Shape3 } from './crop.js'
import { product } from './rules.js'

/** 0 the nearest voxel, 1 linear, 3 the interpolating cubic B-spline. */
export type SplineOrder = 0 | 1 | 3

/** Voxels by which a line is continued with its end values before the spline is fitted, as SciPy does. */
const padding = 12

/**
 * An image on a grid of another shape over the same extent: voxel centres at (i + ½)·old/new − ½, continued beyond the
 * border by its value there, no smoothing before; SciPy's `zoom` in grid mode, and scikit-image's `resize`.
 *
 * @param data voxels of `shape` (slice, row, column), columns fastest
 * @param orders of interpolation along each axis
 */
export function resize(
  data: Float32Array,
  shape: Shape3,
  target: Shape3,
  orders: readonly SplineOrder[],
): Float32Array {
  let out = data
  const now = [...shape]
  for (const axis of [0, 1, 2]) {
    if (now[axis] === target[axis]) continue
    out = resizeAxis(out, now, axis, target[axis], now[axis] === 1 ? 0 : orders[axis])
    now[axis] = target[axis]
  }
  return out
}

/** Neighbouring lines that are worked on together, so that memory is read in the order it lies in. */
const lanes = 16

function resizeAxis(data: Float32Array, shape: readonly number[], axis: number, size: number, order: SplineOrder) {
  const from = shape[axis]
  const stride = product(shape.slice(axis + 1))
  const out = new Float32Array((data.length / from) * size)
  const pad = order === 3 ? padding : 0
  const length = from + 2 * pad
  const taps = order + 1
  const { first, weights } = sampling(from, size, order, pad)
  const lines = new Float64Array(length * lanes)
  const outer = product(shape.slice(0, axis))
  for (let block = 0; block < outer; block++)
    for (let start = 0; start < stride; start += lanes) {
      const width = Math.min(lanes, stride - start)
      for (let i = 0; i < length; i++) {
        const source = (block * from + Math.min(Math.max(i - pad, 0), from - 1)) * stride + start
        for (let lane = 0; lane < width; lane++) lines[i * width + lane] = data[source + lane]
      }
      if (order === 3) fitCubicSplines(lines, length, width)
      for (let i = 0; i < size; i++) {
        const at = (block * size + i) * stride + start
        const source = first[i] * width
        for (let lane = 0; lane < width; lane++) {
          let value = 0
          for (let tap = 0; tap < taps; tap++) value += weights[taps * i + tap] * lines[source + tap * width + lane]
          out[at + lane] = value
        }
      }
    }
  return out
}

/** For each new voxel the first of the old ones (padding counted) that it mixes, and their weights. */
function sampling(from: number, size: number, order: SplineOrder, pad: number) {
  const scale = from / size
  const taps = order + 1
  const length = from + 2 * pad
  const first = new Int32Array(size)
  const weights = new Float64Array(size * taps)
  for (let i = 0; i < size; i++) {
    const place = Math.min(Math.max((i + 0.5) * scale - 0.5 + pad, 0), length - 1)
    if (order === 0) {
      first[i] = Math.floor(place + 0.5)
      weights[i] = 1
    } else {
      // The last tap must lie on the line: at its very end the fraction is then 1 and not 0.
      const start = Math.min(Math.floor(place), Math.max(0, length - 2))
      const t = place - start
      first[i] = order === 1 ? start : start - 1
      weights.set(order === 1 ? [1 - t, t] : cubicWeights(t), taps * i)
    }
  }
  return { first, weights }
}

const cubicWeights = (t: number): number[] => {
  const s = 1 - t
  return [(s * s * s) / 6, (4 - 6 * t * t + 3 * t * t * t) / 6, (4 - 6 * s * s + 3 * s * s * s) / 6, (t * t * t) / 6]
}

/**
 * Turns the values of lines that lie side by side into cubic B-spline coefficients, in place, each line mirrored at its
 * ends (Unser 1999).
 */
function fitCubicSplines(values: Float64Array, length: number, width: number): void {
  const pole = Math.sqrt(3) - 2
  const last = (length - 1) * width
  for (let lane = 0; lane < width; lane++) {
    let sum = 0
    // 28 terms: what follows is below double precision.
    for (let i = Math.min(28, length - 1); i >= 0; i--) sum = sum * pole + values[i * width + lane]
    values[lane] = sum
  }
  for (let i = width; i < last + width; i++) values[i] += pole * values[i - width]
  for (let i = last; i < last + width; i++)
    values[i] = (pole / (pole * pole - 1)) * (values[i] + pole * values[i - width])
  for (let i = last - 1; i >= 0; i--) values[i] = pole * (values[i + width] - values[i])
  for (let i = 0; i < last + width; i++) values[i] *= 6
}
