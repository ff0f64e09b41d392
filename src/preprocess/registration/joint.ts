import { bins } from './sampling.js'

/** Normalised mutual information (Studholme 1999), mutual information, or correlation over the whole image. */
export type SimilarityKind = 'nmi' | 'mi' | 'ncc'

/** Similarities of a joint histogram. */
export interface Similarity {
  /** Mutual information, nats. */
  mutualInformation: number
  /** Studholme's normalised form, 1 – 2. */
  normalised: number
  /** Pearson's correlation of the binned intensities, −1 – 1. */
  correlation: number
  /** Fraction of the fixed points that fall inside the moving image. */
  overlap: number
}

/** The figure that is maximised: above 0, so that a factor for little overlap lowers it. */
export const figureOf = ({ normalised, mutualInformation, correlation }: Similarity, kind: SimilarityKind): number =>
  kind === 'nmi' ? normalised : kind === 'mi' ? mutualInformation : 1 + correlation

/** A joint histogram of fixed (rows) and moving (columns) intensities. */
export class Joint {
  readonly similarity: Similarity
  readonly #p = new Float64Array(bins * bins)
  readonly #columns = new Float64Array(bins)
  readonly #total: number
  readonly #entropy: number
  readonly #moments: Moments

  /** @param tables one table after the other, to be summed; n: number of points that were asked for */
  constructor(tables: Float32Array, n: number) {
    const p = this.#p
    for (let i = 0; i < tables.length; i++) p[i % p.length] += tables[i]
    this.#total = p.reduce((sum, v) => sum + v, 0)
    const rows = new Float64Array(bins)
    let both = 0
    for (let i = 0; i < p.length; i++) {
      p[i] /= this.#total || 1
      rows[Math.floor(i / bins)] += p[i]
      this.#columns[i % bins] += p[i]
      if (p[i] > 0) both -= p[i] * Math.log(p[i])
    }
    this.#entropy = both
    this.#moments = momentsOf(p, rows, this.#columns)
    const single = entropy(rows) + entropy(this.#columns)
    const { covariance, spread } = this.#moments
    this.similarity = {
      mutualInformation: single - both,
      normalised: both > 0 ? single / both : 0,
      correlation: spread > 0 ? covariance / spread : 0,
      overlap: n > 0 ? this.#total / n : 0,
    }
  }

  /** d figure / d count of each cell, but for what is the same all along a row: the fixed bins do not move. */
  slopes(kind: SimilarityKind): Float32Array {
    if (this.#total === 0) return new Float32Array(bins * bins)
    if (kind === 'ncc') return this.#correlationSlopes()
    const factor = kind === 'nmi' ? this.similarity.normalised : 1
    const scale = kind === 'mi' ? 1 / this.#total : this.#entropy > 0 ? 1 / (this.#entropy * this.#total) : 0
    const log = (v: number) => Math.log(Math.max(v, 1e-9))
    return Float32Array.from(this.#p, (p, i) => scale * (factor * log(p) - log(this.#columns[i % bins])))
  }

  #correlationSlopes(): Float32Array {
    const { meanFixed, meanMoving, movingVariance, spread } = this.#moments
    if (!(spread > 0)) return new Float32Array(bins * bins)
    const bend = this.similarity.correlation / (2 * movingVariance)
    return Float32Array.from(this.#p, (_, i) => {
      const [row, column] = [Math.floor(i / bins), i % bins]
      const steep = (column * (row - meanFixed)) / spread - bend * column * (column - 2 * meanMoving)
      return steep / this.#total
    })
  }
}

interface Moments {
  meanFixed: number
  meanMoving: number
  covariance: number
  movingVariance: number
  /** Product of the standard deviations. */
  spread: number
}

function momentsOf(p: Float64Array, rows: Float64Array, columns: Float64Array): Moments {
  const mean = (q: Float64Array) => q.reduce((sum, v, i) => sum + v * i, 0)
  const [meanFixed, meanMoving] = [mean(rows), mean(columns)]
  const variance = (q: Float64Array, about: number) => q.reduce((sum, v, i) => sum + v * (i - about) ** 2, 0)
  const covariance = p.reduce(
    (sum, v, i) => sum + v * (Math.floor(i / bins) - meanFixed) * ((i % bins) - meanMoving),
    0,
  )
  // The window that spreads a sample over four bins keeps its mean and adds a third to its variance.
  const movingVariance = Math.max(0, variance(columns, meanMoving) - 1 / 3)
  const spread = Math.sqrt(movingVariance * variance(rows, meanFixed))
  return { meanFixed, meanMoving, covariance, movingVariance, spread: spread > 1e-6 ? spread : 0 }
}

const entropy = (p: Float64Array): number => p.reduce((sum, v) => (v > 0 ? sum - v * Math.log(v) : sum), 0)
