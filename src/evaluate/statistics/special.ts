/** The functions that distributions are made of, to about 13 digits. */

/** Natural logarithm of the gamma function of x > 0 (Stirling's series from 15 upwards, recurrence below). */
export function logGamma(x: number): number {
  let shift = 1
  let y = x
  while (y < 15) shift *= y++
  const inverse = 1 / y
  const square = inverse * inverse
  const series =
    inverse * (1 / 12 - square * (1 / 360 - square * (1 / 1260 - square * (1 / 1680 - square * (1 / 1188)))))
  return (y - 0.5) * Math.log(y) - y + 0.5 * Math.log(2 * Math.PI) + series - Math.log(shift)
}

/**
 * Regularised incomplete gamma functions P(a, x) and Q(a, x) = 1 − P, each without cancellation: the series below
 * a + 1, the continued fraction above (Abramowitz & Stegun 6.5.29, 6.5.31).
 */
export function incompleteGamma(a: number, x: number): { lower: number; upper: number } {
  if (Number.isNaN(a) || Number.isNaN(x)) return { lower: Number.NaN, upper: Number.NaN }
  if (x <= 0) return { lower: 0, upper: 1 }
  if (x === Infinity) return { lower: 1, upper: 0 }
  const front = Math.exp(a * Math.log(x) - x - logGamma(a))
  if (x < a + 1) {
    let term = 1 / a
    let sum = term
    for (let n = a + 1; term > sum * 1e-17; n++) sum += term *= x / n
    return { lower: front * sum, upper: 1 - front * sum }
  }
  const upper =
    front *
    continuedFraction(
      (n) => n * (a - n),
      (n) => x + 2 * n + 1 - a,
    )
  return { lower: 1 - upper, upper }
}

/**
 * Regularised incomplete beta function I_x(a, b). `y` is 1 − x, to be given where it is known better than by the
 * difference (Abramowitz & Stegun 26.5.8, from whichever end converges fast).
 */
export function incompleteBeta(a: number, b: number, x: number, y = 1 - x): number {
  if (Number.isNaN(a + b + x)) return Number.NaN
  if (x <= 0) return 0
  if (y <= 0) return 1
  if (x > (a + 1) / (a + b + 2)) return 1 - incompleteBeta(b, a, y, x)
  const front = Math.exp(a * Math.log(x) + b * Math.log(y) + logGamma(a + b) - logGamma(a) - logGamma(b))
  const numerator = (n: number) => {
    const m = n >> 1
    return n % 2 === 0
      ? (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m))
      : (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1))
  }
  return (front * continuedFraction(numerator, () => 1)) / a
}

/** 1 / (b(0) + a(1) / (b(1) + a(2) / (b(2) + …))), by the modified method of Lentz (1976). */
function continuedFraction(a: (n: number) => number, b: (n: number) => number): number {
  const tiny = 1e-300
  let value = b(0) || tiny
  let c = value
  let d = 0
  for (let n = 1; n < 100_000; n++) {
    d = 1 / (b(n) + a(n) * d || tiny)
    c = b(n) + a(n) / c || tiny
    value *= c * d
    if (Math.abs(c * d - 1) < 1e-15) break
  }
  return 1 / value
}

/** Complementary error function, to full relative accuracy in the upper tail. */
export const erfc = (x: number): number =>
  x < 0 ? 1 + incompleteGamma(0.5, x * x).lower : incompleteGamma(0.5, x * x).upper

/**
 * Where a monotone function crosses zero between `low` and `high`: bisection until no number lies between.
 * @throws RangeError when the function has the same sign at both ends
 */
export function findZero(f: (x: number) => number, low: number, high: number, tolerance = 0): number {
  const [atLow, atHigh] = [f(low), f(high)]
  if (atLow === 0) return low
  if (atHigh === 0) return high
  if (!(atLow < 0 !== atHigh < 0)) throw new RangeError(`no zero between ${low} and ${high}`)
  let [a, b] = [low, high]
  for (let middle = (a + b) / 2; middle !== a && middle !== b && Math.abs(b - a) > tolerance; middle = (a + b) / 2) {
    const value = f(middle)
    if (value === 0) return middle
    if (value < 0 === atLow < 0) a = middle
    else b = middle
  }
  return (a + b) / 2
}

const [nodes, weights] = gaussLegendre(16)

/** Integral of a smooth function over [low, high]: Gauss–Legendre with 16 points on each of `panels` equal parts. */
export function integrate(f: (x: number) => number, low: number, high: number, panels: number): number {
  const half = (high - low) / panels / 2
  let sum = 0
  for (let panel = 0; panel < panels; panel++) {
    const middle = low + (2 * panel + 1) * half
    for (let i = 0; i < nodes.length; i++) sum += weights[i] * f(middle + half * nodes[i])
  }
  return sum * half
}

/** Nodes and weights on [−1, 1]: zeros of the Legendre polynomial by Newton's method. */
function gaussLegendre(n: number): [number[], number[]] {
  const x: number[] = []
  const w: number[] = []
  for (let i = 0; i < n; i++) {
    let z = Math.cos((Math.PI * (i + 0.75)) / (n + 0.5))
    let slope = 1
    for (let step = 0; step < 50; step++) {
      let [previous, value] = [0, 1]
      for (let j = 1; j <= n; j++) [previous, value] = [value, ((2 * j - 1) * z * value - (j - 1) * previous) / j]
      slope = (n * (z * value - previous)) / (z * z - 1)
      z -= value / slope
      if (Math.abs(value / slope) < 1e-15) break
    }
    x.push(z)
    w.push(2 / ((1 - z * z) * slope * slope))
  }
  return [x, w]
}
