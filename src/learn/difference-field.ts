import type { Lattice } from './lattice.js'

/** How neighbouring voxels of known classes differ, for a random field over K classes. Plain numbers: it is stored. */
export interface DifferenceModel {
  classes: number
  /** Bins of a difference, odd: the middle one holds 0. */
  bins: number
  /** Largest difference told apart, per channel and in its units; larger ones count as this. */
  reach: number[]
  /** P(c′ | c) of a neighbour: classes² values, row c. */
  transition: number[]
  /** P(Δy | c, c′) per channel: classes² · bins values, Δy = y − y′ running fastest. */
  differences: number[][]
}

/** Gathers pairs of neighbours from labelled images, then gives the model. */
export class DifferenceCounts {
  readonly #classes: number
  readonly #bins: number
  readonly #reach: readonly number[]
  readonly #pairs: Float64Array
  readonly #differences: Float64Array[]

  constructor(classes: number, reach: readonly number[], bins = 41) {
    this.#classes = classes
    this.#bins = bins
    this.#reach = reach
    this.#pairs = new Float64Array(classes * classes)
    this.#differences = reach.map(() => new Float64Array(classes * classes * bins))
  }

  /**
   * Counts the pairs of an image, each in both directions, so that the model is symmetric: manual borders are noisy.
   * Pairs across thick slices lie too far apart to be neighbours. Each image gives every pair of classes the same
   * weight, `most` pairs, where it has more.
   *
   * @param channels values at the lattice's voxels
   * @param labels class of each voxel of the lattice
   */
  add({ neighbours, weights }: Lattice, channels: readonly Float32Array[], labels: Uint8Array, most = 20_000): void {
    const [k, bins] = [this.#classes, this.#bins]
    const pairs = new Float64Array(k * k)
    const differences = channels.map(() => new Float64Array(k * k * bins))
    for (let v = 0; v < labels.length; v++)
      for (let side = 0; side < 6; side++) {
        const other = neighbours[6 * v + side]
        if (other < 0 || weights[side >> 1] < 0.5) continue
        const pair = labels[v] * k + labels[other]
        pairs[pair]++
        channels.forEach((values, c) => {
          differences[c][pair * bins + binOf(values[v] - values[other], this.#reach[c], bins)]++
        })
      }
    const total = pairs.reduce((a, b) => a + b, 0)
    for (let pair = 0; pair < k * k; pair++) {
      if (total > 0) this.#pairs[pair] += pairs[pair] / total
      const scale = Math.min(1, most / pairs[pair])
      if (pairs[pair] > 0)
        differences.forEach((counts, c) => {
          for (let b = 0; b < bins; b++) this.#differences[c][pair * bins + b] += scale * counts[pair * bins + b]
        })
    }
  }

  /**
   * The model of what was counted.
   * @param floor share that is spread over all classes and all bins alike, for what was not seen
   */
  model(floor = 0.02): DifferenceModel {
    const [k, bins] = [this.#classes, this.#bins]
    const spread = (counts: Float64Array): number[] => {
      const total = counts.reduce((a, b) => a + b, 0)
      return Array.from(counts, (n) => rounded(floor / counts.length + (total > 0 ? (1 - floor) * (n / total) : 0)))
    }
    const rows = Array.from({ length: k }, (_, c) => spread(this.#pairs.slice(c * k, (c + 1) * k)))
    return {
      classes: k,
      bins,
      reach: [...this.#reach],
      transition: rows.flat(),
      differences: this.#differences.map((counts) =>
        Array.from({ length: k * k }, (_, pair) =>
          spread(smoothed(counts.subarray(pair * bins, (pair + 1) * bins))),
        ).flat(),
      ),
    }
  }
}

export interface DifferenceFieldOptions {
  /** What one neighbour across the shortest edge counts beside the voxel's own evidence; 1: as much. */
  weight: number
  /** False leaves the intensity differences out: a field of labels only. Default true. */
  differences?: boolean
  rounds: number
  /** Beliefs to start from, changed in place; default those of the evidence alone. */
  start?: Float32Array
  /** 1 for voxels whose evidence has changed since `start` was found, changed in place; default all. */
  active?: Uint8Array
  signal?: AbortSignal
}

/**
 * Beliefs of a random field whose cliques see labels and intensity differences, in mean-field approximation:
 * belief(c) ∝ exp(evidence(c) + weight · Σ over neighbours Σ over c′ of belief′(c′) · log[P(Δy | c, c′) · P(c′ | c)]).
 * A small lesion that stands out from its neighbours is not smoothed away, because the difference says that the
 * neighbours are of another class (Subbanna et al. 2015). One colour of the lattice is renewed, then the other, so that
 * no order is preferred; a voxel rests until a neighbour changes.
 *
 * @param evidence log of the belief in each class by itself, `classes` values per voxel of the lattice
 * @param channels values at the lattice's voxels, as the model's
 * @returns beliefs that sum to 1, `classes` per voxel
 */
export function differenceField(
  { voxels, neighbours, colours, weights }: Lattice,
  evidence: Float32Array,
  channels: readonly Float32Array[],
  model: DifferenceModel,
  {
    weight,
    differences = true,
    rounds,
    start,
    active = new Uint8Array(voxels.length).fill(1),
    signal,
  }: DifferenceFieldOptions,
): Float32Array {
  const { classes: k, bins, reach } = model
  const belief = start ?? new Float32Array(evidence.length)
  const used = differences ? channels : []
  const labels = byNeighbour(model.transition.map(Math.log), k, 1)
  const tables = used.map((_, c) => byNeighbour(model.differences[c].map(Math.log), k, bins))
  const sums = new Float64Array(k)
  const bases = new Int32Array(used.length)
  const sideWeights = weights.map((w) => w * weight)
  const renew = (v: number) => {
    let most = Number.NEGATIVE_INFINITY
    for (let c = 0; c < k; c++) {
      sums[c] += evidence[k * v + c]
      if (sums[c] > most) most = sums[c]
    }
    let total = 0
    for (let c = 0; c < k; c++) total += sums[c] = Math.exp(sums[c] - most)
    let change = 0
    for (let c = 0; c < k; c++) {
      const p = sums[c] / total
      change = Math.max(change, Math.abs(p - belief[k * v + c]))
      belief[k * v + c] = p
    }
    return change
  }
  if (!start)
    for (let v = 0; v < voxels.length; v++) {
      sums.fill(0)
      renew(v)
    }
  if (weight <= 0) return belief
  for (let round = 0; round < rounds; round++) {
    signal?.throwIfAborted()
    for (const colour of colours)
      for (const v of colour) {
        if (active[v] === 0) continue
        active[v] = 0
        sums.fill(0)
        for (let side = 0; side < 6; side++) {
          const other = neighbours[6 * v + side]
          if (other < 0) continue
          for (let c = 0; c < used.length; c++) bases[c] = k * k * binOf(used[c][v] - used[c][other], reach[c], bins)
          const w = sideWeights[side >> 1]
          for (let to = 0; to < k; to++) {
            const share = w * belief[k * other + to]
            // Almost all voxels are almost sure of one class.
            if (share < 1e-4) continue
            for (let c = 0; c < k; c++) {
              let gain = labels[k * to + c]
              for (let d = 0; d < used.length; d++) gain += tables[d][bases[d] + k * to + c]
              sums[c] += share * gain
            }
          }
        }
        if (renew(v) <= settled) continue
        for (let side = 0; side < 6; side++) {
          const other = neighbours[6 * v + side]
          if (other >= 0) active[other] = 1
        }
      }
  }
  return belief
}

/** A belief that changes by less has settled. */
const settled = 1e-3

/** From (c, c′, bin) to (bin, c′, c): what one neighbour asks for lies together. */
function byNeighbour(table: readonly number[], k: number, bins: number): Float64Array {
  const out = new Float64Array(table.length)
  for (let c = 0; c < k; c++)
    for (let to = 0; to < k; to++)
      for (let b = 0; b < bins; b++) out[(b * k + to) * k + c] = table[(c * k + to) * bins + b]
  return out
}

function binOf(difference: number, reach: number, bins: number): number {
  const half = (bins - 1) / 2
  const bin = Math.round((difference / reach) * half) + half
  return Math.max(0, Math.min(bins - 1, bin))
}

/** One pass of (1, 2, 1) / 4; what would leave the range stays. */
const smoothed = (counts: Float64Array): Float64Array =>
  counts.map((n, b) => (counts[Math.max(0, b - 1)] + 2 * n + counts[Math.min(counts.length - 1, b + 1)]) / 4)

/** Four figures are as many as the counts bear, and keep the stored model small. */
const rounded = (value: number): number => Number(value.toPrecision(4))
