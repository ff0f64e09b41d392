import { gaussianRandom } from '../random.js'

/** Changes of a sample's intensities, as scanners and protocols differ. */

/** Which channel is what; the others are left as they are. */
export interface ChannelRoles {
  /** FLAIR channels, in units in which lesions stand out by 2 to 6. */
  flair: readonly number[]
  /** T1 channels, zero at normal white matter; dropped together at times, so that the network works without them. */
  t1: readonly number[]
  /** White-matter probability of the atlas, 0–1. */
  white: number
}

/** A crop in the making, of two or three dimensions. */
export interface Sample extends ChannelRoles {
  /** Slowest axis first. */
  shape: readonly number[]
  /** `[channels, …shape]` */
  image: Float32Array
  truth: Float32Array
}

export interface Variation {
  /** Strength of the changes, 1 as in the shipped recipe. */
  intensity: number
  /** Share of samples without T1. */
  t1Dropout: number
}

/** Changes of contrast, gain, noise, blur and bias as between scanners. What is exactly zero lies outside and stays so. */
export function vary(
  { shape, image, truth, flair, t1 }: Sample,
  { intensity, t1Dropout }: Variation,
  random: () => number,
): void {
  const count = truth.length
  const normal = gaussianRandom(random)
  const spread = (deviation: number) => Math.exp(normal() * deviation * intensity)
  const layer = (c: number) => image.subarray(c * count, (c + 1) * count)
  const field = lowFrequency(shape, random)
  const fieldStrength = random() < 0.5 ? 0.3 * random() * intensity : 0
  const gain = spread(0.2)
  const offset = normal() * 0.25 * intensity
  // Lesions of one scanner stand out twice as much as those of another.
  const lesion = random() < 0.5 ? (random() * 2.2 - 1.4) * intensity : 0
  const noise = random() < 0.6 ? 0.45 * random() * random() * intensity : 0
  const blur = random() < 0.3 ? 0.4 + 0.9 * random() : 0
  const ghost = random() < 0.15 ? ghostOf(shape, 0.25 * intensity, random) : undefined
  for (const c of flair) {
    const values = layer(c)
    for (let i = 0; i < count; i++) {
      if (values[i] === 0) continue
      const own = truth[i] ? Math.max(-0.6 * values[i], lesion) : 0
      values[i] = (values[i] + own) * gain + offset + fieldStrength * field[i] * 3
    }
    if (ghost) addGhost(values, ghost)
    if (blur) soften(values, shape, blur)
    if (noise) for (let i = 0; i < count; i++) if (values[i] !== 0) values[i] += normal() * noise
  }
  if (t1.length === 0) return
  if (random() < t1Dropout) {
    for (const c of t1) layer(c).fill(0)
    return
  }
  const t1Gain = spread(0.3)
  const t1Offset = normal() * 0.1 * intensity
  const t1Noise = random() < 0.5 ? 0.25 * random() * random() * intensity : 0
  const t1Lesion = random() < 0.4 ? (random() - 0.6) * intensity : 0
  const t1Blur = random() < 0.3 ? 0.4 + 0.9 * random() : 0
  for (const c of t1) {
    const values = layer(c)
    for (let i = 0; i < count; i++) {
      if (values[i] === 0) continue
      values[i] = values[i] * t1Gain + t1Offset + (truth[i] ? t1Lesion * 0.5 : 0) + normal() * t1Noise
    }
    if (t1Blur) soften(values, shape, t1Blur)
  }
}

/** A faint copy, shifted along the phase-encoding axis as motion leaves it. */
interface Ghost {
  /** Voxels from one to the next along the axis. */
  step: number
  /** Voxels of the axis. */
  length: number
  shift: number
  strength: number
}

function ghostOf(shape: readonly number[], strongest: number, random: () => number): Ghost {
  const axis = Math.floor(shape.length * random())
  const length = shape[axis]
  return {
    step: shape.slice(axis + 1).reduce((product, n) => product * n, 1),
    length,
    // Motion of one to four periods over the readout puts the ghosts that far apart.
    shift: Math.round(length / (2 + Math.floor(3 * random()))),
    strength: strongest * random() * (random() < 0.5 ? -1 : 1),
  }
}

function addGhost(values: Float32Array, { step, length, shift, strength }: Ghost): void {
  const copy = values.slice()
  for (let i = 0; i < values.length; i++) {
    if (copy[i] === 0) continue
    const at = Math.floor(i / step) % length
    values[i] += strength * copy[i + (((at + shift) % length) - at) * step]
  }
}

/** A product of slow waves along the axes, −1 to 1. */
function lowFrequency(shape: readonly number[], random: () => number): Float32Array {
  const fastestFirst = [...shape].reverse()
  const frequencies = fastestFirst.map(() => random() * 2)
  const phases = fastestFirst.map(() => random() * 6.28)
  const waves = fastestFirst.map((n, axis) =>
    Float64Array.from({ length: n }, (_, i) => Math.sin((frequencies[axis] * i * Math.PI) / n + phases[axis])),
  )
  return waves.reduce((field, wave) => {
    const next = new Float32Array(field.length * wave.length)
    for (let j = 0, k = 0; j < wave.length; j++) for (const value of field) next[k++] = value * wave[j]
    return next
  }, Float32Array.of(1))
}

/** Gaussian blur of 5 taps along each axis, in place; a margin of two stays as it is. */
export function soften(values: Float32Array, shape: readonly number[], sigma: number): void {
  const taps = [0, 1, 2].map((d) => Math.exp((-d * d) / (2 * sigma * sigma)))
  const total = taps[0] + 2 * (taps[1] + taps[2])
  const [w0, w1, w2] = taps.map((t) => t / total)
  const copy = new Float32Array(values.length)
  let step = 1
  const steps = [...shape].reverse().map((n) => {
    step *= n
    return step / n
  })
  const margin = 2 * steps[steps.length - 1] + 2
  for (const by of steps) {
    copy.set(values)
    for (let i = margin; i < values.length - margin; i++) {
      if (copy[i] === 0) continue
      values[i] = w0 * copy[i] + w1 * (copy[i - by] + copy[i + by]) + w2 * (copy[i - 2 * by] + copy[i + 2 * by])
    }
  }
}
