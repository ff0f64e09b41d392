import { normalQuantile } from '../evaluate/statistics/distributions.js'
import type { Vec3 } from '../volume/affine.js'
import type { Lattice } from './shape-render.js'

/**
 * What scanners do to images, in place on plain arrays (x fastest), fast enough for training patches. Intensities are
 * relative to white matter at 1.
 */

let quantiles: Float32Array | undefined

/** Standard normal numbers from a table of 65 536 quantiles: several times faster than Box & Muller, cut at ±4.3. */
export function quickNormal(random: () => number): () => number {
  quantiles ??= Float32Array.from({ length: 65536 }, (_, n) => normalQuantile((n + 0.5) / 65536))
  const table = quantiles
  return () => table[(random() * 65536) | 0]
}

/** Rician noise of standard deviation `sd` (Gudbjartsson & Patz 1995). */
export function ricianNoise(values: Float32Array, sd: number, random: () => number): void {
  if (sd === 0) return
  const normal = quickNormal(random)
  for (let i = 0; i < values.length; i++) {
    const real = values[i] + sd * normal()
    const imaginary = sd * normal()
    values[i] = Math.sqrt(real * real + imaginary * imaginary)
  }
}

/**
 * Multiplies by exp of a smooth random field: normal numbers of standard deviation `strength` on a lattice of 4 knots
 * along each axis, linear between them (Billot et al. 2023).
 */
export function biasField(values: Float32Array, shape: Vec3, strength: number, random: () => number): void {
  if (strength === 0) return
  const normal = quickNormal(random)
  const knots = Float32Array.from({ length: 64 }, () => strength * normal())
  const [nx, ny, nz] = shape
  const along = (n: number, count: number) => (count > 1 ? (3 * n) / (count - 1) : 0)
  const line = new Float32Array(4)
  let at = 0
  for (let k = 0; k < nz; k++) {
    const z = along(k, nz)
    const c = Math.min(2, z | 0)
    for (let j = 0; j < ny; j++) {
      const y = along(j, ny)
      const b = Math.min(2, y | 0)
      for (let a = 0; a < 4; a++) {
        const base = a + 4 * b + 16 * c
        const near = knots[base] + (knots[base + 4] - knots[base]) * (y - b)
        const far = knots[base + 16] + (knots[base + 20] - knots[base + 16]) * (y - b)
        line[a] = near + (far - near) * (z - c)
      }
      for (let i = 0; i < nx; i++, at++) {
        const x = along(i, nx)
        const a = Math.min(2, x | 0)
        values[at] *= Math.exp(line[a] + (line[a + 1] - line[a]) * (x - a))
      }
    }
  }
}

/** Another scanner's contrast: values of white matter's range raised to `gamma`, white matter (1) staying where it is. */
export function gammaShift(values: Float32Array, gamma: number): void {
  if (gamma === 1) return
  const most = 4
  const steps = 2048
  const table = Float32Array.from({ length: steps + 2 }, (_, n) => ((n * most) / steps) ** gamma)
  for (let i = 0; i < values.length; i++) {
    const place = (Math.max(0, Math.min(most, values[i])) * steps) / most
    const n = place | 0
    values[i] = table[n] + (table[n + 1] - table[n]) * (place - n)
  }
}

/**
 * Ghosts of a periodic movement: `count` ghosts over the field of view along an axis, each `strength` of the image,
 * with alternating phase. Part of the signal goes into the ghosts.
 */
export function ghosts(
  values: Float32Array,
  shape: Vec3,
  { axis, count, strength }: { axis: 0 | 1 | 2; count: number; strength: number },
): void {
  if (strength === 0) return
  const size = shape[axis]
  const stride = [1, shape[0], shape[0] * shape[1]][axis]
  const shift = Math.max(1, Math.round(size / (count + 1)))
  const line = new Float32Array(size)
  eachLine(shape, axis, (start) => {
    for (let n = 0; n < size; n++) line[n] = values[start + n * stride]
    for (let n = 0; n < size; n++) {
      const ghost = line[(n + shift) % size] - 0.5 * line[(n + size - shift) % size]
      values[start + n * stride] = Math.abs((1 - 0.5 * strength) * line[n] + strength * ghost)
    }
  })
}

/**
 * Slices of `mm` along an axis, put back on the grid as a scan that was interpolated to it: each slice is the mean over
 * its thickness, linear in between. Slices begin at a random place.
 */
export function thickSlices(
  values: Float32Array,
  { shape, spacing }: Lattice,
  { axis, mm }: { axis: 0 | 1 | 2; mm: number },
  random: () => number,
): void {
  const size = shape[axis]
  const step = mm / spacing[axis]
  if (step <= 1 || size === 1) return
  const stride = [1, shape[0], shape[0] * shape[1]][axis]
  const first = -random() * step
  const slices = Math.ceil((size - first) / step)
  const sums = new Float64Array(size + 1)
  const means = new Float32Array(slices)
  /** Integral of a line up to a place in voxels. */
  const upTo = (place: number) => {
    const p = Math.max(0, Math.min(size, place))
    const n = Math.min(size - 1, p | 0)
    return sums[n] + (p - n) * (sums[n + 1] - sums[n])
  }
  eachLine(shape, axis, (start) => {
    for (let n = 0; n < size; n++) sums[n + 1] = sums[n] + values[start + n * stride]
    for (let s = 0; s < slices; s++) {
      const [from, to] = [Math.max(0, first + s * step), Math.min(size, first + (s + 1) * step)]
      means[s] = to > from ? (upTo(to) - upTo(from)) / (to - from) : 0
    }
    for (let n = 0; n < size; n++) {
      const place = Math.max(0, Math.min(slices - 1, (n + 0.5 - first) / step - 0.5))
      const s = Math.min(slices - 2, place | 0)
      values[start + n * stride] = slices < 2 ? means[0] : means[s] + (means[s + 1] - means[s]) * (place - s)
    }
  })
}

/** A light blur, σ about 0.6 voxels: partial volume between neighbouring labels. */
export function softened(values: Float32Array, shape: Vec3): void {
  for (const axis of [0, 1, 2] as const) {
    const size = shape[axis]
    if (size < 2) continue
    const stride = [1, shape[0], shape[0] * shape[1]][axis]
    eachLine(shape, axis, (start) => {
      let before = values[start]
      let here = before
      for (let n = 0; n < size; n++) {
        const at = start + n * stride
        const next = n + 1 < size ? values[at + stride] : here
        values[at] = 0.2 * before + 0.6 * here + 0.2 * next
        before = here
        here = next
      }
    })
  }
}

function eachLine(shape: Vec3, axis: 0 | 1 | 2, visit: (start: number) => void): void {
  const [nx, ny, nz] = shape
  const [u, v] = [
    [ny, nz],
    [nx, nz],
    [nx, ny],
  ][axis]
  const [su, sv] = [
    [nx, nx * ny],
    [1, nx * ny],
    [1, nx],
  ][axis]
  for (let b = 0; b < v; b++) for (let a = 0; a < u; a++) visit(a * su + b * sv)
}
