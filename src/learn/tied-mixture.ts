import type { CosineBasis, Thinning } from './cosine-basis.js'

/** A Gaussian whose channels are independent (diagonal covariance). */
export interface DiagonalGaussian {
  /** Share of its structure, 0–1. */
  weight: number
  mean: number[]
  variance: number[]
}

export interface TiedSamples {
  /** Log-intensities, one array of n values per channel. */
  channels: readonly Float32Array[]
  /** Prior probability of each structure at each sample when it is healthy; they sum to 1. */
  structures: readonly Float32Array[]
  /** Prior probability of lesion at each sample. */
  lesion: Float32Array
}

export interface LesionTie {
  /** Which structure is white matter; it has one Gaussian. */
  white: number
  /** Pseudo-samples ν that tie the lesion's mean and variance to white matter: in samples, so fewer when thinned. */
  strength: number
  /** Lesion variance that is expected, in white-matter variances (ρ, or κ in the paper). */
  inflation: number
}

export interface TiedBias {
  basis: CosineBasis
  /** The thinned grid that the samples are taken from, and where on it each sample lies. */
  thinning: Thinning
  places: Uint32Array
}

export interface TiedOptions extends LesionTie {
  /** Gaussians of each structure. */
  gaussians: readonly number[]
  bias?: TiedBias
  /** Most rounds; 100 by default. */
  iterations?: number
  /** Stop when the mean log-likelihood per sample changes by less; 1e-4 by default. */
  tolerance?: number
  signal?: AbortSignal
}

export interface TiedMixture {
  /** Gaussians of each structure. */
  structures: DiagonalGaussian[][]
  lesion: DiagonalGaussian
  /** Coefficients of each channel's bias field (log-intensities), empty without `bias`. */
  bias: Float64Array[]
  iterations: number
  logLikelihood: number
}

/** Least variance, in squared log-intensities: a thousandth of the intensity. */
const floor = 1e-6

/**
 * Gaussians of the brain's structures under a voxel-wise prior, a smooth bias field in each channel, and a lesion
 * Gaussian tied to white matter: its mean has the prior N(white mean, lesion variance / ν) and its variance an inverse
 * Wishart with mode ρ · white variance and strength ν, so that it stays near white matter until there are lesions enough
 * to say what they look like. Expectation–maximisation; the bias field is the weighted least-squares fit to the residuals
 * (Van Leemput et al. 1999; Puonti et al. 2016; Cerri et al. 2021).
 */
export function fitTiedMixture(
  { channels, structures: priors, lesion: lesionPrior }: TiedSamples,
  options: TiedOptions,
): TiedMixture {
  const { gaussians, white, inflation, bias, iterations = 100, tolerance = 1e-4, signal } = options
  const n = lesionPrior.length
  const d = channels.length
  let structures = priors.map((prior, k) => startOf(channels, prior, gaussians[k]))
  const [w] = structures[white]
  let lesion: DiagonalGaussian = { weight: 1, mean: [...w.mean], variance: w.variance.map((v) => inflation * v) }
  const corrected = channels.map((channel) => Float32Array.from(channel))
  const coefficients = bias ? channels.map(() => new Float64Array(bias.basis.size)) : []
  const owner = gaussians.flatMap((count, k) => new Array<number>(count).fill(k))
  const share = [...owner, -1].map(() => new Float32Array(n))
  let logLikelihood = Number.NEGATIVE_INFINITY
  let done = 0
  for (; done < iterations; done++) {
    signal?.throwIfAborted()
    const before = logLikelihood
    logLikelihood = expect(corrected, priors, lesionPrior, structures.flat(), owner, lesion, share)
    if (Math.abs(logLikelihood - before) < tolerance) break
    const of = (g: number) => momentsOf(corrected, share[g])
    let g = 0
    const next = structures.map((group) => {
      const updated = group.map((old) => plainUpdate(old, of(g++)))
      const total = updated.reduce((sum, one) => sum + one.weight, 0)
      return updated.map((one) => ({ ...one, weight: total > 0 ? one.weight / total : 1 / updated.length }))
    })
    const first = owner.indexOf(white)
    const tied = tiedUpdate({ white: structures[white][0], lesion }, of(first), of(share.length - 1), options, d)
    next[white] = [{ ...tied.white, weight: 1 }]
    structures = next
    lesion = tied.lesion
    if (bias) renewBias(channels, corrected, structures.flat(), lesion, share, bias, coefficients)
  }
  return { structures, lesion, bias: coefficients, iterations: done, logLikelihood }
}

/** Log-density without its constant −d/2 · log 2π, which all Gaussians share. */
export function logDiagonal({ mean, variance }: DiagonalGaussian) {
  const precision = variance.map((v) => 1 / v)
  const constant = -0.5 * variance.reduce((sum, v) => sum + Math.log(v), 0)
  return (channels: readonly ArrayLike<number>[], at: number): number => {
    let sum = 0
    for (let c = 0; c < mean.length; c++) sum += precision[c] * (channels[c][at] - mean[c]) ** 2
    return constant - 0.5 * sum
  }
}

/** What samples are under the structures alone, as if there were no lesions. */
export interface HealthyDensities {
  /** Log-density of all structures together, weighted by their prior; without −d/2 · log 2π, as in `logDiagonal`. */
  log: Float32Array
  /** The same of the most probable structure, and which one it is. */
  best: Float32Array
  structure: Uint8Array
}

export function healthyDensities(
  structures: readonly (readonly DiagonalGaussian[])[],
  channels: readonly Float32Array[],
  priors: readonly Float32Array[],
): HealthyDensities {
  const owner = structures.flatMap((group, k) => group.map(() => k))
  const flat = structures.flat()
  const weights = flat.map(({ weight }) => Math.log(weight))
  const densities = flat.map(logDiagonal)
  const n = priors[0].length
  const out = { log: new Float32Array(n), best: new Float32Array(n), structure: new Uint8Array(n) }
  const logs = new Float64Array(flat.length)
  const sums = new Float64Array(structures.length)
  for (let i = 0; i < n; i++) {
    let most = Number.NEGATIVE_INFINITY
    for (let g = 0; g < logs.length; g++) {
      logs[g] = Math.log(priors[owner[g]][i]) + weights[g] + densities[g](channels, i)
      if (logs[g] > most) most = logs[g]
    }
    sums.fill(0)
    for (let g = 0; g < logs.length; g++) sums[owner[g]] += Math.exp(logs[g] - most)
    let [total, best] = [0, 0]
    for (let k = 0; k < sums.length; k++) {
      total += sums[k]
      if (sums[k] > sums[best]) best = k
    }
    out.log[i] = most + Math.log(total)
    out.best[i] = most + Math.log(sums[best])
    out.structure[i] = best
  }
  return out
}

/** Weight, mean and sum of squares about the mean of the samples, each channel by itself. */
interface Moments {
  count: number
  mean: number[]
  scatter: number[]
}

function momentsOf(channels: readonly Float32Array[], share: Float32Array): Moments {
  let count = 0
  for (let i = 0; i < share.length; i++) count += share[i]
  const mean: number[] = []
  const scatter: number[] = []
  for (const channel of channels) {
    let sum = 0
    for (let i = 0; i < share.length; i++) sum += share[i] * channel[i]
    const centre = count > 0 ? sum / count : 0
    let squares = 0
    for (let i = 0; i < share.length; i++) squares += share[i] * (channel[i] - centre) ** 2
    mean.push(centre)
    scatter.push(squares)
  }
  return { count, mean, scatter }
}

/** A structure with next to no samples keeps its Gaussian. */
function plainUpdate(old: DiagonalGaussian, { count, mean, scatter }: Moments): DiagonalGaussian {
  if (!(count > 2)) return { ...old, weight: count }
  return { weight: count, mean, variance: scatter.map((s) => Math.max(floor, s / count)) }
}

/**
 * The joint update of white matter (1) and lesion (2) in each channel. White matter has a vague prior of its own: n₁ =
 * channels − 1 pseudo-samples of variance 1.
 */
function tiedUpdate(
  old: { white: DiagonalGaussian; lesion: DiagonalGaussian },
  one: Moments,
  two: Moments,
  { strength, inflation }: LesionTie,
  d: number,
): { white: DiagonalGaussian; lesion: DiagonalGaussian } {
  const n1 = d - 1
  const white: DiagonalGaussian = { weight: 1, mean: [], variance: [] }
  const lesion: DiagonalGaussian = { weight: 1, mean: [], variance: [] }
  for (let c = 0; c < d; c++) {
    const ratio = old.white.variance[c] / old.lesion.variance[c]
    const t = ((strength * two.count) / (two.count + strength)) * ratio
    const mean1 = one.count + t > 0 ? (one.count * one.mean[c] + t * two.mean[c]) / (one.count + t) : old.white.mean[c]
    // ν → ∞ leaves the white mean, and 0 / 0 does not arise because ν > 0.
    const pull = strength / (two.count + strength)
    const mean2 = (1 - pull) * two.mean[c] + pull * mean1
    const about = (m: Moments, centre: number) => m.scatter[c] + m.count * (m.mean[c] - centre) ** 2
    const scatter2 = about(two, mean2) + strength * (mean2 - mean1) ** 2
    const variance1 = (about(one, mean1) + n1 + ratio * scatter2) / (one.count + n1 + two.count + 2 + d)
    const scaled = scatter2 / (two.count + strength) + pull * inflation * Math.max(floor, variance1)
    white.mean.push(mean1)
    white.variance.push(Math.max(floor, variance1))
    lesion.mean.push(mean2)
    lesion.variance.push(Math.max(floor, scaled))
  }
  return { white, lesion }
}

/** Posteriors of all Gaussians, the lesion's last. @returns mean log-likelihood per sample */
function expect(
  channels: readonly Float32Array[],
  priors: readonly Float32Array[],
  lesionPrior: Float32Array,
  gaussians: readonly DiagonalGaussian[],
  owner: readonly number[],
  lesion: DiagonalGaussian,
  share: Float32Array[],
): number {
  const n = lesionPrior.length
  const densities = [...gaussians, lesion].map(logDiagonal)
  const last = gaussians.length
  const logs = new Float64Array(last + 1)
  let total = 0
  for (let i = 0; i < n; i++) {
    const f = lesionPrior[i]
    let most = Number.NEGATIVE_INFINITY
    for (let g = 0; g <= last; g++) {
      const prior = g === last ? f : (1 - f) * priors[owner[g]][i] * gaussians[g].weight
      logs[g] = prior > 0 ? Math.log(prior) + densities[g](channels, i) : Number.NEGATIVE_INFINITY
      if (logs[g] > most) most = logs[g]
    }
    let sum = 0
    for (let g = 0; g <= last; g++) sum += logs[g] = Math.exp(logs[g] - most)
    for (let g = 0; g <= last; g++) share[g][i] = logs[g] / sum
    total += most + Math.log(sum)
  }
  return total / n
}

/** Fits each channel's bias field to what the Gaussians leave, and takes it off the log-intensities. */
function renewBias(
  channels: readonly Float32Array[],
  corrected: readonly Float32Array[],
  gaussians: readonly DiagonalGaussian[],
  lesion: DiagonalGaussian,
  share: readonly Float32Array[],
  { basis, thinning, places }: TiedBias,
  coefficients: Float64Array[],
): void {
  if (basis.size === 0) return
  const [nx, ny, nz] = thinning.dims
  const weights = new Float64Array(nx * ny * nz)
  const residuals = new Float64Array(nx * ny * nz)
  const all = [...gaussians, lesion]
  channels.forEach((channel, c) => {
    for (let i = 0; i < channel.length; i++) {
      let [weight, expected] = [0, 0]
      for (let g = 0; g < all.length; g++) {
        const precision = share[g][i] / all[g].variance[c]
        weight += precision
        expected += precision * all[g].mean[c]
      }
      weights[places[i]] = weight
      residuals[places[i]] = weight > 0 ? channel[i] - expected / weight : 0
    }
    coefficients[c] = basis.fit(residuals, weights, thinning)
    const field = basis.field(coefficients[c], thinning)
    for (let i = 0; i < channel.length; i++) corrected[c][i] = channel[i] - field[places[i]]
  })
}

/** Mean and variance where the prior is high; several Gaussians start side by side. */
function startOf(channels: readonly Float32Array[], prior: Float32Array, count: number): DiagonalGaussian[] {
  const {
    count: total,
    mean,
    scatter,
  } = momentsOf(
    channels,
    prior.map((p) => p * p),
  )
  const variance = scatter.map((s) => Math.max(floor, total > 0 ? s / total : 1))
  return Array.from({ length: count }, (_, g) => ({
    weight: 1 / count,
    mean: mean.map((m, c) => m + ((2 * g + 1) / count - 1) * Math.sqrt(variance[c])),
    variance: variance.map((v) => v / count ** 2),
  }))
}
