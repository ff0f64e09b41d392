import { Density, type Gaussian, weightedGaussian } from './density.js'
import { leastKept } from './trimmed-mixture.js'

/** How the states of a chain follow each other. */
export interface Transitions {
  /** Chance of each state where a piece of the chain begins. */
  initial: number[]
  /** Chance of state l after state k at [states · k + l]: rows sum to 1. */
  next: number[]
}

export interface ChainBeliefs {
  /** Belief in each state, `states` per element, given the whole chain. */
  posterior: Float32Array
  /** The same from all other elements, without the element's own evidence. */
  predicted: Float32Array
  /** Expected number of steps from k to l, at [states · k + l]. */
  steps: Float64Array
}

/**
 * Beliefs in the hidden states of a Markov chain by the forward–backward recursion (Baum et al. 1970), normalised at
 * each element so that it does not underflow.
 *
 * @param evidence likelihood of each element under each state, `states` per element, up to a factor per element
 * @param starts 1 where an element does not follow on the one before it
 */
export function forwardBackward(
  evidence: Float32Array,
  starts: Uint8Array,
  { initial, next }: Transitions,
): ChainBeliefs {
  const states = initial.length
  const n = starts.length
  const posterior = new Float32Array(states * n)
  const predicted = new Float32Array(states * n)
  const steps = new Float64Array(states * states)
  /** Belief in state l at element i from the elements before it. */
  const before = (i: number, l: number): number => {
    if (i === 0 || starts[i] !== 0) return initial[l]
    let sum = 0
    for (let k = 0; k < states; k++) sum += posterior[states * (i - 1) + k] * next[states * k + l]
    return sum
  }
  // Forward: `posterior` holds the beliefs from the elements up to its own until the way back renews it.
  for (let i = 0; i < n; i++) {
    let total = 0
    for (let l = 0; l < states; l++) total += posterior[states * i + l] = before(i, l) * evidence[states * i + l]
    for (let l = 0; l < states; l++) posterior[states * i + l] /= total
  }
  const after = new Float64Array(states).fill(1)
  const own = new Float64Array(states)
  for (let i = n - 1; i >= 0; i--) {
    const first = i === 0 || starts[i] !== 0
    let [total, sum] = [0, 0]
    for (let l = 0; l < states; l++) {
      const from = before(i, l) * after[l]
      predicted[states * i + l] = from
      sum += from
      own[l] = after[l] * evidence[states * i + l]
      total += from * evidence[states * i + l]
    }
    for (let l = 0; l < states; l++) {
      posterior[states * i + l] = (predicted[states * i + l] * evidence[states * i + l]) / total
      predicted[states * i + l] /= sum
    }
    if (first) {
      after.fill(1)
      continue
    }
    let most = 0
    for (let k = 0; k < states; k++) {
      after[k] = 0
      for (let l = 0; l < states; l++) {
        const step = next[states * k + l] * own[l]
        after[k] += step
        steps[states * k + l] += (posterior[states * (i - 1) + k] * step) / total
      }
      if (after[k] > most) most = after[k]
    }
    for (let k = 0; k < states; k++) after[k] /= most
  }
  return { posterior, predicted, steps }
}

/** A chain of voxels: its intensities and where its pieces begin. */
export interface ChainSamples {
  /** One array of n finite values per channel. */
  channels: readonly Float32Array[]
  /** Prior probability of each state at each element, e.g. of an atlas; default none. */
  prior?: readonly Float32Array[]
  starts: Uint8Array
}

export interface ChainModel {
  classes: Gaussian[]
  transitions: Transitions
  /** Predictive log-likelihood below which an element is trimmed. */
  cut: number
}

export interface ChainOptions {
  /** Classes to start from, one per state. */
  initial: readonly Gaussian[]
  /** Share of the elements, those that their surroundings and classes explain worst, that is left out: 0–1. */
  trim: number
  iterations: number
  /** Chance of staying in a state to start from; 0.9 by default. */
  stay?: number
  /** Added to each variance; 1e-3 by default. */
  ridge?: number
  signal?: AbortSignal
}

/**
 * A hidden Markov chain with Gaussian classes by expectation–maximisation of the trimmed likelihood (Bricq et al. 2008).
 * A trimmed element keeps its place in the chain, with no evidence of its own, so that the chain does not break; what is
 * trimmed goes by the predictive likelihood Σₖ P(k | all others) N(y; k), so that the borders between tissues, where the
 * chain often changes state, are not trimmed more than their inside.
 */
export function fitHiddenMarkovChain(
  samples: ChainSamples,
  { initial, trim, iterations, stay = 0.9, ridge = 1e-3, signal }: ChainOptions,
): ChainModel {
  const states = initial.length
  const n = samples.starts.length
  let model: ChainModel = {
    classes: initial.map((c) => ({ ...c })),
    transitions: {
      initial: initial.map(() => 1 / states),
      next: initial.flatMap((_, k) => initial.map((_, l) => (k === l ? stay : (1 - stay) / (states - 1)))),
    },
    cut: Number.NEGATIVE_INFINITY,
  }
  const kept = new Uint8Array(n).fill(1)
  const weight = new Float32Array(n)
  for (let round = 0; round < iterations && n > 0; round++) {
    signal?.throwIfAborted()
    const { posterior, steps, logLikelihood } = new ChainEvidence(samples, model.classes).beliefs(model, kept)
    const cut = trim > 0 ? leastKept(logLikelihood, trim) : model.cut
    for (let i = 0; i < n; i++) kept[i] = logLikelihood[i] >= cut ? 1 : 0
    const totals = new Array<number>(states).fill(0)
    const classes = model.classes.map((old, k) => {
      for (let i = 0; i < n; i++) {
        totals[k] += posterior[states * i + k]
        weight[i] = kept[i] * posterior[states * i + k]
      }
      return weightedGaussian(samples.channels, weight, ridge) ?? old
    })
    model = { classes, transitions: transitionsOf(steps, totals), cut }
  }
  return model
}

/** Relative frequencies, with a little of every step, so that no state becomes a dead end. */
function transitionsOf(steps: Float64Array, totals: readonly number[]): Transitions {
  const states = totals.length
  const all = totals.reduce((sum, t) => sum + t, 0)
  const next: number[] = []
  for (let k = 0; k < states; k++) {
    const row = Array.from(steps.subarray(states * k, states * (k + 1)), (s) => s + 1)
    const total = row.reduce((sum, s) => sum + s, 0)
    next.push(...row.map((s) => s / total))
  }
  return { initial: totals.map((t) => (t + 1) / (all + states)), next }
}

export interface ChainResult extends ChainBeliefs {
  /** Log of the predictive likelihood of each element. */
  logLikelihood: Float64Array
  /** 0 where the element is trimmed: its beliefs come from its prior and the others alone. */
  kept: Uint8Array
}

/**
 * Beliefs of a chain under a model. Elements below the model's cut are found with all evidence first, and lose theirs
 * in a second pass.
 */
export function chainBeliefs(samples: ChainSamples, model: ChainModel): ChainResult {
  const evidence = new ChainEvidence(samples, model.classes)
  const kept = new Uint8Array(samples.starts.length).fill(1)
  const first = evidence.beliefs(model, kept)
  for (let i = 0; i < kept.length; i++) if (first.logLikelihood[i] < model.cut) kept[i] = 0
  return { ...(kept.includes(0) ? evidence.beliefs(model, kept) : first), kept }
}

/** Likelihoods of a chain's elements under its classes, each over the largest of its element. */
class ChainEvidence {
  readonly #samples: ChainSamples
  readonly #states: number
  readonly #likelihood: Float32Array
  /** Log of the largest likelihood of each element. */
  readonly #most: Float64Array

  constructor(samples: ChainSamples, classes: readonly Gaussian[]) {
    const n = samples.starts.length
    const states = classes.length
    const densities = classes.map((c) => new Density(c))
    const logs = new Float64Array(states)
    this.#samples = samples
    this.#states = states
    this.#likelihood = new Float32Array(states * n)
    this.#most = new Float64Array(n)
    for (let i = 0; i < n; i++) {
      let most = Number.NEGATIVE_INFINITY
      for (let k = 0; k < states; k++) {
        logs[k] = densities[k].log(samples.channels, i)
        if (logs[k] > most) most = logs[k]
      }
      this.#most[i] = most
      for (let k = 0; k < states; k++) this.#likelihood[states * i + k] = Math.exp(logs[k] - most)
    }
  }

  /** @param kept 0 where an element has no evidence of its own but its prior */
  beliefs({ transitions }: ChainModel, kept: Uint8Array): ChainBeliefs & { logLikelihood: Float64Array } {
    const { starts, prior } = this.#samples
    const [states, likelihood, n] = [this.#states, this.#likelihood, starts.length]
    const priorOf = (i: number, k: number) => (prior ? Math.max(1e-6, prior[k][i]) : 1)
    const evidence = new Float32Array(states * n)
    // The floor keeps an element from forbidding what its prior and its neighbours say.
    for (let i = 0; i < n; i++)
      for (let k = 0; k < states; k++)
        evidence[states * i + k] = priorOf(i, k) * (kept[i] !== 0 ? Math.max(1e-20, likelihood[states * i + k]) : 1)
    const beliefs = forwardBackward(evidence, starts, transitions)
    const logLikelihood = new Float64Array(n)
    for (let i = 0; i < n; i++) {
      let [sum, total] = [0, 0]
      for (let k = 0; k < states; k++) {
        const belief = beliefs.predicted[states * i + k] * priorOf(i, k)
        total += belief
        sum += belief * likelihood[states * i + k]
      }
      logLikelihood[i] = this.#most[i] + Math.log(Math.max(1e-300, sum / total))
    }
    return { ...beliefs, logLikelihood }
  }
}
