import { CholeskyDecomposition, inverse, Matrix } from 'ml-matrix'
import { normalQuantile, tQuantile, tUpper } from './distributions.js'
import { hessian, minimise } from './minimise.js'
import { type Equations, type MixedModelData, prepare, profile, type Solution } from './mixed-equations.js'

export interface FixedEffect {
  name: string
  estimate: number
  standardError: number
  /** Degrees of freedom by Satterthwaite (1946), as R's lmerTest has them. */
  df: number
  t: number
  p: number
  low: number
  high: number
}

export interface MixedModel {
  fixed: FixedEffect[]
  /** Covariance of the fixed effects, in their order. */
  covariance: number[][]
  /** Variance of each random factor, by its name. */
  variances: Record<string, number>
  residualVariance: number
  /** Predicted effect of each level of each random factor (BLUP). */
  random: Record<string, Record<string, number>>
  /** −2 × the restricted log-likelihood. */
  deviance: number
  /** Rows used, and rows left out because the response is NaN. */
  n: number
  skipped: number
}

/**
 * Linear mixed model with any number of crossed random intercepts, by restricted maximum likelihood: the likelihood is
 * profiled over the ratios of the standard deviations to the residual's (Bates et al. 2015, J Stat Softw 67:1) and
 * minimised by Nelder and Mead's method.
 *
 * @throws RangeError when lengths differ, a factor has one level only or one for each row, or fixed effects are collinear
 */
export function mixedModel(data: MixedModelData, level = 0.95): MixedModel {
  const equations = prepare(data)
  const { n, p, factors } = equations
  const ratios = minimise(
    (theta) => profile(equations, theta).deviance,
    factors.map(() => 1),
  ).map(Math.abs)
  const best = profile(equations, ratios)
  const sigma2 = best.residual / (n - p)
  const deviance = (sds: readonly number[]) => restrictedDeviance(equations, sds)
  const sds = [...ratios.map((ratio) => ratio * Math.sqrt(sigma2)), Math.sqrt(sigma2)]
  const df = satterthwaite(equations, sds, deviance)
  const covariance = best.unscaledCovariance.map((row) => row.map((value) => value * sigma2))
  const fixed = data.fixed.map(({ name }, i) => {
    const estimate = best.beta[i]
    const standardError = Math.sqrt(covariance[i][i])
    const t = estimate / standardError
    const reach =
      standardError * (Number.isFinite(df[i]) ? tQuantile((1 + level) / 2, df[i]) : normalQuantile((1 + level) / 2))
    return {
      name,
      estimate,
      standardError,
      df: df[i],
      t,
      p: 2 * tUpper(Math.abs(t), df[i]),
      low: estimate - reach,
      high: estimate + reach,
    }
  })
  return {
    fixed,
    covariance,
    variances: Object.fromEntries(factors.map(({ name }, f) => [name, ratios[f] ** 2 * sigma2])),
    residualVariance: sigma2,
    random: Object.fromEntries(
      factors.map(({ name, levels }, f) => [
        name,
        Object.fromEntries(levels.map((label, i) => [label, ratios[f] * best.spherical[f][i]])),
      ]),
    ),
    deviance: best.deviance,
    n,
    skipped: equations.skipped,
  }
}

/** One figure of a method on a case, with who drew the reference. */
export interface Reading {
  method: string
  case: string
  rater?: string
  value: number
}

/**
 * How methods differ when cases (and, where given, raters) are random draws: one fixed effect a method against
 * `reference`, whose own mean is the intercept. Random factors with one level are left out.
 * @throws RangeError when the reference is not among the methods
 */
export function methodEffects(readings: readonly Reading[], reference: string, level = 0.95): MixedModel {
  const methods = [...new Set(readings.map(({ method }) => method))]
  if (!methods.includes(reference))
    throw new RangeError(`no figure is of "${reference}"; there are ${methods.join(', ')}`)
  const labels = { case: readings.map((r) => r.case), rater: readings.map((r) => r.rater ?? '') }
  const random = Object.entries(labels)
    .filter(([, list]) => new Set(list).size > 1)
    .map(([name, list]) => ({ name, labels: list }))
  return mixedModel(
    {
      response: readings.map(({ value }) => value),
      fixed: [
        { name: reference, values: readings.map(() => 1) },
        ...methods
          .filter((method) => method !== reference)
          .map((method) => ({ name: method, values: readings.map((r) => (r.method === method ? 1 : 0)) })),
      ],
      random,
    },
    level,
  )
}

/** −2 log restricted likelihood of standard deviations (the residual's last), not profiled. */
function restrictedDeviance(equations: Equations, sds: readonly number[]): number {
  const sigma = sds[sds.length - 1]
  const { n, p } = equations
  const at = solutionAt(equations, sds)
  return at.logDeterminants + (n - p) * Math.log(2 * Math.PI * sigma ** 2) + at.residual / sigma ** 2
}

const solutionAt = (equations: Equations, sds: readonly number[]): Solution =>
  profile(
    equations,
    sds.slice(0, -1).map((sd) => sd / sds[sds.length - 1]),
  )

/**
 * Degrees of freedom of each fixed effect: 2 v² / var(v) for its variance v as a function of the standard deviations,
 * whose own covariance is twice the inverse of the deviance's Hessian. Standard deviations at 0 are held there.
 */
function satterthwaite(
  equations: Equations,
  sds: readonly number[],
  deviance: (sds: readonly number[]) => number,
): number[] {
  const free = sds.map((_, i) => i).filter((i) => sds[i] > 1e-4 * sds[sds.length - 1])
  const all = (values: readonly number[]) => {
    const out = sds.map((sd, i) => (free.includes(i) ? sd : 0))
    free.forEach((i, at) => (out[i] = values[at]))
    return out
  }
  const start = free.map((i) => sds[i])
  const curvature = new Matrix(hessian((values) => deviance(all(values)), start))
  if (!new CholeskyDecomposition(curvature).isPositiveDefinite()) return new Array<number>(equations.p).fill(Number.NaN)
  const spread = inverse(curvature).mul(2)
  const variances = (values: readonly number[]) => {
    const { unscaledCovariance } = solutionAt(equations, all(values))
    return unscaledCovariance.map((row, i) => row[i] * all(values)[sds.length - 1] ** 2)
  }
  const slopes = start.map((value, at) => {
    const step = 1e-4 * value
    const moved = (by: number) => variances(start.map((x, i) => (i === at ? x + by : x)))
    const [up, down] = [moved(step), moved(-step)]
    return up.map((v, i) => (v - down[i]) / (2 * step))
  })
  return variances(start).map((v, effect) => {
    const g = Matrix.columnVector(slopes.map((slope) => slope[effect]))
    return (2 * v * v) / g.transpose().mmul(spread).mmul(g).get(0, 0)
  })
}
