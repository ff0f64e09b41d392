import { Density, type Gaussian, weightedGaussian } from './density.js'

export interface TrimmedSamples {
  /** One array of n finite values per channel, any number of channels. */
  channels: readonly Float32Array[]
  /** Prior probability of each class at each sample; default the classes' weights. */
  prior?: readonly Float32Array[]
}

export interface TrimmedOptions {
  /** Classes to start from: as many Gaussians as there are tissues. */
  initial: readonly Gaussian[]
  /** Share h of the samples, those of lowest likelihood, that takes no part in the update. */
  trim: number
  /** Most rounds; 60 by default. */
  iterations?: number
  /** Stop when the mean log-likelihood of the kept samples changes by less; 1e-4 by default. */
  tolerance?: number
  /** Added to each variance; 1e-3 by default. */
  ridge?: number
  /** Densities of the healthy population that multiply each class's own: log-density of class k at sample i. */
  local?(k: number, i: number): number
  signal?: AbortSignal
}

export interface TrimmedMixture {
  classes: Gaussian[]
  iterations: number
  /** Mean log-likelihood of the kept samples, in nats. */
  logLikelihood: number
  /** 1 where a sample took part in the last update. */
  kept: Uint8Array
  /** Posterior of each class at each sample. */
  posterior: Float32Array[]
}

/**
 * A mixture of full-covariance Gaussians by expectation–maximisation of the trimmed likelihood (Neykov and Müller 2003;
 * García-Lorenzo et al. 2011): in every round the share `trim` of samples that the mixture explains worst is left out
 * of the update, so that lesions do not widen the tissues. A class that gets too few samples keeps what it had.
 */
export function fitTrimmedMixture(
  { channels, prior }: TrimmedSamples,
  { initial, trim, iterations = 60, tolerance = 1e-4, ridge = 1e-3, local, signal }: TrimmedOptions,
): TrimmedMixture {
  const n = channels[0]?.length ?? 0
  let classes = initial.map((c) => ({ ...c }))
  const kept = new Uint8Array(n).fill(1)
  let posterior: Float32Array[] = []
  let logLikelihood = Number.NEGATIVE_INFINITY
  let done = 0
  /** Posteriors under the classes as they are, and which samples are kept. @returns their mean log-likelihood */
  const expect = (): number => {
    const found = mixturePosterior({ channels, prior }, classes, local)
    posterior = found.posterior
    const cut = trim > 0 ? leastKept(found.logLikelihood, trim) : -Infinity
    let [total, count] = [0, 0]
    for (let i = 0; i < n; i++) {
      kept[i] = found.logLikelihood[i] >= cut ? 1 : 0
      if (kept[i] === 0) continue
      total += found.logLikelihood[i]
      count++
    }
    return total / count
  }
  for (; done < iterations && n > 0; done++) {
    signal?.throwIfAborted()
    const now = expect()
    if (Math.abs(now - logLikelihood) < tolerance) {
      logLikelihood = now
      break
    }
    logLikelihood = now
    classes = classes.map(
      (old, c) =>
        weightedGaussian(
          channels,
          posterior[c].map((p, i) => (kept[i] === 1 ? p : 0)),
          ridge,
        ) ?? old,
    )
    const total = classes.reduce((sum, { weight }) => sum + weight, 0)
    classes = classes.map((c) => ({ ...c, weight: c.weight / total }))
  }
  if (n > 0) logLikelihood = expect()
  return { classes, iterations: done, logLikelihood, kept, posterior }
}

/** The least log-likelihood that stays when the share `trim` of the samples, those of lowest likelihood, is left out. */
export const leastKept = (logLikelihood: Float64Array, trim: number): number =>
  logLikelihood.slice().sort()[Math.min(logLikelihood.length - 1, Math.floor(trim * logLikelihood.length))]

/** Posterior of each class at each sample, and each sample's log-likelihood under the mixture. */
export function mixturePosterior(
  { channels, prior }: TrimmedSamples,
  classes: readonly Gaussian[],
  local?: (k: number, i: number) => number,
): { posterior: Float32Array[]; logLikelihood: Float64Array } {
  const n = channels[0]?.length ?? 0
  const densities = classes.map((c) => new Density(c))
  const posterior = classes.map(() => new Float32Array(n))
  const logLikelihood = new Float64Array(n)
  const logs = new Float64Array(classes.length)
  for (let i = 0; i < n; i++) {
    let most = Number.NEGATIVE_INFINITY
    for (let c = 0; c < logs.length; c++) {
      logs[c] = Math.log(Math.max(1e-12, prior ? prior[c][i] : classes[c].weight)) + densities[c].log(channels, i)
      if (local) logs[c] += local(c, i)
      if (logs[c] > most) most = logs[c]
    }
    let sum = 0
    for (let c = 0; c < logs.length; c++) sum += logs[c] = Math.exp(logs[c] - most)
    for (let c = 0; c < logs.length; c++) posterior[c][i] = logs[c] / sum
    logLikelihood[i] = most + Math.log(sum)
  }
  return { posterior, logLikelihood }
}
