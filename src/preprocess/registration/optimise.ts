export interface Slope {
  value: number
  gradient: Float64Array
}

/**
 * Maximises a smooth function of a few variables by its gradient: the quasi-Newton method of Broyden, Fletcher,
 * Goldfarb and Shanno, with a backtracking line search. Variables are scaled so that one unit means about the same in
 * each.
 *
 * @param f value and gradient at a point
 * @param start first point; not changed
 * @param longest most that a step may change the point, in units
 * @param tolerance ends when two steps in a row are shorter than this, in units
 */
export async function ascend(
  f: (point: readonly number[]) => Promise<Slope>,
  start: readonly number[],
  { longest, tolerance, steps = 40 }: { longest: number; tolerance: number; steps?: number },
): Promise<{ point: number[]; value: number }> {
  const n = start.length
  let point = [...start]
  let { value, gradient } = await f(point)
  /** Inverse Hessian of −f; undefined: not known yet. */
  let inverse: Float64Array | undefined
  let short = 0
  for (let step = 0; step < steps; step++) {
    let direction = inverse ? times(inverse, gradient) : gradient
    if (inverse && !(dot(direction, gradient) > 0)) {
      inverse = undefined
      direction = gradient
    }
    const norm = Math.hypot(...direction)
    if (!(norm > 0)) break
    // Without curvature the first step is a guess; with it the step has a length of its own.
    const reach = inverse ? Math.min(1, longest / norm) : longest / 2 / norm
    const rise = dot(direction, gradient)
    let taken: { next: number[]; at: Slope; t: number } | undefined
    for (let t = reach, tries = 0; tries < 8; tries++) {
      const next = point.map((x, i) => x + t * direction[i])
      const at = await f(next)
      if (at.value >= value + 1e-4 * t * rise) {
        taken = { next, at, t }
        break
      }
      if (t * norm < tolerance / 4) break
      // The top of the parabola through both ends and the slope, but no more than a fifth to a half of the way.
      const top = (rise * t * t) / (2 * (value + rise * t - at.value))
      t = Math.min(0.5 * t, Math.max(0.2 * t, top))
    }
    if (!taken) {
      if (!inverse) break
      inverse = undefined
      continue
    }
    const moved = Float64Array.from(point, (x, i) => taken.next[i] - x)
    const change = gradient.map((g, i) => g - taken.at.gradient[i])
    inverse = updated(inverse, moved, change, n)
    ;({ value, gradient } = taken.at)
    point = taken.next
    short = Math.hypot(...moved) < tolerance ? short + 1 : 0
    if (short === 2) break
  }
  return { point, value }
}

/** The update of the inverse Hessian; kept as it is where curvature is not that of a maximum. */
function updated(
  inverse: Float64Array | undefined,
  moved: Float64Array,
  change: Float64Array,
  n: number,
): Float64Array | undefined {
  const curvature = dot(moved, change)
  if (!(curvature > 1e-12 * Math.hypot(...moved) * Math.hypot(...change))) return inverse
  const scale = curvature / dot(change, change)
  const h = inverse ?? Float64Array.from({ length: n * n }, (_, i) => (i % (n + 1) === 0 ? scale : 0))
  const hy = times(h, change)
  const yhy = dot(change, hy)
  return h.map((value, at) => {
    const [i, j] = [Math.floor(at / n), at % n]
    return (
      value +
      ((1 + yhy / curvature) * moved[i] * moved[j]) / curvature -
      (hy[i] * moved[j] + moved[i] * hy[j]) / curvature
    )
  })
}

const dot = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i]
  return sum
}

function times(matrix: Float64Array, vector: Float64Array): Float64Array {
  const n = vector.length
  return vector.map((_, i) => dot(matrix.subarray(i * n, i * n + n), vector))
}
