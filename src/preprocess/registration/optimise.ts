/**
 * Maximises a function of a few variables without derivatives: Powell's direction set with parabolic line searches
 * (Powell 1964). Variables are scaled so that one unit means about the same in each.
 *
 * @param value the function; it may be asynchronous
 * @param start first point; not changed
 * @param step first length of a line search, in units
 * @param tolerance line searches end when they are this close, in units
 * @param rounds most rounds over all directions
 */
export async function maximise(
  value: (point: readonly number[]) => Promise<number>,
  start: readonly number[],
  { step, tolerance, rounds }: { step: number; tolerance: number; rounds: number },
): Promise<{ point: number[]; value: number; evaluations: number }> {
  const n = start.length
  let evaluations = 0
  const f = async (point: readonly number[]) => {
    evaluations++
    return await value(point)
  }
  const directions: number[][] = start.map((_, i) => start.map((__, j) => (i === j ? 1 : 0)))
  let point = [...start]
  let best = await f(point)
  let reach = step
  for (let round = 0; round < rounds; round++) {
    const from = point
    const fromBest = best
    let largest = 0
    let largestAt = 0
    for (let d = 0; d < n; d++) {
      const before = best
      ;({ point, best } = await alongLine(f, point, best, directions[d], reach, tolerance))
      if (best - before > largest) [largest, largestAt] = [best - before, d]
    }
    const moved = point.map((x, i) => x - from[i])
    const length = Math.hypot(...moved)
    if (length > tolerance) {
      // Powell: the direction of the whole round replaces the one that gained most, if going on along it pays.
      const beyond = await f(point.map((x, i) => x + moved[i]))
      if (beyond > fromBest) {
        const curvature = 2 * (2 * best - fromBest - beyond) * (best - fromBest - largest) ** 2
        if (curvature < largest * (beyond - fromBest) ** 2) {
          const direction = moved.map((x) => x / length)
          ;({ point, best } = await alongLine(f, point, best, direction, reach, tolerance))
          directions[largestAt] = directions[n - 1]
          directions[n - 1] = direction
        }
      }
    }
    if (length < tolerance && reach <= 2 * tolerance) break
    reach = Math.max(2 * tolerance, Math.min(reach, 2 * length))
  }
  return { point, value: best, evaluations }
}

/** Brackets the maximum along a line and closes in on it with parabolas; keeps the start when nothing is better. */
async function alongLine(
  f: (point: readonly number[]) => Promise<number>,
  origin: number[],
  atOrigin: number,
  direction: readonly number[],
  step: number,
  tolerance: number,
): Promise<{ point: number[]; best: number }> {
  const at = (t: number) => origin.map((x, i) => x + t * direction[i])
  let [a, b, c] = [-step, 0, step]
  let [fa, fb, fc] = [await f(at(a)), atOrigin, await f(at(c))]
  for (let grow = 0; grow < 6 && (fa > fb || fc > fb); grow++) {
    if (fc >= fa) {
      ;[a, fa, b, fb] = [b, fb, c, fc]
      c = b + 1.6 * (b - a)
      fc = await f(at(c))
    } else {
      ;[c, fc, b, fb] = [b, fb, a, fa]
      a = b - 1.6 * (c - b)
      fa = await f(at(a))
    }
  }
  while (c - a > 2 * tolerance) {
    const bottom = (b - a) * (fb - fc) - (b - c) * (fb - fa)
    let t = bottom === 0 ? b : b - 0.5 * (((b - a) ** 2 * (fb - fc) - (b - c) ** 2 * (fb - fa)) / bottom)
    // A parabola that points outside, or back at where we are, teaches nothing: cut the larger half instead.
    if (!(t > a && t < c) || Math.abs(t - b) < tolerance / 2) t = c - b > b - a ? b + 0.38 * (c - b) : b - 0.38 * (b - a)
    const ft = await f(at(t))
    if (ft > fb) {
      if (t > b) [a, fa] = [b, fb]
      else [c, fc] = [b, fb]
      ;[b, fb] = [t, ft]
    } else if (t > b) [c, fc] = [t, ft]
    else [a, fa] = [t, ft]
  }
  return fb > atOrigin ? { point: at(b), best: fb } : { point: origin, best: atOrigin }
}
