import { CholeskyDecomposition, Matrix } from 'ml-matrix'
import { GridSpline, type Places } from './lattice.js'

/**
 * Least-squares fit of a B-spline to data on a grid, with a penalty on its bending (second derivatives, between neighbouring
 * control points), again and again with the same weights: the smoothing of N3.
 */
export class SmoothingSpline {
  readonly #spline: GridSpline
  readonly #solver: CholeskyDecomposition
  readonly #weights: Float64Array

  /** @param stiffness weight of the bending of a control point, as a share of that of the data of one */
  constructor(weights: Float64Array, places: Places, mesh: number, stiffness: number) {
    this.#weights = weights
    this.#spline = new GridSpline(places, mesh)
    const points = mesh + 3
    const pairs = this.#spline.gatherPairs(weights)
    const total = weights.reduce((sum, w) => sum + w, 0)
    const penalty = (stiffness * total) / points ** 3
    const normal = Matrix.zeros(points ** 3, points ** 3)
    const along = [0, 1, 2].map((axis) => (index: number) => Math.floor(index / points ** axis) % points)
    for (let a = 0; a < points ** 3; a++)
      for (let b = a; b < points ** 3; b++) {
        let pair = 0
        let near = true
        for (const axis of [2, 1, 0]) {
          const [p, q] = [along[axis](a), along[axis](b)]
          near = near && Math.abs(p - q) < 4
          pair = pair * 4 * points + 4 * Math.min(p, q) + Math.abs(p - q)
        }
        if (!near) continue
        normal.set(a, b, pairs[pair])
        normal.set(b, a, pairs[pair])
      }
    addBending(normal, points, penalty)
    for (let a = 0; a < points ** 3; a++) normal.set(a, a, normal.get(a, a) + 1e-12 * total)
    this.#solver = new CholeskyDecomposition(normal)
  }

  /** Control points of the spline nearest to `data`, and its values on the grid. */
  fit(data: Float64Array): { points: Float64Array; values: Float64Array } {
    const scaled = new Float64Array(data.length)
    for (let i = 0; i < data.length; i++) if (this.#weights[i] !== 0) scaled[i] = this.#weights[i] * data[i]
    const solved = this.#solver.solve(Matrix.columnVector(Array.from(this.#spline.gather(scaled))))
    const points = Float64Array.from(solved.to1DArray())
    return { points, values: this.#spline.expand(points) }
  }
}

/** Adds penalty · (Σ second differences² along axes + 2 Σ mixed differences²). */
function addBending(normal: Matrix, points: number, penalty: number): void {
  const at = (i: number, j: number, k: number) => i + points * (j + points * k)
  const add = (terms: readonly (readonly [number, number])[], weight: number) => {
    for (const [a, u] of terms) for (const [b, v] of terms) normal.set(a, b, normal.get(a, b) + weight * u * v)
  }
  const unit = [at(1, 0, 0), at(0, 1, 0), at(0, 0, 1)]
  for (let k = 0; k < points; k++)
    for (let j = 0; j < points; j++)
      for (let i = 0; i < points; i++) {
        const here = at(i, j, k)
        const place = [i, j, k]
        for (let a = 0; a < 3; a++) {
          if (place[a] + 2 < points)
            add(
              [
                [here, 1],
                [here + unit[a], -2],
                [here + 2 * unit[a], 1],
              ],
              penalty,
            )
          for (let b = a + 1; b < 3; b++)
            if (place[a] + 1 < points && place[b] + 1 < points)
              add(
                [
                  [here, 1],
                  [here + unit[a], -1],
                  [here + unit[b], -1],
                  [here + unit[a] + unit[b], 1],
                ],
                2 * penalty,
              )
        }
      }
}
