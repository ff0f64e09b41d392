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
  const width = channels.length
  const hosted = classes.map(({ host }) => host ?? -1)
  /** The classes that have a place of their own, and the guest of each (−1: none). */
  const own = Int32Array.from(classes.flatMap((_, k) => (hosted[k] < 0 ? [k] : [])))
  const guests = Int32Array.from(own, (k) => hosted.indexOf(k))
  const places = own.length
  const centres = classes.map(({ centre }) => [...centre])
  const membership = new Float32Array(count * n)
  // Side by side for each voxel, so that one voxel's numbers are read together; a structure and its guest count as one.
  const values = interleaved(channels)
  const atlas = interleaved(Array.from(own, (k) => priors[k].map((p) => 0.5 * atlasWeight * p * p)))
  const squares = new Float32Array(places * n)
  const middle = new Float64Array(count * width)
  const [near, least] = [new Float64Array(places), new Float64Array(places)]
  const cost = new Float64Array(count)
  const beta = weights.map((w) => smoothness * w)

  const distance = (k: number, v: number): number => {
    let sum = 0
    for (let c = 0; c < width; c++) {
      const away = values[width * v + c] - middle[width * k + c]
      sum += away * away
    }
    return sum
  }
  const renew = (v: number, withNeighbours: boolean) => {
    let elsewhere = 0
    for (let j = 0; j < places; j++) near[j] = atlas[places * v + j]
    if (withNeighbours)
      for (let side = 0; side < 6; side++) {
        const other = neighbours[6 * v + side]
        if (other < 0) continue
        const b = beta[side >> 1]
        for (let j = 0; j < places; j++) near[j] += b * squares[places * other + j]
      }
    for (let j = 0; j < places; j++) elsewhere += near[j]
    let total = 0
    for (let j = 0; j < places; j++) {
      const [k, guest] = [own[j], guests[j]]
      const place = elsewhere - near[j]
      cost[k] = Math.max(1e-9, place + distance(k, v))
      least[j] = cost[k]
      if (guest >= 0) {
        cost[guest] = Math.max(1e-9, place + distance(guest, v))
        if (cost[guest] < least[j]) least[j] = cost[guest]
      }
      total += 1 / least[j]
    }
    for (let j = 0; j < places; j++) {
      const [k, guest] = [own[j], guests[j]]
      const part = 1 / (least[j] * total)
      squares[places * v + j] = part * part
      const share = guest < 0 ? 0 : cost[k] / (cost[k] + cost[guest])
      membership[count * v + k] = part * (1 - share)
      if (guest >= 0) membership[count * v + guest] = part * share
    }
  }

  let round = 0
  for (let moved = Number.POSITIVE_INFINITY; round < rounds && moved > tolerance; round++) {
    signal?.throwIfAborted()
    for (let k = 0; k < count; k++) for (let c = 0; c < width; c++) middle[width * k + c] = centres[k][c]
    if (round === 0) for (let v = 0; v < n; v++) renew(v, false)
    for (const colour of colours) for (let i = 0; i < colour.length; i++) renew(colour[i], true)
    moved = 0
    const before = centres.map((centre) => [...centre])
    newMeans(values, membership, centres)
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

/** Arrays of n values as one, the values of a place side by side. */
function interleaved(arrays: readonly Float32Array[]): Float32Array {
  const width = arrays.length
  const out = new Float32Array(width * (arrays[0]?.length ?? 0))
  for (let c = 0; c < width; c++) {
    const from = arrays[c]
    for (let v = 0; v < from.length; v++) out[width * v + c] = from[v]
  }
  return out
}

/** Means weighted by the squared memberships, into `centres`; a class that nothing belongs to keeps its own. */
function newMeans(values: Float32Array, membership: Float32Array, centres: number[][]): void {
  const count = centres.length
  const width = centres[0]?.length ?? 0
  const totals = new Float64Array(count)
  const sums = new Float64Array(count * width)
  const n = membership.length / count
  for (let v = 0; v < n; v++)
    for (let k = 0; k < count; k++) {
      const u = membership[count * v + k]
      const w = u * u
      totals[k] += w
      for (let c = 0; c < width; c++) sums[width * k + c] += w * values[width * v + c]
    }
  for (let k = 0; k < count; k++)
    if (totals[k] > 1e-6) for (let c = 0; c < width; c++) centres[k][c] = sums[width * k + c] / totals[k]
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
  const waiting = new Gains(count * n)
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

/**
 * A heap of gains in (0, 1] with a number each, the largest gain on top; of equal gains the smaller number. Both stand in
 * one double: the gain in steps of about 10⁻⁹, then the number. Four children a node keep the heap flat.
 */
class Gains {
  readonly #numbers: number
  readonly #steps: number
  #keys = new Float64Array(1024)
  size = 0

  /** @param numbers how many there are */
  constructor(numbers: number) {
    this.#numbers = Math.max(1, numbers)
    this.#steps = Math.floor(2 ** 53 / this.#numbers) - 1
  }

  push(gain: number, number: number): void {
    if (this.size === this.#keys.length) {
      const keys = new Float64Array(2 * this.size)
      keys.set(this.#keys)
      this.#keys = keys
    }
    const keys = this.#keys
    const key = Math.floor(gain * this.#steps) * this.#numbers + (this.#numbers - 1 - number)
    let at = this.size++
    while (at > 0) {
      const up = (at - 1) >> 2
      if (keys[up] >= key) break
      keys[at] = keys[up]
      at = up
    }
    keys[at] = key
  }

  pop(): [gain: number, number: number] {
    const keys = this.#keys
    const top = keys[0]
    const last = keys[--this.size]
    let at = 0
    for (;;) {
      const first = 4 * at + 1
      if (first >= this.size) break
      let best = first
      const end = Math.min(first + 4, this.size)
      for (let child = first + 1; child < end; child++) if (keys[child] > keys[best]) best = child
      if (keys[best] <= last) break
      keys[at] = keys[best]
      at = best
    }
    keys[at] = last
    const steps = Math.floor(top / this.#numbers)
    return [steps / this.#steps, this.#numbers - 1 - (top - steps * this.#numbers)]
  }
}
