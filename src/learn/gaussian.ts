/** One Gaussian class of a mixture in one or two channels. */
export interface GaussianClass {
  /** Share of the samples, 0–1 (with a spatial prior: the share that the prior and the data give together). */
  weight: number
  /** Mean per channel, in the channel's units. */
  mean: number[]
  /** Covariance, row by row: `[v]` for one channel, `[v00, v01, v01, v11]` for two. */
  covariance: number[]
  /** True when too few samples belonged to the class to estimate it: mean and covariance are then the initial ones. */
  empty: boolean
}

/** Standard deviation of each channel of a class. */
export const standardDeviations = ({ covariance }: GaussianClass): number[] =>
  covariance.length === 1 ? [Math.sqrt(covariance[0])] : [Math.sqrt(covariance[0]), Math.sqrt(covariance[3])]

/**
 * A Gaussian's log-density as a plain quadratic form, fast to evaluate in a loop over voxels.
 * `[constant, mean0, mean1, p00, p01, p11]`, P being the inverse covariance.
 */
export type LogDensityForm = readonly [number, number, number, number, number, number]

/** The log-density form of a class with `channels` (1 or 2) channels. */
export function logDensityForm({ mean, covariance }: GaussianClass, channels: number): LogDensityForm {
  if (channels === 1) return [-0.5 * Math.log(2 * Math.PI * covariance[0]), mean[0], 0, 1 / covariance[0], 0, 0]
  const [a, b, , c] = covariance
  const det = a * c - b * b
  return [-Math.log(2 * Math.PI) - 0.5 * Math.log(det), mean[0], mean[1], c / det, -b / det, a / det]
}

/** Squared Mahalanobis distance of (x, y) from the class; y is ignored for one channel. */
export function distanceAt(form: LogDensityForm, x: number, y: number): number {
  const u = x - form[1]
  const v = y - form[2]
  return form[3] * u * u + (form[5] === 0 ? 0 : 2 * form[4] * u * v + form[5] * v * v)
}

/** Log-density of the class at (x, y); y is ignored for one channel. */
export const logDensityAt = (form: LogDensityForm, x: number, y: number): number =>
  form[0] - 0.5 * distanceAt(form, x, y)
