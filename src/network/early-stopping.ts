import type { Weights } from './initialise.js'

export interface Patience {
  /** Looks without an improvement after which training stops. */
  patience: number
  /** What counts as better; default `higher`. */
  better?: 'higher' | 'lower'
  /** Improvements no larger than this do not count; default 0. */
  least?: number
}

export interface Best {
  score: number
  /** Epoch (or step) of the look. */
  at: number
  weights: Weights
}

/** What a resumed training needs to go on as if it had not stopped. */
export interface StoppingState {
  best?: Best
  since: number
}

/** Watches a validation score, keeps the best weights seen, and says when to stop. */
export class EarlyStopping {
  readonly #patience: Patience
  #best?: Best
  #since: number

  /** @param state of an earlier training to go on from */
  constructor(patience: Patience, state: StoppingState = { since: 0 }) {
    this.#patience = patience
    this.#best = state.best
    this.#since = state.since
  }

  /**
   * @param score a look that failed (NaN) counts as no improvement
   * @param weights asked for only when they are the best
   * @returns whether this was the best look, and whether training should stop
   */
  look(score: number, at: number, weights: () => Weights): { improved: boolean; stop: boolean } {
    const { patience, better = 'higher', least = 0 } = this.#patience
    const gain = this.#best ? (score - this.#best.score) * (better === 'higher' ? 1 : -1) : Number.POSITIVE_INFINITY
    const improved = !Number.isNaN(score) && gain > least
    if (improved) this.#best = { score, at, weights: weights() }
    this.#since = improved ? 0 : this.#since + 1
    return { improved, stop: this.#since >= patience }
  }

  /** The weights to go back to when training ends; undefined before the first look. */
  get best(): Best | undefined {
    return this.#best
  }

  state(): StoppingState {
    return { best: this.#best, since: this.#since }
  }
}
