import { Matrix, solve } from 'ml-matrix'
import type { Image, Mask } from '../volume/volume.js'
import { emptyImage, voxelsIn } from '../volume/volume.js'

/** Most voxels that the trend is fitted to. */
const samples = 60_000
/** Robust standard deviations from the trend beyond which a voxel is no normal white matter: vessels, missed lesions. */
const trimAt = 3.5

/**
 * How white matter's intensity changes over the brain: a polynomial of the third order, of the first or none where there is
 * little to fit it to, by least squares over the sources, of which those that do not belong are dropped.
 *
 * @returns the trend at every voxel, in the image's units, and the sources that are left
 */
export function fitTrend(image: Image, sources: Mask): { trend: Image; kept: Mask } {
  const powers = powersOf(orderFor(voxelsIn(sources).length))
  let voxels = within(voxelsIn(sources), (at) => image.data[at])
  const trend = emptyImage(image)
  evaluate(trend, fit(image, voxels, powers), powers)
  for (let round = 0; round < 2; round++) {
    voxels = within(voxels, (at) => image.data[at] - trend.data[at])
    evaluate(trend, fit(image, voxels, powers), powers)
  }
  // Far outside the sources a polynomial may go anywhere: there it is held at what they have.
  let [low, high] = [Infinity, -Infinity]
  for (const at of voxels) {
    low = Math.min(low, trend.data[at])
    high = Math.max(high, trend.data[at])
  }
  for (let at = 0; at < trend.data.length; at++) trend.data[at] = Math.max(low, Math.min(high, trend.data[at]))
  const kept: Mask = { dims: image.dims, affine: image.affine, data: new Uint8Array(image.data.length) }
  for (const at of voxels) kept.data[at] = 1
  return { trend, kept }
}

/** Mean and standard deviation; NaN for none. */
export function typical(values: ArrayLike<number>): { mean: number; sd: number } {
  let [sum, squares] = [0, 0]
  for (let i = 0; i < values.length; i++) sum += values[i]
  const mean = sum / values.length
  for (let i = 0; i < values.length; i++) squares += (values[i] - mean) ** 2
  return { mean, sd: Math.sqrt(squares / values.length) }
}

const orderFor = (voxels: number): number => (voxels >= 5000 ? 3 : voxels >= 500 ? 1 : 0)

type Powers = readonly (readonly [number, number, number])[]

function powersOf(order: number): Powers {
  const out: [number, number, number][] = []
  for (let a = 0; a <= order; a++)
    for (let b = 0; a + b <= order; b++) for (let c = 0; a + b + c <= order; c++) out.push([a, b, c])
  return out
}

/** Position along an axis of `n` voxels, −1 … 1; 0 where there is but one. */
const position = (p: number, n: number): number => (n > 1 ? (2 * p) / (n - 1) - 1 : 0)

/** The polynomial at every voxel: along a row only the powers of x are left. */
function evaluate({ dims, data }: Image, coefficients: readonly number[], powers: Powers): void {
  const [nx, ny, nz] = dims
  const along = new Float64Array(4)
  let at = 0
  for (let k = 0; k < nz; k++)
    for (let j = 0; j < ny; j++) {
      const [y, z] = [position(j, ny), position(k, nz)]
      along.fill(0)
      for (let t = 0; t < powers.length; t++)
        along[powers[t][0]] += coefficients[t] * power(y, powers[t][1]) * power(z, powers[t][2])
      for (let i = 0; i < nx; i++, at++) {
        const x = position(i, nx)
        data[at] = along[0] + x * (along[1] + x * (along[2] + x * along[3]))
      }
    }
}

const power = (x: number, n: number): number => (n === 0 ? 1 : n === 1 ? x : n === 2 ? x * x : x * x * x)

function fit(image: Image, voxels: Uint32Array, powers: Powers): number[] {
  const n = powers.length
  const [nx, ny, nz] = image.dims
  const normal = Matrix.zeros(n, n)
  const right = Matrix.zeros(n, 1)
  const every = Math.max(1, Math.floor(voxels.length / samples))
  const row = new Float64Array(n)
  let used = 0
  for (let v = 0; v < voxels.length; v += every, used++) {
    const at = voxels[v]
    const x = position(at % nx, nx)
    const y = position(Math.floor(at / nx) % ny, ny)
    const z = position(Math.floor(at / (nx * ny)), nz)
    for (let t = 0; t < n; t++) row[t] = power(x, powers[t][0]) * power(y, powers[t][1]) * power(z, powers[t][2])
    const value = image.data[at]
    for (let a = 0; a < n; a++) {
      right.set(a, 0, right.get(a, 0) + row[a] * value)
      for (let b = 0; b <= a; b++) normal.set(a, b, normal.get(a, b) + row[a] * row[b])
    }
  }
  for (let a = 0; a < n; a++) {
    for (let b = 0; b < a; b++) normal.set(b, a, normal.get(a, b))
    // Terms that the sources cannot tell apart (one slice, a small region) stay near 0; the mean is never held back.
    if (a > 0) normal.set(a, a, normal.get(a, a) + 1e-4 * used)
  }
  return solve(normal, right).to1DArray()
}

/** The voxels whose value lies within `trimAt` robust standard deviations of the median. */
function within(voxels: Uint32Array, value: (at: number) => number): Uint32Array {
  const values = Float64Array.from(voxels, value)
  const middle = median(values)
  const spread = 1.4826 * median(values.map((v) => Math.abs(v - middle)))
  if (!(spread > 0)) return voxels
  return voxels.filter((_, n) => Math.abs(values[n] - middle) <= trimAt * spread)
}

const median = (values: Float64Array): number => values.slice().sort()[values.length >> 1]
