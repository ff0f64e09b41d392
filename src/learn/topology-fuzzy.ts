import type { Mask } from '../volume/volume.js'
import type { Lattice } from './lattice.js'
import { bitOffsets, isSimple, type Topology } from './simple-point.js'

/** A structure of a fuzzy segmentation. */
export interface FuzzyClass {
  /** Start of its centre: one value a channel. */
  centre: number[]
  /** The structure whose place this one shares: neighbours and atlas do not tell the two apart. */
  host?: number
}

export interface SpatialFuzzyOptions {
  /** Cost of a certain neighbour of another structure, across the shortest edge, in squared units of the channels. */
  smoothness: number
  /** Cost of a place where the atlas is sure of another structure, twice. */
  atlasWeight: number
  /** Most rounds. */
  rounds: number
  /** Stop when no centre moves by more than this. Default 1e-3. */
  tolerance?: number
  /** Bounds on the centres, applied in place after each round. */
  constrain?: (centres: number[][]) => void
  signal?: AbortSignal
  onRound?: (round: number) => void
}

export interface SpatialFuzzy {
  centres: number[][]
  /** One value per class and voxel of the lattice: `membership[classes · voxel + class]`; those of a voxel sum to 1. */
  membership: Float32Array
  rounds: number
}

/**
 * Fuzzy c-means with neighbours and an atlas (Pham 2001; Bazin & Pham 2007): minimises, with fuzzifier 2,
 * Σ u² · (‖y − c‖² + β/2 · Σ of the neighbours' u² in other structures + γ/2 · Σ of the atlas's p² of other structures).
 * Memberships go as the inverse of the cost, centres are means weighted by u². A class with a host shares the host's
 * place: the cost of the pair is the smaller of the two, and its membership is shared out between them by their own costs
 * (Shiee et al. 2010).
 *
 * @param channels values at the lattice's voxels, one array a channel, scaled so that 1 is a large difference
 * @param priors atlas probability of each class without a host, 0–1, in the order of `classes`; a hosted class's is not read
 */
export function spatialFuzzy(
  { voxels, neighbours, colours, weights }: Lattice,
  channels: readonly Float32Array[],
  classes: readonly FuzzyClass[],
  priors: readonly Float32Array[],
  options: SpatialFuzzyOptions,
): SpatialFuzzy {
  const { smoothness, atlasWeight, rounds, tolerance = 1e-3, constrain, signal, onRound } = options
  const n = voxels.length
  const count = classes.length
  const hosted = classes.map(({ host }) => host ?? -1)
  const guest = classes.map((_, k) => hosted.indexOf(k))
  /** The classes that have a place of their own. */
  const own = classes.flatMap((_, k) => (hosted[k] < 0 ? [k] : []))
  const centres = classes.map(({ centre }) => [...centre])
  const membership = new Float32Array(count * n)
  const [near, cost, least] = [0, 1, 2].map(() => new Float64Array(count))
  const beta = weights.map((w) => smoothness * w)

  const distance = (k: number, v: number): number => {
    const centre = centres[k]
    let sum = 0
    for (let c = 0; c < channels.length; c++) {
      const away = channels[c][v] - centre[c]
      sum += away * away
    }
    return sum
  }
  const renew = (v: number, withNeighbours: boolean) => {
    near.fill(0)
    if (withNeighbours)
      for (let side = 0; side < 6; side++) {
        const other = neighbours[6 * v + side]
        if (other < 0) continue
        for (const k of own) {
          // A structure and its guest count as one.
          const u = membership[count * other + k] + (guest[k] < 0 ? 0 : membership[count * other + guest[k]])
          near[k] += beta[side >> 1] * u * u
        }
      }
    let elsewhere = 0
    for (const k of own) {
      const p = priors[k][v]
      near[k] += 0.5 * atlasWeight * p * p
      elsewhere += near[k]
    }
    let total = 0
    for (const k of own) {
      const place = elsewhere - near[k]
      least[k] = cost[k] = Math.max(1e-9, place + distance(k, v))
      const other = guest[k]
      if (other >= 0) {
        cost[other] = Math.max(1e-9, place + distance(other, v))
        least[k] = Math.min(cost[k], cost[other])
      }
      total += 1 / least[k]
    }
    for (const k of own) {
      const part = 1 / (least[k] * total)
      const other = guest[k]
      if (other < 0) membership[count * v + k] = part
      else {
        const share = cost[k] / (cost[k] + cost[other])
        membership[count * v + k] = part * (1 - share)
        membership[count * v + other] = part * share
      }
    }
  }

  let round = 0
  for (let moved = Number.POSITIVE_INFINITY; round < rounds && moved > tolerance; round++) {
    signal?.throwIfAborted()
    if (round === 0) for (let v = 0; v < n; v++) renew(v, false)
    for (const colour of colours) for (const v of colour) renew(v, true)
    moved = 0
    const before = centres.map((centre) => [...centre])
    for (let k = 0; k < count; k++) meansOf(channels, membership, k, centres[k])
    constrain?.(centres)
    centres.forEach((centre, k) =>
      centre.forEach((value, c) => {
        moved = Math.max(moved, Math.abs(value - before[k][c]))
      }),
    )
    onRound?.(round + 1)
  }
  return { centres, membership, rounds: round }
}

/** Means weighted by the squared memberships of a class, into `centre`, which stays where nothing belongs to it. */
function meansOf(channels: readonly Float32Array[], membership: Float32Array, k: number, centre: number[]): void {
  const n = channels[0].length
  const count = membership.length / n
  for (let c = 0; c < channels.length; c++) {
    const values = channels[c]
    let [total, sum] = [0, 0]
    for (let v = 0; v < n; v++) {
      const w = membership[count * v + k] ** 2
      total += w
      sum += w * values[v]
    }
    if (total > 1e-6) centre[c] = sum / total
  }
}

export interface RelabelOptions {
  topology: Topology
  /** The objects whose topology is kept, as bits of each label: `objects[label]` has a bit set for each that it is part of. */
  objects: readonly number[]
  signal?: AbortSignal
}

/**
 * Moves the borders of a label map to where the memberships are, without changing the topology of the objects: a voxel
 * takes the label of a neighbour that it belongs to more, the largest gain first, where it is a simple point of every
 * object that it leaves or enters (Bazin & Pham 2007). One voxel after the other: two simple points beside each other
 * need not be simple together.
 *
 * @param start the template: labels 0 … L − 1 at the lattice's voxels, as a volume; others are never touched
 * @param membership of label k at voxel v of the lattice, at `L · v + k`
 */
export function relabelKeepingTopology(
  start: Mask,
  { voxels }: Lattice,
  membership: Float32Array,
  { topology, objects, signal }: RelabelOptions,
): Mask {
  const [nx, ny, nz] = start.dims
  const labels = start.data.slice()
  const n = voxels.length
  const place = new Int32Array(labels.length).fill(-1)
  for (let v = 0; v < n; v++) place[voxels[v]] = v
  const count = objects.length
  const waiting = new Gains()
  let handled = 0

  /** The neighbours' labels into `seen`; −1 outside the lattice, which belongs to no object. */
  const seen = new Int8Array(26)
  const look = (at: number) => {
    const [i, j, k] = [at % nx, Math.floor(at / nx) % ny, Math.floor(at / (nx * ny))]
    for (let b = 0; b < 26; b++) {
      const [dx, dy, dz] = bitOffsets[b]
      const [x, y, z] = [i + dx, j + dy, k + dz]
      const to = x + nx * (y + ny * z)
      seen[b] = x < 0 || y < 0 || z < 0 || x >= nx || y >= ny || z >= nz || place[to] < 0 ? -1 : labels[to]
    }
  }
  const offer = (at: number) => {
    const v = place[at]
    if (v < 0) return
    look(at)
    let present = 0
    for (let b = 0; b < 26; b++) if (seen[b] >= 0) present |= 1 << seen[b]
    const own = membership[count * v + labels[at]]
    for (let k = 0; k < count; k++) {
      const gain = membership[count * v + k] - own
      if ((present >> k) & 1 && gain > 1e-6) waiting.push(gain, v * count + k)
    }
  }
  const fits = (from: number, to: number): boolean => {
    const changed = objects[from] ^ objects[to]
    for (let bit = 1; bit <= changed; bit <<= 1) {
      if ((changed & bit) === 0) continue
      let inside = 0
      for (let b = 0; b < 26; b++) if (seen[b] >= 0 && (objects[seen[b]] & bit) !== 0) inside |= 1 << b
      if (!isSimple(inside, topology)) return false
    }
    return true
  }

  for (let v = 0; v < n; v++) offer(voxels[v])
  while (waiting.size > 0) {
    if ((++handled & 0xffff) === 0) signal?.throwIfAborted()
    const [gain, code] = waiting.pop()
    const [v, to] = [Math.floor(code / count), code % count]
    const at = voxels[v]
    const from = labels[at]
    // What was offered before the voxel changed is out of date.
    if (to === from || Math.abs(membership[code] - membership[count * v + from] - gain) > 1e-6) continue
    look(at)
    if (!fits(from, to)) continue
    labels[at] = to
    for (const [dx, dy, dz] of bitOffsets) {
      const [x, y, z] = [(at % nx) + dx, (Math.floor(at / nx) % ny) + dy, Math.floor(at / (nx * ny)) + dz]
      if (x >= 0 && y >= 0 && z >= 0 && x < nx && y < ny && z < nz) offer(x + nx * (y + ny * z))
    }
  }
  return { dims: start.dims, affine: start.affine, data: labels }
}

/** A heap of gains with a number each, the largest gain on top; of equal gains the smaller number. */
class Gains {
  #gains = new Float32Array(1024)
  #codes = new Float64Array(1024)
  size = 0

  push(gain: number, code: number): void {
    if (this.size === this.#gains.length) {
      const [gains, codes] = [new Float32Array(2 * this.size), new Float64Array(2 * this.size)]
      gains.set(this.#gains)
      codes.set(this.#codes)
      this.#gains = gains
      this.#codes = codes
    }
    let at = this.size++
    this.#gains[at] = gain
    this.#codes[at] = code
    for (let up = (at - 1) >> 1; at > 0 && this.#before(at, up); at = up, up = (at - 1) >> 1) this.#swap(at, up)
  }

  pop(): [number, number] {
    const top: [number, number] = [this.#gains[0], this.#codes[0]]
    this.#swap(0, --this.size)
    for (let at = 0; ; ) {
      let best = at
      for (const child of [2 * at + 1, 2 * at + 2]) if (child < this.size && this.#before(child, best)) best = child
      if (best === at) return top
      this.#swap(at, best)
      at = best
    }
  }

  #before(a: number, b: number): boolean {
    const [x, y] = [this.#gains[a], this.#gains[b]]
    return x > y || (x === y && this.#codes[a] < this.#codes[b])
  }

  #swap(a: number, b: number): void {
    ;[this.#gains[a], this.#gains[b]] = [this.#gains[b], this.#gains[a]]
    ;[this.#codes[a], this.#codes[b]] = [this.#codes[b], this.#codes[a]]
  }
}
