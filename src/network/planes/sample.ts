import { gaussianRandom } from '../../random.js'
import { type Anatomy, paste, type Shape2d } from './paste.js'

/**
 * Training samples of a multi-plane 2-D network: crops of slices along any axis, turned, scaled and bent by one
 * interpolation, with lesions pasted into healthy white matter and intensities varied as scanners vary them.
 */

/** A scan as the network sees it. Volumes are x-fastest. */
export interface PlaneCase {
  id: string
  /** Visits of one person share it; people are drawn with equal chance. */
  patient: string
  dims: readonly [number, number, number]
  /** Voxel sizes, mm. */
  spacing: readonly [number, number, number]
  channels: readonly Float32Array[]
  /** 1 = lesion. */
  truth: Uint8Array
  brain: Uint8Array
}

/** Which channel is what; the others are left as they are. */
export interface ChannelRoles {
  /** FLAIR channels, in units in which lesions stand out by 2 to 6. */
  flair: readonly number[]
  /** T1, zero at normal white matter; dropped at times, so that the network works without it. */
  t1?: number
  /** White-matter probability of the atlas, 0–1. */
  white: number
}

export interface PlaneOptions {
  /** Pixels of the square crop, 1 mm each. */
  size: number
  /** Share of samples centred on lesion. */
  foreground: number
  t1Dropout: number
  /** Share of samples with pasted lesions. */
  pasting: number
  /** Share of thin-sliced samples averaged to slices of 2–8 mm. */
  thick: number
  /** Strength of the intensity changes, 1 as in the shipped recipe. */
  intensity: number
}

export const planeDefaults: PlaneOptions = {
  size: 96,
  foreground: 0.75,
  t1Dropout: 0.35,
  pasting: 0.4,
  thick: 0.4,
  intensity: 1,
}

/** Slices of this and more, mm, are thick: only their own plane is used. */
export const thickSlice = 2.5

/** Axes along which a scan may be cut: all where voxels are about even, else the one across the slices. */
export function planeAxes(spacing: readonly number[]): number[] {
  const across = spacing.indexOf(Math.max(...spacing))
  return spacing[across] < thickSlice ? [0, 1, 2] : [across]
}

/** The scans to draw from, with where their lesions are. */
export class PlanePool {
  readonly #patients: readonly (readonly Prepared[])[]

  constructor(
    cases: readonly PlaneCase[],
    readonly roles: ChannelRoles,
    readonly options: PlaneOptions = planeDefaults,
  ) {
    const groups = new Map<string, Prepared[]>()
    for (const one of cases) groups.set(one.patient, [...(groups.get(one.patient) ?? []), prepared(one)])
    this.#patients = [...groups.values()]
  }

  /** Writes one sample: `image` is `[channels, size, size]`, `truth` `[size, size]`. */
  draw(random: () => number, image: Float32Array, truth: Float32Array): void {
    const { size, foreground } = this.options
    const from = pick(this.#patients, random)
    const { scan, lesion, inside } = pick(from, random)
    const centre = random() < foreground && lesion.length > 0 ? pick(lesion, random) : pick(inside, random)
    const axis = pick(planeAxes(scan.spacing), random)
    const plane = cut(scan, axis, centre, this.#thickness(scan, axis, random))
    const map = warp(plane, size, random)
    const area = size * size
    for (let c = 0; c < scan.channels.length; c++)
      interpolate(plane.layers[c], plane, map, image.subarray(c * area, (c + 1) * area))
    interpolate(plane.layers[scan.channels.length], plane, map, truth)
    for (let i = 0; i < area; i++) truth[i] = truth[i] >= 0.5 ? 1 : 0
    const anatomy: Anatomy = { size, image, truth, ...this.roles }
    if (random() < this.options.pasting) paste(anatomy, this.#shapes(random), random)
    vary(anatomy, this.options, random)
  }

  #thickness(scan: PlaneCase, axis: number, random: () => number): number {
    if (Math.max(...scan.spacing) >= thickSlice || random() >= this.options.thick) return 1
    return Math.max(1, Math.round((2 + 6 * random()) / scan.spacing[axis]))
  }

  /** Slices of other scans' lesions. */
  #shapes(random: () => number): Shape2d[] {
    const shapes: Shape2d[] = []
    for (let i = 0; i < 6; i++) {
      const { scan, lesion } = pick(pick(this.#patients, random), random)
      if (lesion.length > 0)
        shapes.push(crossSection(scan, pick(planeAxes(scan.spacing), random), pick(lesion, random)))
    }
    return shapes
  }
}

interface Prepared {
  scan: PlaneCase
  lesion: Uint32Array
  inside: Uint32Array
}

const pick = <T>(list: { readonly length: number; readonly [at: number]: T }, random: () => number): T =>
  list[Math.floor(random() * list.length)]

function prepared(scan: PlaneCase): Prepared {
  const where = (mask: Uint8Array) => {
    const places: number[] = []
    for (let i = 0; i < mask.length; i++) if (mask[i]) places.push(i)
    return Uint32Array.from(places)
  }
  return { scan, lesion: where(scan.truth), inside: where(scan.brain) }
}

interface Plane {
  width: number
  height: number
  /** Pixel sizes, mm. */
  spacing: readonly [number, number]
  /** Channels, then truth. */
  layers: Float32Array[]
  /** Pixel in the middle of the crop to come. */
  centre: readonly [number, number]
  /** Whether the first axis runs left to right, along which a head may be mirrored. */
  mirrors: boolean
}

/** One slice of every channel, or the mean of `thickness` neighbours. */
function cut({ dims, spacing, channels, truth }: PlaneCase, axis: number, centre: number, thickness: number): Plane {
  const strides = [1, dims[0], dims[0] * dims[1]]
  const [u, v] = [0, 1, 2].filter((a) => a !== axis)
  const at = [centre % dims[0], Math.floor(centre / dims[0]) % dims[1], Math.floor(centre / strides[2])]
  const first = Math.max(0, Math.min(dims[axis] - thickness, at[axis] - (thickness >> 1)))
  const last = Math.min(dims[axis], first + thickness)
  const layers = [...channels, truth].map((volume) => {
    const layer = new Float32Array(dims[u] * dims[v])
    for (let w = first; w < last; w++) {
      let to = 0
      for (let j = 0; j < dims[v]; j++) {
        let from = w * strides[axis] + j * strides[v]
        for (let i = 0; i < dims[u]; i++, from += strides[u]) layer[to++] += volume[from]
      }
    }
    const share = 1 / (last - first)
    if (share !== 1) for (let i = 0; i < layer.length; i++) layer[i] *= share
    return layer
  })
  return {
    width: dims[u],
    height: dims[v],
    spacing: [spacing[u], spacing[v]],
    layers,
    centre: [at[u], at[v]],
    mirrors: u === 0,
  }
}

/** Pixel positions of the crop in the plane: turned, scaled, shifted, mirrored and gently bent. */
function warp({ spacing, centre, mirrors }: Plane, size: number, random: () => number): Float32Array {
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
      map[k++] = centre[0] + (cos * x - sin * y) / spacing[0]
      map[k++] = centre[1] + (sin * x + cos * y) / spacing[1]
    }
  }
  return map
}

/** Bilinear; zero outside. */
function interpolate(layer: Float32Array, { width, height }: Plane, map: Float32Array, out: Float32Array): void {
  for (let k = 0; k < out.length; k++) {
    const x = map[2 * k]
    const y = map[2 * k + 1]
    const i = Math.floor(x)
    const j = Math.floor(y)
    if (i < 0 || j < 0 || i >= width - 1 || j >= height - 1) {
      out[k] = 0
      continue
    }
    const at = j * width + i
    const a = x - i
    const b = y - j
    out[k] =
      (layer[at] * (1 - a) + layer[at + 1] * a) * (1 - b) +
      (layer[at + width] * (1 - a) + layer[at + width + 1] * a) * b
  }
}

/** The lesion pixels around one of them, within 24 mm. */
function crossSection(scan: PlaneCase, axis: number, centre: number): Shape2d {
  const plane = cut({ ...scan, channels: [] }, axis, centre, 1)
  const size = 48
  const map = new Float32Array(2 * size * size)
  for (let j = 0, k = 0; j < size; j++) {
    for (let i = 0; i < size; i++) {
      map[k++] = plane.centre[0] + (i - size / 2) / plane.spacing[0]
      map[k++] = plane.centre[1] + (j - size / 2) / plane.spacing[1]
    }
  }
  const mask = new Float32Array(size * size)
  interpolate(plane.layers[0], plane, map, mask)
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

/** Changes of contrast, gain, noise, blur and bias as between scanners. */
function vary(
  { size, image, truth, flair, t1 }: Anatomy,
  { intensity, t1Dropout }: PlaneOptions,
  random: () => number,
): void {
  const area = size * size
  const normal = gaussianRandom(random)
  const spread = (deviation: number) => Math.exp(normal() * deviation * intensity)
  const layer = (c: number) => image.subarray(c * area, (c + 1) * area)
  const field = lowFrequency(size, random)
  const fieldStrength = random() < 0.5 ? 0.3 * random() * intensity : 0
  const gain = spread(0.2)
  const offset = normal() * 0.25 * intensity
  // Lesions of one scanner stand out twice as much as those of another.
  const lesion = random() < 0.5 ? (random() * 2.2 - 1.4) * intensity : 0
  const noise = random() < 0.6 ? 0.45 * random() * random() * intensity : 0
  const blur = random() < 0.3 ? 0.4 + 0.9 * random() : 0
  for (const c of flair) {
    const pixels = layer(c)
    for (let i = 0; i < area; i++) {
      if (pixels[i] === 0) continue
      const own = truth[i] ? Math.max(-0.6 * pixels[i], lesion) : 0
      pixels[i] = (pixels[i] + own) * gain + offset + fieldStrength * field[i] * 3
    }
    if (blur) soften(pixels, size, blur)
    if (noise) for (let i = 0; i < area; i++) if (pixels[i] !== 0) pixels[i] += normal() * noise
  }
  if (t1 === undefined) return
  const pixels = layer(t1)
  if (random() < t1Dropout) {
    pixels.fill(0)
    return
  }
  const t1Gain = spread(0.3)
  const t1Offset = normal() * 0.1 * intensity
  const t1Noise = random() < 0.5 ? 0.25 * random() * random() * intensity : 0
  const t1Lesion = random() < 0.4 ? (random() - 0.6) * intensity : 0
  for (let i = 0; i < area; i++) {
    if (pixels[i] === 0) continue
    pixels[i] = pixels[i] * t1Gain + t1Offset + (truth[i] ? t1Lesion * 0.5 : 0) + normal() * t1Noise
  }
  if (random() < 0.3) soften(pixels, size, 0.4 + 0.9 * random())
}

function lowFrequency(size: number, random: () => number): Float32Array {
  const field = new Float32Array(size * size)
  const [fx, fy, px, py] = [random() * 2, random() * 2, random() * 6.28, random() * 6.28]
  for (let j = 0, k = 0; j < size; j++)
    for (let i = 0; i < size; i++)
      field[k++] = Math.sin((fx * i * Math.PI) / size + px) * Math.sin((fy * j * Math.PI) / size + py)
  return field
}

/** Gaussian blur of 5 taps a direction, in place. */
export function soften(pixels: Float32Array, size: number, sigma: number): void {
  const taps = [0, 1, 2].map((d) => Math.exp((-d * d) / (2 * sigma * sigma)))
  const total = taps[0] + 2 * (taps[1] + taps[2])
  const [w0, w1, w2] = taps.map((t) => t / total)
  const copy = new Float32Array(pixels.length)
  for (const step of [1, size]) {
    copy.set(pixels)
    for (let i = 2 * size + 2; i < pixels.length - 2 * size - 2; i++) {
      // What is exactly zero lies outside the brain and stays so.
      if (copy[i] === 0) continue
      pixels[i] = w0 * copy[i] + w1 * (copy[i - step] + copy[i + step]) + w2 * (copy[i - 2 * step] + copy[i + 2 * step])
    }
  }
}
