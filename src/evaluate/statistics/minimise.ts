/**
 * Least value of a function of few variables by the simplex of Nelder & Mead (1965, Comput J 7:308), begun again
 * from its result until that gains nothing.
 */
export function minimise(f: (x: readonly number[]) => number, start: readonly number[], tolerance = 1e-9): number[] {
  if (start.length === 0) return []
  let best = simplex(f, start, tolerance)
  for (let again = 0; again < 10; again++) {
    const next = simplex(f, best.x, tolerance)
    const gain = best.value - next.value
    best = next
    if (gain < tolerance) break
  }
  return best.x
}

interface Point {
  x: number[]
  value: number
}

function simplex(f: (x: readonly number[]) => number, start: readonly number[], tolerance: number): Point {
  const point = (x: number[]): Point => ({ x, value: f(x) })
  const corner = (i: number) => start.map((x, j) => (i === j ? x + 0.25 * Math.max(Math.abs(x), 0.25) : x))
  const points = [point([...start]), ...start.map((_, i) => point(corner(i)))]
  const worst = points.length - 1
  for (let step = 0; step < 400 * start.length; step++) {
    points.sort((a, b) => a.value - b.value)
    const size = Math.max(...points.map(({ x }) => Math.max(...x.map((value, j) => Math.abs(value - points[0].x[j])))))
    if (size < tolerance && points[worst].value - points[0].value < tolerance) break
    const centre = start.map((_, j) => points.slice(0, worst).reduce((sum, { x }) => sum + x[j], 0) / worst)
    const along = (by: number) => point(centre.map((c, j) => c + by * (points[worst].x[j] - c)))
    const reflected = along(-1)
    if (reflected.value < points[0].value) {
      const expanded = along(-2)
      points[worst] = expanded.value < reflected.value ? expanded : reflected
    } else if (reflected.value < points[worst - 1].value) points[worst] = reflected
    else {
      const contracted = along(reflected.value < points[worst].value ? -0.5 : 0.5)
      if (contracted.value < Math.min(reflected.value, points[worst].value)) points[worst] = contracted
      else for (let i = 1; i <= worst; i++) points[i] = point(points[i].x.map((x, j) => (x + points[0].x[j]) / 2))
    }
  }
  return points.sort((a, b) => a.value - b.value)[0]
}

/** Second derivatives by central differences; steps are a thousandth of each variable, which must not be 0. */
export function hessian(f: (x: readonly number[]) => number, at: readonly number[]): number[][] {
  const steps = at.map((x) => 1e-3 * Math.abs(x))
  const moved = (i: number, a: number, j: number, b: number) =>
    f(at.map((x, k) => x + (k === i ? a * steps[i] : 0) + (k === j ? b * steps[j] : 0)))
  return at.map((_, i) =>
    at.map((_, j) => {
      if (i === j) return (moved(i, 1, j, 0) - 2 * f(at) + moved(i, -1, j, 0)) / steps[i] ** 2
      return (
        (moved(i, 1, j, 1) - moved(i, 1, j, -1) - moved(i, -1, j, 1) + moved(i, -1, j, -1)) / (4 * steps[i] * steps[j])
      )
    }),
  )
}
