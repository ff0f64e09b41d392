import { CholeskyDecomposition, inverse, Matrix } from 'ml-matrix'

export interface Clustering {
  /** One centre per cluster, of d values. */
  centres: Float64Array[]
  /** Cluster of each sample. */
  labels: Uint8Array
  /** Mean squared distance of the samples from their centres, over d. */
  distortion: number
}

export interface KMeansOptions {
  clusters: number
  /** Uniform random numbers in [0, 1). */
  random: () => number
  /** Fresh starts, of which the best is kept. Default 6. */
  restarts?: number
  /** Most rounds of each. Default 60. */
  rounds?: number
  signal?: AbortSignal
}

/**
 * k-means (Lloyd 1982) from starts spread by k-means++ (Arthur & Vassilvitskii 2007). A cluster that loses all its
 * samples takes the one that lies farthest from its centre.
 *
 * @param channels d arrays of one value per sample
 */
export function kMeans(
  channels: readonly ArrayLike<number>[],
  { clusters, random, restarts = 6, rounds = 60, signal }: KMeansOptions,
): Clustering {
  const n = channels[0].length
  const d = channels.length
  let best: Clustering = { centres: [], labels: new Uint8Array(n), distortion: Number.POSITIVE_INFINITY }
  for (let restart = 0; restart < (clusters === 1 ? 1 : restarts); restart++) {
    const centres = spreadStarts(channels, clusters, random)
    const labels = new Uint8Array(n)
    let total = Number.POSITIVE_INFINITY
    for (let round = 0; round < rounds; round++) {
      signal?.throwIfAborted()
      const before = total
      const { sum, farthest } = assign(channels, centres, labels)
      total = sum
      if (!(before - total > 1e-6 * total)) break
      recentre(channels, centres, labels, farthest)
    }
    if (total / (n * d) < best.distortion) best = { centres, labels, distortion: total / (n * d) }
  }
  return best
}

/** The place of the centre that a sample lies nearest to. */
export function nearestCentre(centres: readonly Float64Array[], sample: ArrayLike<number>): number {
  let [nearest, least] = [0, Number.POSITIVE_INFINITY]
  for (let k = 0; k < centres.length; k++) {
    let away = 0
    for (let c = 0; c < sample.length; c++) away += (sample[c] - centres[k][c]) ** 2
    if (away < least) [nearest, least] = [k, away]
  }
  return nearest
}

/** The first start is any sample; each other is drawn with a chance that goes as its squared distance from those before. */
function spreadStarts(channels: readonly ArrayLike<number>[], clusters: number, random: () => number): Float64Array[] {
  const n = channels[0].length
  const sampleAt = (at: number) => Float64Array.from(channels, (values) => values[at])
  const starts = [sampleAt(Math.floor(random() * n))]
  const away = new Float64Array(n).fill(Number.POSITIVE_INFINITY)
  while (starts.length < clusters) {
    const last = starts[starts.length - 1]
    let total = 0
    for (let i = 0; i < n; i++) {
      let square = 0
      for (let c = 0; c < channels.length; c++) square += (channels[c][i] - last[c]) ** 2
      if (square < away[i]) away[i] = square
      total += away[i]
    }
    let rest = random() * total
    let at = 0
    while (at < n - 1 && (rest -= away[at]) >= 0) at++
    starts.push(sampleAt(at))
  }
  return starts
}

function assign(
  channels: readonly ArrayLike<number>[],
  centres: readonly Float64Array[],
  labels: Uint8Array,
): { sum: number; farthest: number } {
  const d = channels.length
  let [sum, farthest, most] = [0, 0, -1]
  for (let i = 0; i < labels.length; i++) {
    let [nearest, least] = [0, Number.POSITIVE_INFINITY]
    for (let k = 0; k < centres.length; k++) {
      let away = 0
      for (let c = 0; c < d; c++) {
        const offset = channels[c][i] - centres[k][c]
        away += offset * offset
      }
      if (away < least) {
        least = away
        nearest = k
      }
    }
    labels[i] = nearest
    sum += least
    if (least > most) {
      most = least
      farthest = i
    }
  }
  return { sum, farthest }
}

function recentre(
  channels: readonly ArrayLike<number>[],
  centres: Float64Array[],
  labels: Uint8Array,
  farthest: number,
): void {
  const counts = new Float64Array(centres.length)
  const sums = centres.map((centre) => new Float64Array(centre.length))
  for (let i = 0; i < labels.length; i++) {
    counts[labels[i]]++
    for (let c = 0; c < channels.length; c++) sums[labels[i]][c] += channels[c][i]
  }
  for (let k = 0; k < centres.length; k++)
    for (let c = 0; c < channels.length; c++)
      centres[k][c] = counts[k] > 0 ? sums[k][c] / counts[k] : channels[c][farthest]
}

export interface JumpResult {
  /** The number of clusters, K*. */
  clusters: number
  /** The exponent Y: the middle of those that agree on it. */
  power: number
  /** For K = 1, 2, …: mean squared distance from the centre over d, and jump of the transformed distortion at that exponent. */
  distortions: number[]
  jumps: number[]
  /** Clustering of the samples into that many, in the units of `scale`. */
  clustering: Clustering
  /** d × d, row by row: what samples are multiplied with before distances are taken. */
  scale: Float64Array
}

export interface JumpOptions {
  /** Fewest and most clusters that are tried. Fewest: default 1. */
  fewest?: number
  most: number
  random: () => number
  restarts?: number
  /** Exponents Y that are tried, least and greatest. Default 0.5 to d / 2, the textbook's. */
  powers?: readonly [number, number]
  /**
   * The covariance that distances are measured in: that of the samples within their clusters, found by a first pass
   * (default), or the samples' own units.
   */
  covariance?: 'within' | 'none'
  signal?: AbortSignal
}

/**
 * The number of clusters in a set of samples by the jump method (Sugar & James 2003): the distortion of K clusters to
 * the power −Y grows slowly but for a jump where K reaches the true number. Hill et al. 2015 found the textbook's Y = d/2
 * too large for brain MRI; here the K that the widest range of exponents agrees on is taken.
 */
export function jumpMethod(channels: readonly ArrayLike<number>[], options: JumpOptions): JumpResult {
  const { covariance = 'within' } = options
  if (covariance === 'none') return jumpIn(channels, identity(channels.length), options)
  const rough = jumpIn(channels, deviationScale(channels), options)
  return jumpIn(channels, whitening(withinCovariance(channels, rough.clustering.labels, rough.clusters)), options)
}

function jumpIn(channels: readonly ArrayLike<number>[], scale: Float64Array, options: JumpOptions): JumpResult {
  const d = channels.length
  const { fewest = 1, most, random, restarts, signal, powers = [0.5, Math.max(0.5, d / 2)] } = options
  const n = channels[0].length
  const scaled = channels.map((_, row) => {
    const out = new Float64Array(n)
    for (let c = 0; c < d; c++) {
      const factor = scale[row * d + c]
      if (factor !== 0) for (let i = 0; i < n; i++) out[i] += factor * channels[c][i]
    }
    return out
  })
  const all = Array.from({ length: most }, (_, k) => kMeans(scaled, { clusters: k + 1, random, restarts, signal }))
  const distortions = all.map(({ distortion }) => distortion)
  const { clusters, power } = chooseClusters(distortions, powers, fewest)
  return { clusters, power, distortions, jumps: jumpsAt(distortions, power), clustering: all[clusters - 1], scale }
}

/** Jump of the distortion to the power −Y at K = 1, 2, …; that of no cluster is 0. */
export function jumpsAt(distortions: readonly number[], power: number): number[] {
  const transformed = distortions.map((distortion) => Math.max(distortion, 1e-12) ** -power)
  return transformed.map((value, k) => value - (k > 0 ? transformed[k - 1] : 0))
}

/** The number of clusters with the greatest jump over the longest run of exponents, and the middle of that run. */
export function chooseClusters(
  distortions: readonly number[],
  [least, greatest]: readonly [number, number],
  fewest = 1,
): { clusters: number; power: number } {
  const steps = greatest > least ? 40 : 0
  let best = { clusters: 1, power: least, length: -1 }
  let [start, chosen] = [0, -1]
  for (let step = 0; step <= steps + 1; step++) {
    const at = (place: number) => least + ((greatest - least) * place) / Math.max(1, steps)
    const jumps = step <= steps ? jumpsAt(distortions, at(step)).slice(fewest - 1) : []
    const now = jumps.length > 0 ? fewest - 1 + jumps.indexOf(Math.max(...jumps)) : -2
    if (now === chosen) continue
    if (chosen >= 0 && step - start > best.length)
      best = { clusters: chosen + 1, power: (at(start) + at(step - 1)) / 2, length: step - start }
    ;[start, chosen] = [step, now]
  }
  return { clusters: best.clusters, power: best.power }
}

const identity = (d: number): Float64Array =>
  Float64Array.from({ length: d * d }, (_, at) => (at % (d + 1) === 0 ? 1 : 0))

function deviationScale(channels: readonly ArrayLike<number>[]): Float64Array {
  const one = withinCovariance(channels, new Uint8Array(channels[0].length), 1)
  return identity(channels.length).map((value, at) => value / Math.sqrt(Math.max(1e-12, one[at])))
}

/** Covariance of the samples around the means of their clusters, row by row. */
export function withinCovariance(
  channels: readonly ArrayLike<number>[],
  labels: ArrayLike<number>,
  clusters: number,
): number[] {
  const d = channels.length
  const counts = new Float64Array(clusters)
  const means = Array.from({ length: clusters }, () => new Float64Array(d))
  for (let i = 0; i < labels.length; i++) counts[labels[i]]++
  for (let i = 0; i < labels.length; i++)
    for (let c = 0; c < d; c++) means[labels[i]][c] += channels[c][i] / counts[labels[i]]
  const out = new Array<number>(d * d).fill(0)
  for (let i = 0; i < labels.length; i++) {
    const mean = means[labels[i]]
    for (let r = 0; r < d; r++)
      for (let c = 0; c < d; c++)
        out[r * d + c] += ((channels[r][i] - mean[r]) * (channels[c][i] - mean[c])) / labels.length
  }
  return out
}

/** The matrix that turns a covariance into the unit matrix: the inverse of its Cholesky factor, row by row. */
function whitening(covariance: readonly number[]): Float64Array {
  const d = Math.sqrt(covariance.length)
  const matrix = new Matrix(Array.from({ length: d }, (_, r) => covariance.slice(r * d, (r + 1) * d)))
  const ridge = 1e-6 * (matrix.trace() / d) + 1e-12
  for (let r = 0; r < d; r++) matrix.set(r, r, matrix.get(r, r) + ridge)
  return Float64Array.from(inverse(new CholeskyDecomposition(matrix).lowerTriangularMatrix).to1DArray())
}
