import { type Lattice, meanField } from './lattice.js'

/** A tissue in several channels that are independent given the class. */
export interface WeightedClass {
  /** Per channel. */
  mean: number[]
  /** Per channel: of a voxel of weight 1; a voxel of weight ω has variance / ω. */
  variance: number[]
}

/** What an expert says about the weights of some voxels: a Gamma distribution with its mode at `weight`. */
export interface ExpertWeight {
  /** Expected weight, > 0. */
  weight: number
  /** Rate γ > 0 of the distribution: the greater, the less the weights move away from `weight`. */
  rate: number
}

export interface WeightedSamples {
  lattice: Lattice
  /** Per channel, one value for each voxel of the lattice. */
  channels: readonly Float32Array[]
  /** Log of the prior probability of each class, `classes` values per voxel. */
  logPrior: Float32Array
}

export interface WeightedOptions {
  /** Beliefs to start from, `classes` values per voxel. Not changed. */
  start: Float32Array
  /** What is expected of the weights of each region. */
  experts: readonly ExpertWeight[]
  /** Region of each voxel; default all in the first. */
  region?: Uint8Array
  /** Log-odds that one certain neighbour across the shortest edge adds to its own class. */
  smoothness: number
  /** Most rounds. */
  iterations: number
  /** It ends when no mean moves by more than this part of its class's deviation; 1e-3 by default. */
  tolerance?: number
  /** The class whose mean and variance stay those of the first update for so many rounds. */
  held?: { class: number; rounds: number }
  signal?: AbortSignal
  /** Called after each round. */
  onRound?(round: number): void
}

export interface WeightedMixture {
  classes: WeightedClass[]
  /** Beliefs, `classes` values per voxel. */
  belief: Float32Array
  /** Mean weight of each voxel in each channel. */
  weights: Float32Array[]
  iterations: number
}

/**
 * A Gaussian mixture with a Potts prior in which each voxel has a weight in each channel: what no class explains there
 * weighs little, in the update of the classes and in its own labelling (Forbes, Doyle et al. 2010). Variational EM:
 * the weights are Gamma distributed with α = γ·ω + 1 (mode at the expert's ω), their mean given the beliefs is
 * (α + ½) / (γ + ½ Σ_k belief_k (y − μ_k)² / s_k); beliefs follow in mean-field approximation, then means and variances.
 */
export function fitWeightedMixture(
  { lattice, channels, logPrior }: WeightedSamples,
  { start, experts, region, smoothness, iterations, tolerance = 1e-3, held, signal, onRound }: WeightedOptions,
): WeightedMixture {
  const n = lattice.voxels.length
  const K = n > 0 ? start.length / n : 0
  let belief: Float32Array = start.slice()
  const weights = channels.map(() => new Float32Array(n).fill(1))
  const evidence = new Float32Array(belief.length)
  const classes: WeightedClass[] = Array.from({ length: K }, () => ({ mean: [], variance: [] }))
  channels.forEach((values, m) => update(classes, values, belief, weights[m], m))
  let done = 0
  for (let moved = Infinity; done < iterations && n > 0 && moved > tolerance; done++) {
    signal?.throwIfAborted()
    evidence.set(logPrior)
    channels.forEach((values, m) => weigh(classes, values, belief, weights[m], m, experts, region, evidence))
    belief = meanField(lattice, evidence, K, {
      smoothness,
      // Without neighbours the evidence is all there is.
      ...(smoothness > 0 ? { rounds: 1, start: belief } : { rounds: 0 }),
    })
    const before = classes.map(({ mean }) => mean.slice())
    const holding = held !== undefined && done < held.rounds
    channels.forEach((values, m) => update(classes, values, belief, weights[m], m, holding ? held.class : undefined))
    moved = holding ? Infinity : 0
    classes.forEach(({ mean, variance }, k) => {
      for (let m = 0; m < mean.length; m++)
        moved = Math.max(moved, Math.abs(mean[m] - before[k][m]) / Math.sqrt(variance[m]))
    })
    onRound?.(done)
  }
  return { classes, belief, weights, iterations: done }
}

/**
 * Mean weight of each voxel in channel m, given its beliefs; adds the channel's log-likelihoods under these weights to
 * `evidence`. The part ½ log ω is the same for all classes and left out.
 */
function weigh(
  classes: readonly WeightedClass[],
  values: Float32Array,
  belief: Float32Array,
  weights: Float32Array,
  m: number,
  experts: readonly ExpertWeight[],
  region: Uint8Array | undefined,
  evidence: Float32Array,
): void {
  const K = classes.length
  const mean = Float64Array.from(classes, (c) => c.mean[m])
  const precision = Float64Array.from(classes, (c) => 0.5 / c.variance[m])
  const constant = Float64Array.from(classes, (c) => -0.5 * Math.log(c.variance[m]))
  const mode = Float64Array.from(experts, ({ weight, rate }) => rate * weight + 1.5)
  const rates = Float64Array.from(experts, ({ rate }) => rate)
  const away = new Float64Array(K)
  for (let v = 0; v < values.length; v++) {
    const y = values[v]
    const expert = region ? region[v] : 0
    let distance = 0
    for (let k = 0; k < K; k++) {
      const d = y - mean[k]
      away[k] = precision[k] * d * d
      distance += belief[K * v + k] * away[k]
    }
    const w = mode[expert] / (rates[expert] + distance)
    weights[v] = w
    for (let k = 0; k < K; k++) evidence[K * v + k] += constant[k] - w * away[k]
  }
}

/** Weighted means and variances of channel m; a class that hardly anything belongs to keeps what it had. */
function update(
  classes: readonly WeightedClass[],
  values: Float32Array,
  belief: Float32Array,
  weights: Float32Array,
  m: number,
  held?: number,
): void {
  const K = classes.length
  const [share, total, first, second] = [0, 1, 2, 3].map(() => new Float64Array(K))
  // About the means as they were: sums of squares about 0 would cancel.
  const centre = Float64Array.from(classes, (c) => c.mean[m] ?? values[0])
  for (let v = 0; v < values.length; v++) {
    const [y, w] = [values[v], weights[v]]
    for (let k = 0; k < K; k++) {
      const q = belief[K * v + k]
      const part = q * w
      const away = y - centre[k]
      share[k] += q
      total[k] += part
      first[k] += part * away
      second[k] += part * away * away
    }
  }
  classes.forEach((c, k) => {
    if (k === held || (!(share[k] > 1) && c.mean[m] !== undefined)) return
    const moved = total[k] > 0 ? first[k] / total[k] : 0
    const mean = total[k] > 0 ? centre[k] + moved : 0
    c.mean[m] = mean
    // Never 0, whatever the unit: a channel may be constant in a class.
    const spread = share[k] > 0 ? Math.max(0, second[k] - first[k] * moved) / share[k] : 0
    c.variance[m] = Math.max(1e-8 * mean * mean + 1e-12, spread)
  })
}
