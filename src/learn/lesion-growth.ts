import { emptyImage, type Image } from '../volume/volume.js'

export interface GrowthInput {
  /** FLAIR in units of its mode, 0 outside the brain. */
  flair: Image
  /** Partial-volume label: 1–1.5 fluid, –2.5 grey, –3 white matter, 0 outside. */
  label: Image
  belief: Image
  /** Belief of the voxels that may be seeds. */
  initial: Image
  kappa: number
  phi: number
  iterations: number
  signal: AbortSignal
}

/**
 * Grows lesions from seeds (Schmidt et al. 2012): a frontier voxel's lesion probability is its smoothed belief times the
 * odds of a Gamma density, fitted to the lesions so far, against a mixture of three Gaussians, fitted to the rest, times
 * exp(φ(2n − 6)) for the sum n of its six neighbours. Voxels are visited in two checkerboard halves, so that the order
 * does not matter. No seed: an empty map.
 */
export function growLesions({ flair, label, belief, initial, kappa, phi, iterations, signal }: GrowthInput): Image {
  const out = emptyImage(label)
  const L = out.data
  const [nx, ny, nz] = label.dims
  const step = [1, -1, nx, -nx, nx * ny, -nx * ny]
  /** Voxels whose six neighbours are all in the volume, and that are in the brain. */
  const inner: number[] = []
  for (let k = 1; k < nz - 1; k++)
    for (let j = 1; j < ny - 1; j++)
      for (let i = 1, at = 1 + nx * (j + ny * k); i < nx - 1; i++, at++) if (label.data[at] !== 0) inner.push(at)
  const six = (data: Float32Array, at: number) => {
    let sum = 0
    for (const s of step) sum += data[at + s]
    return sum
  }
  for (const at of inner) if ((initial.data[at] * six(initial.data, at)) / 6 > kappa) L[at] = 1
  const lonely = inner.filter((at) => L[at] === 1 && six(L, at) < 2)
  for (const at of lonely) L[at] = 0

  let frontier = neighboursOf(
    inner.filter((at) => L[at] > 0),
    step,
    L,
    label.data,
  )
  for (let round = 0; round < iterations && frontier.length > 0; round++) {
    signal.throwIfAborted()
    const odds = intensityOdds(flair.data, label.data, L, inner)
    if (!odds) break
    let largest = 0
    const grown: number[] = []
    for (const parity of [0, 1])
      for (const at of frontier) {
        if (((at % nx) + (Math.floor(at / nx) % ny) + Math.floor(at / (nx * ny))) % 2 !== parity) continue
        const n = six(L, at)
        const mean = six(belief.data, at) / 6
        if (n <= 1 || mean <= 0) continue
        const value = Math.min(1, mean * odds(flair.data[at]) * Math.exp(phi * (2 * n - 6)))
        if (value <= L[at] || value < 1e-3) continue
        largest = Math.max(largest, value - L[at])
        L[at] = value
        grown.push(at)
      }
    if (largest <= 0.01) break
    frontier = [...new Set([...frontier.filter((at) => L[at] < 1), ...neighboursOf(grown, step, L, label.data)])].sort(
      (a, b) => a - b,
    )
  }
  return out
}

/** Voxels beside `from` that are in the brain and not certain yet. */
function neighboursOf(
  from: readonly number[],
  step: readonly number[],
  L: Float32Array,
  label: Float32Array,
): number[] {
  const found = new Set<number>()
  for (const at of from) for (const s of step) if (L[at + s] < 1 && label[at + s] !== 0) found.add(at + s)
  // A voxel at the volume's border has neighbours elsewhere: its sum would be wrong.
  return [...found].filter((at) => step.every((s) => at + s >= 0 && at + s < L.length)).sort((a, b) => a - b)
}

/** Gamma density of lesions over the mixture of the rest; undefined when there are too few distinct lesion values. */
function intensityOdds(
  flair: Float32Array,
  label: Float32Array,
  L: Float32Array,
  inner: readonly number[],
): ((value: number) => number) | undefined {
  let [n, sum, logs] = [0, 0, 0]
  const classes = [0, 1, 2].map(() => ({ n: 0, sum: 0, squares: 0 }))
  for (const at of inner) {
    const f = flair[at]
    if (L[at] > 0.5) {
      if (f <= 0) continue
      n++
      sum += f
      logs += Math.log(f)
    } else {
      const one = classes[label[at] < 1.5 ? 0 : label[at] <= 2.5 ? 1 : 2]
      one.n++
      one.sum += f
      one.squares += f * f
    }
  }
  const gamma = fitGamma(n, sum, logs)
  if (!gamma) return undefined
  const total = classes.reduce((all, one) => all + one.n, 0)
  const gaussians = classes
    .filter((one) => one.n > 1)
    .map((one) => {
      const mean = one.sum / one.n
      const sd = Math.sqrt(Math.max(1e-8, one.squares / one.n - mean * mean))
      return { weight: one.n / total, mean, sd }
    })
  return (value) => {
    if (value <= 0) return 0
    const lesion = Math.exp(
      gamma.shape * Math.log(gamma.rate) -
        logGamma(gamma.shape) +
        (gamma.shape - 1) * Math.log(value) -
        gamma.rate * value,
    )
    const rest = gaussians.reduce(
      (p, { weight, mean, sd }) => p + (weight * Math.exp(-0.5 * ((value - mean) / sd) ** 2)) / (sd * 2.5066),
      0,
    )
    return lesion / Math.max(rest, 1e-12)
  }
}

/** Shape and rate by maximum likelihood: Newton on the shape (Choi & Wette 1969). Undefined for fewer than two values. */
export function fitGamma(n: number, sum: number, sumOfLogs: number): { shape: number; rate: number } | undefined {
  if (n < 2) return undefined
  const mean = sum / n
  const s = Math.log(mean) - sumOfLogs / n
  if (!(s > 1e-9)) return undefined
  let shape = (3 - s + Math.sqrt((s - 3) ** 2 + 24 * s)) / (12 * s)
  for (let i = 0; i < 10; i++) {
    const next = shape - (Math.log(shape) - digamma(shape) - s) / (1 / shape - trigamma(shape))
    if (!(next > 0) || Math.abs(next - shape) < 1e-10 * shape) break
    shape = next
  }
  return { shape, rate: shape / mean }
}

/** ln Γ(x) for x > 0: Stirling's series after shifting x above 8 (Abramowitz & Stegun 6.1.41). */
function logGamma(x: number): number {
  let shift = 0
  for (; x < 8; x++) shift += Math.log(x)
  const r = 1 / (x * x)
  return (x - 0.5) * Math.log(x) - x + 0.9189385332046727 + (1 / 12 - r * (1 / 360 - r / 1260)) / x - shift
}

function digamma(x: number): number {
  let shift = 0
  for (; x < 8; x++) shift += 1 / x
  const r = 1 / (x * x)
  return Math.log(x) - 0.5 / x - r * (1 / 12 - r * (1 / 120 - r / 252)) - shift
}

function trigamma(x: number): number {
  let shift = 0
  for (; x < 8; x++) shift += 1 / (x * x)
  const r = 1 / (x * x)
  return 1 / x + 0.5 * r + (r / x) * (1 / 6 - r * (1 / 30 - r / 42)) + shift
}
