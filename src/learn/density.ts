import { CholeskyDecomposition, inverse, Matrix } from 'ml-matrix'

/** A Gaussian in any number of channels d. */
export interface Gaussian {
  /** Share of the samples, 0–1. */
  weight: number
  mean: number[]
  /** d × d, row by row. */
  covariance: number[]
}

/** A Gaussian ready to be asked at many voxels. */
export class Density {
  readonly #constant: number
  readonly #mean: Float64Array
  readonly #precision: Float64Array
  readonly #offset: Float64Array

  /** A covariance that is not positive definite gets a little more on its diagonal. */
  constructor({ mean, covariance }: Pick<Gaussian, 'mean' | 'covariance'>) {
    const d = mean.length
    const matrix = new Matrix(Array.from({ length: d }, (_, r) => covariance.slice(r * d, (r + 1) * d)))
    let cholesky = new CholeskyDecomposition(matrix)
    for (let ridge = 1e-6 * (matrix.trace() / d + 1e-12); !cholesky.isPositiveDefinite(); ridge *= 10) {
      for (let r = 0; r < d; r++) matrix.set(r, r, matrix.get(r, r) + ridge)
      cholesky = new CholeskyDecomposition(matrix)
    }
    const factor = cholesky.lowerTriangularMatrix
    let logDeterminant = 0
    for (let r = 0; r < d; r++) logDeterminant += 2 * Math.log(factor.get(r, r))
    this.#constant = -0.5 * (d * Math.log(2 * Math.PI) + logDeterminant)
    this.#mean = Float64Array.from(mean)
    this.#precision = Float64Array.from(inverse(matrix).to1DArray())
    this.#offset = new Float64Array(d)
  }

  /** Squared Mahalanobis distance of sample `at`. @param channels one array of values per channel */
  distance(channels: readonly ArrayLike<number>[], at: number): number {
    const d = this.#mean.length
    const [offset, precision] = [this.#offset, this.#precision]
    for (let c = 0; c < d; c++) offset[c] = channels[c][at] - this.#mean[c]
    let sum = 0
    for (let r = 0; r < d; r++) {
      let row = 0.5 * precision[r * d + r] * offset[r]
      for (let c = 0; c < r; c++) row += precision[r * d + c] * offset[c]
      sum += 2 * row * offset[r]
    }
    return sum
  }

  /** Log-density at sample `at`. */
  log(channels: readonly ArrayLike<number>[], at: number): number {
    return this.#constant - 0.5 * this.distance(channels, at)
  }
}

/**
 * Weighted mean and covariance; `ridge` is added to each variance.
 * @returns undefined when the weights sum to next to nothing
 */
export function weightedGaussian(
  channels: readonly ArrayLike<number>[],
  weights: ArrayLike<number>,
  ridge = 1e-3,
): Gaussian | undefined {
  const d = channels.length
  let total = 0
  let all = 0
  const mean = new Array<number>(d).fill(0)
  const n = weights.length
  for (let i = 0; i < n; i++) {
    all++
    const w = weights[i]
    if (w === 0) continue
    total += w
    for (let c = 0; c < d; c++) mean[c] += w * channels[c][i]
  }
  if (!(total > 2)) return undefined
  for (let c = 0; c < d; c++) mean[c] /= total
  const covariance = new Array<number>(d * d).fill(0)
  const offset = new Float64Array(d)
  for (let i = 0; i < n; i++) {
    const w = weights[i]
    if (w === 0) continue
    for (let c = 0; c < d; c++) offset[c] = channels[c][i] - mean[c]
    for (let r = 0; r < d; r++) for (let c = 0; c <= r; c++) covariance[r * d + c] += w * offset[r] * offset[c]
  }
  for (let r = 0; r < d; r++)
    for (let c = 0; c <= r; c++) {
      covariance[r * d + c] = covariance[c * d + r] = covariance[r * d + c] / total
      if (r === c) covariance[r * d + r] += ridge
    }
  return { weight: total / all, mean, covariance }
}

/** Mean squared distance of the values from their mean; NaN of none. */
export function variance(values: Float32Array): number {
  let [sum, squares] = [0, 0]
  for (const v of values) sum += v
  for (const v of values) squares += (v - sum / values.length) ** 2
  return squares / values.length
}
