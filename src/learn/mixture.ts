import { distanceAt, type GaussianClass, logDensityAt, logDensityForm } from './gaussian.js'
import { distanceFromLine, lineBetween, logLineDensityAt } from './partial-volume.js'

export interface Mixture {
  classes: GaussianClass[]
  /** Share of the samples that each pair of `between` explains, in that order. */
  between: number[]
  iterations: number
  converged: boolean
  /** Mean log-likelihood per sample under the mixture, in nats. */
  logLikelihood: number
  /** Share of the samples' weight that lies more than `robust` standard deviations from every class. */
  outliers: number
}

export interface MixtureSamples {
  /** One array of n values per channel (one or two channels). */
  channels: readonly ArrayLike<number>[]
  /** Prior probability of each class at each sample (n values per class); rows need not sum to 1. */
  prior?: readonly ArrayLike<number>[]
  /** How much each sample counts, e.g. the count of a histogram bin; 1 by default. */
  weights?: ArrayLike<number>
}

export interface MixtureOptions {
  /** Number of classes, used where neither `initial` nor a prior says it. */
  classes?: number
  /** Starting classes; without them the prior's (or the quantiles') medians and spreads are used. */
  initial?: readonly { weight?: number; mean: readonly number[]; covariance: readonly number[] }[]
  /**
   * Mahalanobis distance (in standard deviations) at which a sample counts half for its class and beyond which it
   * counts less and less; 3 by default, `Infinity` gives the plain mixture.
   */
  robust?: number
  /**
   * Pairs of classes that mix within samples (partial volume), each share alike, so that mixed samples widen neither.
   * With a prior p, the pair's is √(p_a · p_b).
   */
  between?: readonly (readonly [number, number])[]
  /** Most EM iterations; 60 by default. */
  iterations?: number
  /** Stop when the log-likelihood per sample changes by less than this; 1e-5 by default. */
  tolerance?: number
}

/**
 * Fits a mixture of Gaussians by expectation–maximisation, with an optional prior per sample and class, so that
 * samples which no class explains (lesions, vessels, skull) do not move the classes.
 *
 * Robust weights after Van Leemput et al. 2001 (IEEE TMI 20:677): in the update of class k a sample counts by its
 * responsibility times N / (N + λ), where N is its density under the class and λ the class's density at `robust`
 * standard deviations.
 *
 * Never throws on degenerate data: samples that are not finite are left out, a class that gets too few samples keeps
 * its initial values and is marked `empty`, and a constant channel gets a small variance.
 */
export function fitMixture(samples: MixtureSamples, options: MixtureOptions = {}): Mixture {
  const { robust = 3, iterations = 60, tolerance = 1e-5, between = [] } = options
  const clean = finiteSamples(samples)
  const floor = varianceFloor(clean)
  let classes = startingClasses(clean, options, floor)
  const { n, d, total } = clean
  const pure = classes.length
  let pairs = between.map(([a, b]) => Math.min(classes[a].weight, classes[b].weight) / 2)
  if (n === 0 || pure === 0)
    return { classes, between: pairs, iterations: 0, converged: false, logLikelihood: Number.NaN, outliers: 0 }
  const k = pure + pairs.length
  const prior = clean.prior && [...clean.prior, ...between.map(([a, b]) => pairPrior(clean.prior![a], clean.prior![b]))]

  let previous = Number.NEGATIVE_INFINITY
  let logLikelihood = previous
  let outliers = 0
  let done = 0
  let converged = false
  const logs = new Float64Array(k)
  while (done < iterations && !converged) {
    done++
    const weights = [...classes.map(({ weight }) => weight), ...pairs]
    const forms = classes.map((c) => logDensityForm(c, d))
    const lines = between.map(([a, b]) => lineBetween(classes[a], classes[b], d))
    const sums = classes.map(() => new Moments())
    const share = new Float64Array(k)
    logLikelihood = 0
    let far = 0
    for (let i = 0; i < n; i++) {
      const x = clean.x[i]
      const y = d === 2 ? clean.y[i] : 0
      const mass = clean.weights === undefined ? 1 : clean.weights[i]
      let most = Number.NEGATIVE_INFINITY
      for (let c = 0; c < k; c++) {
        const expected = prior === undefined ? weights[c] : prior[c][i]
        logs[c] = Number.NEGATIVE_INFINITY
        if (expected > 0)
          logs[c] =
            Math.log(expected) + (c < pure ? logDensityAt(forms[c], x, y) : logLineDensityAt(lines[c - pure], x, y))
        if (logs[c] > most) most = logs[c]
      }
      if (most === Number.NEGATIVE_INFINITY) continue
      let sum = 0
      for (let c = 0; c < k; c++) sum += Math.exp(logs[c] - most)
      logLikelihood += mass * (most + Math.log(sum))
      let nearest = Infinity
      for (let c = 0; c < k; c++) {
        const belief = (mass * Math.exp(logs[c] - most)) / sum
        if (!(belief > 1e-9)) continue
        share[c] += belief
        const distance = c < pure ? distanceAt(forms[c], x, y) : distanceFromLine(lines[c - pure], x, y)
        if (distance < nearest) nearest = distance
        if (c >= pure) continue
        // 1 / (1 + λ/N), with λ/N = exp((distance² − robust²) / 2)
        const typical = robust === Infinity ? 1 : 1 / (1 + Math.exp((distance - robust * robust) / 2))
        sums[c].add(belief * typical, x, y)
      }
      if (nearest > robust * robust) far += mass
    }
    logLikelihood /= total
    outliers = far / total
    classes = classes.map((c, at) => sums[at].update(c, share[at] / total, d, floor, total))
    pairs = between.map((_, at) => share[pure + at] / total)
    converged = Math.abs(logLikelihood - previous) < tolerance
    previous = logLikelihood
  }
  return { classes, between: pairs, iterations: done, converged, logLikelihood, outliers }
}

const pairPrior = (a: Float64Array, b: Float64Array): Float64Array => a.map((p, i) => Math.sqrt(p * b[i]))

interface CleanSamples {
  n: number
  d: number
  total: number
  x: Float64Array
  y: Float64Array
  prior?: Float64Array[]
  weights?: Float64Array
}

/** The samples whose values and weight are finite, as plain arrays. */
function finiteSamples({ channels, prior, weights }: MixtureSamples): CleanSamples {
  const d = Math.min(2, channels.length)
  const length = d === 0 ? 0 : channels[0].length
  const keep: number[] = []
  let total = 0
  for (let i = 0; i < length; i++) {
    const mass = weights === undefined ? 1 : weights[i]
    if (!(mass > 0) || !Number.isFinite(mass)) continue
    if (!Number.isFinite(channels[0][i]) || (d === 2 && !Number.isFinite(channels[1][i]))) continue
    keep.push(i)
    total += mass
  }
  const take = (from: ArrayLike<number>) => Float64Array.from(keep, (i) => from[i])
  return {
    n: keep.length,
    d,
    total,
    x: d > 0 ? take(channels[0]) : new Float64Array(0),
    y: d > 1 ? take(channels[1]) : new Float64Array(0),
    prior: prior?.map(take),
    weights: weights === undefined ? undefined : take(weights),
  }
}

/** Smallest variance allowed per channel: 10⁻⁴ of the channel's own, or next to nothing for a constant channel. */
function varianceFloor({ x, y, d }: CleanSamples): number[] {
  return (d === 2 ? [x, y] : [x]).map((values) => {
    let sum = 0
    let squares = 0
    for (const v of values) {
      sum += v
      squares += v * v
    }
    const mean = values.length > 0 ? sum / values.length : 0
    const variance = values.length > 0 ? Math.max(0, squares / values.length - mean * mean) : 0
    return Math.max(1e-4 * variance, 1e-8 * mean * mean, 1e-12)
  })
}

/** Classes to start from: those given, or median and robust spread of each class's most likely samples. */
function startingClasses(samples: CleanSamples, options: MixtureOptions, floor: number[]): GaussianClass[] {
  const { initial, classes: count = samples.prior?.length ?? 2 } = options
  const { d, n } = samples
  if (initial !== undefined)
    return initial.map(({ weight = 1 / initial.length, mean, covariance }) => ({
      weight,
      mean: [...mean],
      covariance: regular([...covariance], floor),
      empty: false,
    }))
  const channels = d === 2 ? [samples.x, samples.y] : [samples.x]
  const orders = channels.map((values) =>
    Uint32Array.from({ length: n }, (_, i) => i).sort((a, b) => values[a] - values[b]),
  )
  return Array.from({ length: count }, (_, c) => {
    const belongs = membership(samples, c, count, orders[0] ?? new Uint32Array(0))
    const figures = channels.map((values, channel) => medianAndVariance(values, orders[channel], belongs))
    const covariance = d === 2 ? [figures[0].variance, 0, 0, figures[1].variance] : [figures[0]?.variance ?? 0]
    return {
      weight: 1 / count,
      mean: figures.map(({ median }) => median),
      covariance: regular(covariance, floor),
      empty: !belongs.some((w) => w > 0),
    }
  })
}

/**
 * How much each sample counts in the start of class c: 1 where the prior prefers the class, its prior where it
 * prefers it nowhere, and without a prior 1 in the c-th slice of the sorted first channel.
 */
function membership({ prior, n }: CleanSamples, c: number, count: number, order: Uint32Array): Float64Array {
  const belongs = new Float64Array(n)
  if (prior === undefined) {
    const slice = order.subarray(Math.floor((c * n) / count), Math.floor(((c + 1) * n) / count))
    for (const i of slice) belongs[i] = 1
    return belongs
  }
  let preferred = 0
  for (let i = 0; i < n; i++)
    if (prior[c][i] > 0.5 && prior.every((p) => p[i] <= prior[c][i])) {
      belongs[i] = 1
      preferred++
    }
  return preferred >= Math.max(10, 1e-3 * n) ? belongs : Float64Array.from(prior[c])
}

/** Weighted median, and the variance that a Gaussian of the same interquartile range has. */
function medianAndVariance(values: Float64Array, order: Uint32Array, weight: Float64Array) {
  let total = 0
  for (const w of weight) total += w
  const found = [0.25, 0.5, 0.75].map((p) => {
    let sum = 0
    for (const i of order) if ((sum += weight[i]) >= p * total && sum > 0) return values[i]
    return 0
  })
  return { median: found[1], variance: ((found[2] - found[0]) / 1.349) ** 2 }
}

/** A covariance with variances of at least `floor` and a correlation of at most 0.99. */
function regular(covariance: number[], floor: number[]): number[] {
  if (covariance.length === 1) return [Math.max(covariance[0], floor[0] ?? 1e-12)]
  const a = Math.max(covariance[0], floor[0])
  const c = Math.max(covariance[3], floor[1])
  const most = 0.99 * Math.sqrt(a * c)
  const b = Math.max(-most, Math.min(most, covariance[1]))
  return [a, b, b, c]
}

/** Weighted sums from which a class's mean and covariance follow. */
class Moments {
  private w = 0
  private x = 0
  private y = 0
  private xx = 0
  private xy = 0
  private yy = 0

  add(weight: number, x: number, y: number): void {
    this.w += weight
    this.x += weight * x
    this.y += weight * y
    this.xx += weight * x * x
    this.xy += weight * x * y
    this.yy += weight * y * y
  }

  update(old: GaussianClass, weight: number, d: number, floor: number[], total: number): GaussianClass {
    // fewer than 1 in 20 000 of the samples (and fewer than two) say nothing about a class
    if (!(this.w > Math.max(2, 5e-5 * total))) return { ...old, weight, empty: true }
    const mx = this.x / this.w
    const vx = this.xx / this.w - mx * mx
    if (d === 1) return { weight, mean: [mx], covariance: regular([vx], floor), empty: false }
    const my = this.y / this.w
    const covariance = [vx, this.xy / this.w - mx * my, 0, this.yy / this.w - my * my]
    return { weight, mean: [mx, my], covariance: regular(covariance, floor), empty: false }
  }
}
