/**
 * p values adjusted for being several: reject at α where the adjusted p is at most α. Order is kept; a NaN (a test
 * that could not be made) stays NaN and does not count as a test.
 */
export type Adjustment = (p: readonly number[]) => number[]

/** Family-wise error, one step. */
export const bonferroni: Adjustment = (p) => stepwise(p, (value, _place, tests) => value * tests, 'single')

/** Family-wise error, step down (Holm 1979, Scand J Stat 6:65): never worse than Bonferroni. */
export const holm: Adjustment = (p) => stepwise(p, (value, place, tests) => value * (tests - place + 1), 'down')

/** False discovery rate of independent or positively dependent tests (Benjamini & Hochberg 1995, JRSS B 57:289). */
export const benjaminiHochberg: Adjustment = (p) => stepwise(p, (value, place, tests) => (value * tests) / place, 'up')

/** False discovery rate under any dependence (Benjamini & Yekutieli 2001, Ann Stat 29:1165). */
export const benjaminiYekutieli: Adjustment = (p) =>
  stepwise(p, (value, place, tests) => (value * tests * harmonic(tests)) / place, 'up')

export const adjustments = { holm, bonferroni, benjaminiHochberg, benjaminiYekutieli } as const

/** Scales each p by its place among the sorted ones (1 is the least), then keeps the order: adjusted p never cross. */
function stepwise(
  p: readonly number[],
  scale: (value: number, place: number, tests: number) => number,
  step: 'single' | 'down' | 'up',
): number[] {
  const order = p
    .map((_, i) => i)
    .filter((i) => !Number.isNaN(p[i]))
    .sort((a, b) => p[a] - p[b])
  const adjusted = p.map(() => Number.NaN)
  const scaled = order.map((i, place) => Math.min(1, scale(p[i], place + 1, order.length)))
  if (step === 'down') for (let i = 1; i < scaled.length; i++) scaled[i] = Math.max(scaled[i], scaled[i - 1])
  if (step === 'up') for (let i = scaled.length - 2; i >= 0; i--) scaled[i] = Math.min(scaled[i], scaled[i + 1])
  order.forEach((i, place) => {
    adjusted[i] = scaled[place]
  })
  return adjusted
}

function harmonic(n: number): number {
  let sum = 0
  for (let i = 1; i <= n; i++) sum += 1 / i
  return sum
}
