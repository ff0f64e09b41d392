import { type ChannelRoles, type Variation, vary } from '../augment.js'
import { type CropShares, type LabelledScan, pick, ScanPool } from '../scan.js'
import { type Anatomy, paste, type Shape2d } from './paste.js'

/**
 * Training samples of a multi-plane 2-D network: crops of slices along any axis, turned, scaled and bent by one
 * interpolation, with lesions pasted into healthy white matter and intensities varied as scanners vary them.
 */

export interface PlaneOptions extends Variation, CropShares {
  /** Pixels of the square crop, 1 mm each. */
  size: number
  /** Share of samples with pasted lesions. */
  pasting: number
  /** Share of thin-sliced samples averaged to slices of 2–8 mm. */
  thick: number
}

/** Slices of this and more, mm, are thick: only their own plane is used. */
export const thickSlice = 2.5

/** Axes along which a scan may be cut: all where voxels are about even, else the one across the slices. */
export function planeAxes(spacing: readonly number[]): number[] {
  const across = spacing.indexOf(Math.max(...spacing))
  return spacing[across] < thickSlice ? [0, 1, 2] : [across]
}

/** The scans to draw from. */
export class PlanePool {
  readonly #scans: ScanPool
  readonly #roles: ChannelRoles

  /** @param reach neighbouring slices on either side that a sample shows as further channels */
  constructor(
    scans: readonly LabelledScan[],
    roles: ChannelRoles,
    readonly options: PlaneOptions,
    readonly reach = 0,
  ) {
    this.#scans = new ScanPool(scans, roles.flair[0])
    const every = (list: readonly number[]) =>
      slicesWithin(reach).flatMap((_, n) => list.map((c) => c + n * scans[0].channels.length))
    this.#roles = { ...roles, flair: every(roles.flair), t1: every(roles.t1) }
  }

  /** Writes one sample: `image` is `[channels of the slice, then of its neighbours, size, size]`, `truth` `[size, size]`. */
  draw(random: () => number, image: Float32Array, truth: Float32Array): void {
    const { size } = this.options
    const { scan, voxel: centre } = this.#scans.voxel(this.options, random)
    const axis = pick(planeAxes(scan.spacing), random)
    const thickness = this.#thickness(scan, axis, random)
    const plane = planeAt(scan, axis, centre)
    const map = warp(plane, size, random)
    const window = windowOf(plane, map)
    const area = size * size
    let to = 0
    for (const offset of slicesWithin(this.reach)) {
      const beside = { ...plane, at: plane.at.map((x, a) => (a === axis ? x + offset * thickness : x)) }
      for (const channel of scan.channels)
        interpolate(cut(channel, beside, window, thickness), map, image.subarray(to, (to += area)))
    }
    interpolate(cut(scan.truth, plane, window, thickness), map, truth)
    for (let i = 0; i < area; i++) truth[i] = truth[i] >= 0.5 ? 1 : 0
    const anatomy: Anatomy = { size, image, truth, ...this.#roles }
    if (random() < this.options.pasting) paste(anatomy, this.#shapes(random), random)
    vary({ ...anatomy, shape: [size, size] }, this.options, random)
  }

  #thickness(scan: LabelledScan, axis: number, random: () => number): number {
    if (Math.max(...scan.spacing) >= thickSlice || random() >= this.options.thick) return 1
    return Math.max(1, Math.round((2 + 6 * random()) / scan.spacing[axis]))
  }

  /** Slices of other scans' lesions. */
  #shapes(random: () => number): Shape2d[] {
    const shapes: Shape2d[] = []
    for (let i = 0; i < 6; i++) {
      const found = this.#scans.lesion(random)
      if (found) shapes.push(crossSection(found.scan, pick(planeAxes(found.scan.spacing), random), found.voxel))
    }
    return shapes
  }
}

/** Offsets of the slices that a sample shows: its own, then those on either side. */
export const slicesWithin = (reach: number): number[] => [
  0,
  ...Array.from({ length: reach }, (_, n) => [-n - 1, n + 1]).flat(),
]

/** A slice of a scan, along its first two axes other than `axis`. */
interface Plane {
  dims: readonly number[]
  axis: number
  u: number
  v: number
  /** Voxel in the middle of the crop to come. */
  at: readonly number[]
  /** Pixel sizes, mm. */
  spacing: readonly [number, number]
  /** Whether the first axis runs left to right, along which a head may be mirrored. */
  mirrors: boolean
}

function planeAt({ dims, spacing }: LabelledScan, axis: number, centre: number): Plane {
  const [u, v] = [0, 1, 2].filter((a) => a !== axis)
  const at = [centre % dims[0], Math.floor(centre / dims[0]) % dims[1], Math.floor(centre / (dims[0] * dims[1]))]
  return { dims, axis, u, v, at, spacing: [spacing[u], spacing[v]], mirrors: u === 0 }
}

/** Part of a plane: pixels from `low` up to `high`, not included. */
interface Window {
  low: readonly [number, number]
  high: readonly [number, number]
}

/** The pixels that positions need: the rest of the plane is not read. */
function windowOf({ dims, u, v }: Plane, map: Float32Array): Window {
  let [u0, u1, v0, v1] = [dims[u], 0, dims[v], 0]
  for (let k = 0; k < map.length; k += 2) {
    const i = Math.floor(map[k])
    const j = Math.floor(map[k + 1])
    if (i < u0) u0 = i
    if (i > u1) u1 = i
    if (j < v0) v0 = j
    if (j > v1) v1 = j
  }
  const inside = (x: number, axis: number) => Math.max(0, Math.min(dims[axis], x))
  return { low: [inside(u0, u), inside(v0, v)], high: [inside(u1 + 2, u), inside(v1 + 2, v)] }
}

interface Layer extends Window {
  values: Float32Array
}

/** One slice, or the mean of `thickness` neighbours. */
function cut(volume: ArrayLike<number>, { dims, axis, u, v, at }: Plane, window: Window, thickness: number): Layer {
  const strides = [1, dims[0], dims[0] * dims[1]]
  const first = Math.max(0, Math.min(dims[axis] - thickness, at[axis] - (thickness >> 1)))
  const last = Math.min(dims[axis], first + thickness)
  const { low, high } = window
  const width = Math.max(0, high[0] - low[0])
  const values = new Float32Array(width * Math.max(0, high[1] - low[1]))
  for (let w = first; w < last; w++) {
    let to = 0
    for (let j = low[1]; j < high[1]; j++) {
      let from = w * strides[axis] + j * strides[v] + low[0] * strides[u]
      for (let i = 0; i < width; i++, from += strides[u]) values[to++] += volume[from]
    }
  }
  const share = 1 / (last - first)
  if (share !== 1) for (let i = 0; i < values.length; i++) values[i] *= share
  return { ...window, values }
}

/** Pixel positions of the crop in the plane: turned, scaled, shifted, mirrored and gently bent. */
function warp({ spacing, at, u, v, mirrors }: Plane, size: number, random: () => number): Float32Array {
  const turn = (random() - 0.5) * 0.6
  const scale = Math.exp((random() - 0.5) * 0.4)
  const stretch = Math.exp((random() - 0.5) * 0.15)
  const flip = mirrors && random() < 0.5 ? -1 : 1
  const [shiftX, shiftY] = [(random() - 0.5) * size * 0.5, (random() - 0.5) * size * 0.5]
  const waves = Array.from({ length: 2 }, () => ({
    a: 2.5 * random(),
    fx: (random() * 4 * Math.PI) / size,
    fy: (random() * 4 * Math.PI) / size,
    p: 6.28 * random(),
  }))
  const [cos, sin] = [Math.cos(turn), Math.sin(turn)]
  const map = new Float32Array(2 * size * size)
  for (let j = 0, k = 0; j < size; j++) {
    for (let i = 0; i < size; i++) {
      const x =
        (i - size / 2 + shiftX + waves[0].a * Math.sin(waves[0].fx * i + waves[0].fy * j + waves[0].p)) *
        flip *
        scale *
        stretch
      const y =
        ((j - size / 2 + shiftY + waves[1].a * Math.sin(waves[1].fx * i + waves[1].fy * j + waves[1].p)) * scale) /
        stretch
      map[k++] = at[u] + (cos * x - sin * y) / spacing[0]
      map[k++] = at[v] + (sin * x + cos * y) / spacing[1]
    }
  }
  return map
}

/** Bilinear; zero outside. */
function interpolate({ values, low, high }: Layer, map: Float32Array, out: Float32Array): void {
  const width = high[0] - low[0]
  for (let k = 0; k < out.length; k++) {
    const x = map[2 * k]
    const y = map[2 * k + 1]
    const i = Math.floor(x)
    const j = Math.floor(y)
    if (i < low[0] || j < low[1] || i >= high[0] - 1 || j >= high[1] - 1) {
      out[k] = 0
      continue
    }
    const at = (j - low[1]) * width + i - low[0]
    const a = x - i
    const b = y - j
    out[k] =
      (values[at] * (1 - a) + values[at + 1] * a) * (1 - b) +
      (values[at + width] * (1 - a) + values[at + width + 1] * a) * b
  }
}

/** The lesion pixels around one of them, within 24 mm. */
function crossSection(scan: LabelledScan, axis: number, centre: number): Shape2d {
  const size = 48
  const plane = planeAt(scan, axis, centre)
  const map = new Float32Array(2 * size * size)
  for (let j = 0, k = 0; j < size; j++) {
    for (let i = 0; i < size; i++) {
      map[k++] = plane.at[plane.u] + (i - size / 2) / plane.spacing[0]
      map[k++] = plane.at[plane.v] + (j - size / 2) / plane.spacing[1]
    }
  }
  const mask = new Float32Array(size * size)
  interpolate(cut(scan.truth, plane, windowOf(plane, map), 1), map, mask)
  return connected(mask, size)
}

/** Only what is joined to the middle: one lesion. */
function connected(mask: Float32Array, size: number): Shape2d {
  const kept = new Float32Array(mask.length)
  const stack = [(size >> 1) * size + (size >> 1)]
  while (stack.length) {
    const at = stack.pop()!
    if (kept[at] || mask[at] < 0.3) continue
    kept[at] = mask[at]
    const x = at % size
    if (x > 0) stack.push(at - 1)
    if (x < size - 1) stack.push(at + 1)
    if (at >= size) stack.push(at - size)
    if (at < size * (size - 1)) stack.push(at + size)
  }
  return { size, mask: kept }
}
