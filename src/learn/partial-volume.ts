import { distanceAt, type GaussianClass, type LogDensityForm, logDensityForm } from './gaussian.js'

/**
 * The density of samples that hold any part of class a and the rest of class b, every share alike, with the noise of
 * both: a Gaussian drawn along the line between two means (Santago and Gage 1993, IEEE TMI 12:566).
 */
export interface Line {
  /** The Gaussian of class a with the mean covariance of both. */
  start: LogDensityForm
  /** Length of the line in standard deviations. */
  length: number
  /** The share of b at (x, y) is along[0] · x + along[1] · y − along[2], below 0 before a and above 1 beyond b. */
  along: readonly [number, number, number]
}

/** The line from class a to class b in `channels` (1 or 2) channels. */
export function lineBetween(a: GaussianClass, b: GaussianClass, channels: number): Line {
  const covariance = a.covariance.map((v, i) => (v + b.covariance[i]) / 2)
  const start = logDensityForm({ ...a, covariance }, channels)
  const [, , , p00, p01, p11] = start
  const u = b.mean[0] - a.mean[0]
  const v = channels > 1 ? b.mean[1] - a.mean[1] : 0
  const [cx, cy] = [p00 * u + p01 * v, p01 * u + p11 * v]
  const squared = cx * u + cy * v
  const by = squared > 0 ? 1 / squared : 0
  return {
    start,
    length: Math.sqrt(Math.max(0, squared)),
    along: [cx * by, cy * by, (cx * a.mean[0] + cy * (channels > 1 ? a.mean[1] : 0)) * by],
  }
}

/** Chance that a sample on the line holds more of b than of a, given (x, y). */
export function moreOfB({ length, along }: Line, x: number, y: number): number {
  const share = along[0] * x + along[1] * y - along[2]
  // Mirrored to the nearer end, so that the difference of two tails keeps its digits.
  const near = share > 0.5 ? 1 - share : share
  const [low, middle, high] = [-length * near, length * (0.5 - near), length * (1 - near)]
  const all = massBetween(low, high)
  const further = all > 1e-30 ? massBetween(middle, high) / all : length > 1e-3 ? 0 : 0.5
  return share > 0.5 ? 1 - further : further
}

/** Squared Mahalanobis distance of (x, y) from the line. */
export function distanceFromLine(line: Line, x: number, y: number): number {
  const share = line.along[0] * x + line.along[1] * y - line.along[2]
  const within = Math.min(1, Math.max(0, share))
  // |p − a|² − |along|², and what is missing to the nearest end
  const squared = line.length ** 2
  return Math.max(0, distanceAt(line.start, x, y) - squared * (share ** 2 - (share - within) ** 2))
}

/** Log-density at (x, y); y is ignored for one channel. */
export function logLineDensityAt(line: Line, x: number, y: number): number {
  const { start, length, along } = line
  const distance = distanceAt(start, x, y)
  if (length < 1e-3) return start[0] - 0.5 * distance
  const share = along[0] * x + along[1] * y - along[2]
  const across = Math.max(0, distance - (length * share) ** 2)
  const near = share > 0.5 ? 1 - share : share
  const mass = massBetween(-length * near, length * (1 - near))
  return start[0] - 0.5 * across + Math.log(Math.max(1e-300, (mass * 2.5066282746310002) / length))
}

/** Share of a standard normal distribution between two bounds, the upper one above 0. */
const massBetween = (low: number, high: number): number =>
  low >= 0 ? upperTail(low) - upperTail(high) : 1 - upperTail(-low) - upperTail(high)

/** Share of a standard normal distribution above z ≥ 0 (Abramowitz and Stegun 26.2.17; |error| < 10⁻⁷). */
export function upperTail(z: number): number {
  const t = 1 / (1 + 0.2316419 * z)
  const series = t * (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))))
  return 0.3989422804014327 * Math.exp(-0.5 * z * z) * series
}
