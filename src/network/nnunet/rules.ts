/** Spacing ratio from which an axis counts as anisotropic. */
export const anisotropyThreshold = 3

/** Rounds halves to the even neighbour, as Python does. */
export function roundHalfEven(value: number): number {
  const down = Math.floor(value)
  const rest = value - down
  if (rest !== 0.5) return rest < 0.5 ? down : down + 1
  return down % 2 === 0 ? down : down + 1
}

/** The quantile `q` (0–1) by linear interpolation between the two order statistics around q·(n − 1). */
export function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  const at = q * (sorted.length - 1)
  const low = Math.floor(at)
  return lerp(sorted[low], sorted[Math.min(low + 1, sorted.length - 1)], at - low)
}

/** The middle value, or the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const half = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2
}

/** Linear interpolation from the nearer end, as NumPy does it, so that rounding is the same. */
export const lerp = (a: number, b: number, t: number): number => (t < 0.5 ? a + (b - a) * t : b - (b - a) * (1 - t))

/** The shape of an image after resampling from one spacing to another. */
export const resampledShape = (
  shape: readonly number[],
  spacing: readonly number[],
  target: readonly number[],
): number[] => shape.map((n, axis) => roundHalfEven((spacing[axis] / target[axis]) * n))

/** The axis with the largest spacing, the first of several. */
export const coarsestAxis = (spacing: readonly number[]): number => spacing.indexOf(Math.max(...spacing))

export const product = (numbers: readonly number[]): number => numbers.reduce((all, n) => all * n, 1)
