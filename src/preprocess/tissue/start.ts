/** Mean per channel and covariance of the fluid, grey and white matter that a mixture starts from. */
export interface Start {
  mean: number[]
  covariance: number[]
}

/**
 * Where to start: median and spread of the samples for which the prior prefers a class. Fluid starts darker than the
 * median, with the others' spread: of what an atlas takes for fluid much is mixed with grey matter, and a class that
 * starts as wide as that mixture stays so. Where the prior prefers no class anywhere, or is plainly wrong, the first
 * channel's three clusters stand for them.
 *
 * @param values one array of samples a channel, the same samples in `priors`; samples of weight 0 are left out
 * @param order the classes (0 fluid, 1 grey, 2 white matter) by rising intensity in the first channel
 */
export function startingClasses(
  values: readonly Float32Array[],
  priors: readonly Float32Array[],
  weights: Float32Array | undefined,
  order: readonly [number, number, number],
): Start[] {
  const usable: number[] = []
  for (let v = 0; v < priors[0].length; v++)
    if ((weights === undefined || weights[v] > 0) && values.every((x) => Number.isFinite(x[v]))) usable.push(v)
  const figuresOf = (members: number[][]) =>
    members.map((voxels) => values.map((channel) => quartiles(channel, voxels)))
  const byPrior = preferred(priors, usable)
  let figures = byPrior && figuresOf(byPrior)
  // A prior whose grey or white matter is darker than its fluid lies beside the brain.
  const [fluid, grey, white] = figures?.map(([first]) => first) ?? []
  if (figures === undefined || fluid.dark > grey.median || fluid.dark > white.median)
    figures = figuresOf(clusters(values[0], usable, order))
  return started(figures)
}

interface Quartiles {
  dark: number
  low: number
  median: number
  high: number
}

/** @param figures by class, by channel */
function started(figures: Quartiles[][]): Start[] {
  const variance = (k: number, c: number) => ((figures[k][c].high - figures[k][c].low) / 1.349) ** 2
  const diagonal = (v: number[]) => (v.length === 1 ? v : [v[0], 0, 0, v[1]])
  return figures.map((channels, k) =>
    k === 0
      ? {
          mean: channels.map(({ dark }) => dark),
          covariance: diagonal(channels.map((_, c) => (variance(1, c) + variance(2, c)) / 2)),
        }
      : { mean: channels.map(({ median }) => median), covariance: diagonal(channels.map((_, c) => variance(k, c))) },
  )
}

/** The samples each class is likeliest for; its likeliest hundredth where those are too few. Undefined for a flat prior. */
function preferred(priors: readonly Float32Array[], usable: number[]): number[][] | undefined {
  const likeliest = priors.map((prior, k) =>
    usable.filter((v) => prior[v] > 0.5 && priors.every((other, o) => o === k || other[v] < prior[v])),
  )
  if (likeliest.every(({ length }) => length === 0)) return undefined
  const least = Math.max(10, 1e-3 * usable.length)
  return likeliest.map((found, k) => {
    if (found.length >= least) return found
    const sorted = [...usable].sort((a, b) => priors[k][b] - priors[k][a])
    return sorted.slice(0, Math.ceil(usable.length / 100))
  })
}

/** Three clusters of one channel (k-means from the quantiles 1/6, 1/2, 5/6), each put at its class's place. */
function clusters(channel: Float32Array, usable: number[], order: readonly [number, number, number]): number[][] {
  const sorted = Float32Array.from(usable, (v) => channel[v]).sort()
  let centres = [1, 3, 5].map((sixth) => sorted[Math.floor((sixth * (sorted.length - 1)) / 6)])
  const nearest = (value: number) =>
    value < (centres[0] + centres[1]) / 2 ? 0 : value < (centres[1] + centres[2]) / 2 ? 1 : 2
  for (let round = 0; round < 30; round++) {
    const sums = [0, 0, 0]
    const counts = [0, 0, 0]
    for (const value of sorted) {
      const at = nearest(value)
      sums[at] += value
      counts[at]++
    }
    centres = centres.map((old, at) => (counts[at] > 0 ? sums[at] / counts[at] : old))
  }
  const out: number[][] = [[], [], []]
  for (const v of usable) out[order[nearest(channel[v])]].push(v)
  return out
}

function quartiles(channel: Float32Array, voxels: number[]): Quartiles {
  const sorted = Float32Array.from(voxels, (v) => channel[v]).sort()
  const at = (p: number) => sorted[Math.floor(p * (sorted.length - 1))] ?? 0
  return { dark: at(0.2), low: at(0.25), median: at(0.5), high: at(0.75) }
}
