import type { Vec3 } from '../volume/affine.js'
import { neighbours } from '../volume/morphology.js'
import { type Grid, type Image, type Mask, type Volume, voxelCount } from '../volume/volume.js'

/**
 * The max-tree of an image: its nodes are the connected components of {value ≥ level} for all levels, each the child of
 * the component of the next lower level that contains it (Salembier et al. 1998). Nodes are numbered parents first, so
 * that a loop upwards over nodes goes from the root to the leaves.
 */
export interface MaxTree {
  /** Indices in the volume of the mask's voxels; those of a node and all its descendants lie side by side. */
  voxels: Uint32Array
  /** A node's component is `voxels[first[n]]` to `voxels[last[n] - 1]`; its own voxels come first, then its children's. */
  first: Uint32Array
  last: Uint32Array
  /** Level of each node: the lowest value in its component. */
  level: Float64Array
  /** Parent of each node; that of the root (node 0) is −1. */
  parent: Int32Array
}

/** Values inside the mask as whole numbers from 0 to `levels` − 1: equal steps over `range`, values outside at its ends. */
export function quantise(
  image: Image,
  mask: Mask,
  levels: number,
  [least, greatest]: readonly [number, number],
): { levels: Volume<Uint16Array>; step: number } {
  const step = greatest > least ? (greatest - least) / (levels - 1) : 0
  const data = new Uint16Array(voxelCount(image))
  if (step > 0)
    for (let i = 0; i < data.length; i++)
      if (mask.data[i] !== 0) data[i] = Math.min(levels - 1, Math.max(0, Math.round((image.data[i] - least) / step)))
  return { levels: { dims: image.dims, affine: image.affine, data }, step }
}

/**
 * Builds the max-tree of whole numbers inside a mask: union–find over the voxels, brightest first (Berger et al. 2007).
 * Pieces of the mask that do not touch meet at the root, whose level is the least value.
 */
export function maxTree(image: Volume<Uint16Array>, mask: Mask, connectivity: 6 | 18 | 26): MaxTree {
  const sorted = sortedVoxels(image, mask)
  const value = Uint16Array.from(sorted, (at) => image.data[at])
  const parent = joinedBrightestFirst(image, sorted, connectivity)
  // Darkest first, every voxel's parent becomes the first voxel of its node, or of the parent node where it is that itself.
  for (let rank = 0; rank < parent.length; rank++) {
    const up = parent[rank]
    if (value[parent[up]] === value[up]) parent[rank] = parent[up]
  }
  return nodesOf(sorted, value, parent)
}

/** The mask's voxels by value, darkest first (counting sort). */
function sortedVoxels(image: Volume<Uint16Array>, mask: Mask): Uint32Array {
  const from = new Uint32Array(65537)
  for (let i = 0; i < mask.data.length; i++) if (mask.data[i] !== 0) from[image.data[i] + 1]++
  for (let v = 0; v < 65536; v++) from[v + 1] += from[v]
  const sorted = new Uint32Array(from[65536])
  for (let i = 0; i < mask.data.length; i++) if (mask.data[i] !== 0) sorted[from[image.data[i]]++] = i
  return sorted
}

/** The rank of the voxel each voxel hangs on, ranks in `sorted`: never a brighter one; the darkest hangs on itself. */
function joinedBrightestFirst({ dims }: Volume, sorted: Uint32Array, connectivity: 6 | 18 | 26): Int32Array {
  const [nx, ny, nz] = dims
  const steps = neighbours(connectivity)
  const rankAt = new Int32Array(nx * ny * nz).fill(-1)
  sorted.forEach((at, rank) => {
    rankAt[at] = rank
  })
  const parent = new Int32Array(sorted.length)
  const root = new Int32Array(sorted.length)
  for (let rank = sorted.length - 1; rank >= 0; rank--) {
    parent[rank] = root[rank] = rank
    const at = sorted[rank]
    const [i, j, k] = [at % nx, Math.floor(at / nx) % ny, Math.floor(at / (nx * ny))]
    for (const [dx, dy, dz] of steps) {
      const [x, y, z] = [i + dx, j + dy, k + dz]
      if (x < 0 || y < 0 || z < 0 || x >= nx || y >= ny || z >= nz) continue
      let other = rankAt[x + nx * (y + ny * z)]
      // Brighter voxels have been here already.
      if (other <= rank) continue
      while (root[other] !== other) other = root[other] = root[root[other]]
      if (other !== rank) parent[other] = root[other] = rank
    }
  }
  for (let rank = 0; rank < parent.length; rank++) if (parent[rank] === rank) parent[rank] = 0
  return parent
}

function nodesOf(sorted: Uint32Array, value: Uint16Array, up: Int32Array): MaxTree {
  const isNode = (rank: number) => rank === 0 || value[up[rank]] !== value[rank]
  let count = 0
  for (let rank = 0; rank < up.length; rank++) if (isNode(rank)) count++
  const level = new Float64Array(count)
  const parent = new Int32Array(count).fill(-1)
  const node = new Int32Array(up.length)
  const own = new Uint32Array(count)
  for (let rank = 0, n = 0; rank < up.length; rank++) {
    if (isNode(rank)) {
      level[n] = value[rank]
      if (rank > 0) parent[n] = node[up[rank]]
      node[rank] = n++
    } else node[rank] = node[up[rank]]
    own[node[rank]]++
  }
  const size = own.slice()
  for (let n = count - 1; n > 0; n--) size[parent[n]] += size[n]
  const first = new Uint32Array(count)
  const next = own.slice()
  for (let n = 1; n < count; n++) {
    first[n] = next[parent[n]]
    next[parent[n]] += size[n]
    next[n] += first[n]
  }
  const voxels = new Uint32Array(up.length)
  const free = first.slice()
  for (let rank = 0; rank < up.length; rank++) voxels[free[node[rank]]++] = sorted[rank]
  return { voxels, first, last: first.map((f, n) => f + size[n]), level, parent }
}

/** Sum of a quantity of the voxels over the component of each node. */
export function componentSums({ voxels, first, last }: MaxTree, quantity: (voxel: number) => number): Float64Array {
  const before = new Float64Array(voxels.length + 1)
  for (let v = 0; v < voxels.length; v++) before[v + 1] = before[v] + quantity(voxels[v])
  return Float64Array.from(first, (f, n) => before[last[n]] - before[f])
}

/**
 * How far each node's peak rises above the level where its component meets that of a higher peak; the highest peak is
 * measured from the root. Small for what noise makes. Of two equal peaks the first node's is the higher.
 */
export function persistence({ level, parent }: MaxTree): Float64Array {
  const count = level.length
  const peak = level.slice()
  const heir = new Int32Array(count).fill(-1)
  for (let n = count - 1; n > 0; n--) {
    const up = parent[n]
    if (heir[up] < 0 || peak[n] >= peak[heir[up]]) heir[up] = n
    if (peak[n] > peak[up]) peak[up] = peak[n]
  }
  /** Level where the node's peak meets a higher one. */
  const merges = new Float64Array(count)
  for (let n = 0; n < count; n++)
    merges[n] = n === 0 ? level[0] : heir[parent[n]] === n ? merges[parent[n]] : level[parent[n]]
  return peak.map((p, n) => p - merges[n])
}

/**
 * Disjoint nodes of the best score: bottom-up, a node takes the place of what was chosen among its descendants when its
 * score is at least theirs, weighted by volume.
 *
 * @param score per node; a node whose score is −Infinity or NaN is never chosen
 * @param weight per node, e.g. its volume
 */
export function bestNodes({ parent }: MaxTree, score: Float64Array, weight: Float64Array): number[] {
  const count = parent.length
  const total = new Float64Array(count)
  const part = new Float64Array(count)
  const chosen = new Uint8Array(count)
  for (let n = count - 1; n >= 0; n--) {
    if (score[n] > Number.NEGATIVE_INFINITY && (part[n] === 0 || score[n] >= total[n] / part[n])) {
      chosen[n] = 1
      part[n] = weight[n]
      total[n] = score[n] * weight[n]
    }
    if (n > 0) {
      total[parent[n]] += total[n]
      part[parent[n]] += part[n]
    }
  }
  const covered = new Uint8Array(count)
  const nodes: number[] = []
  for (let n = 0; n < count; n++) {
    if (n > 0 && covered[parent[n]] !== 0) covered[n] = 1
    else if (chosen[n] !== 0) {
      covered[n] = 1
      nodes.push(n)
    }
  }
  return nodes
}

/**
 * Nodes that differ from each other by more than noise at their edge: from the root down, a node counts when it has lost
 * at least `loss` of the volume of the last one above it that did. The root counts.
 */
export function distinctNodes({ parent, first, last }: MaxTree, loss: number): Uint8Array {
  const above = new Int32Array(parent.length)
  const distinct = new Uint8Array(parent.length)
  for (let n = 0; n < parent.length; n++) {
    above[n] = n === 0 ? 0 : above[parent[n]]
    const [size, before] = [last[n] - first[n], last[above[n]] - first[above[n]]]
    if (n > 0 && size > (1 - loss) * before) continue
    above[n] = n
    distinct[n] = 1
  }
  return distinct
}

/**
 * Looks around components: returns a function that visits, once each, the voxels of the mask outside the component of a
 * node that one of `offsets` (voxels) reaches from it. The cost follows the component's voxels.
 *
 * @param offsets with each of them, those that are nearer along one axis and no farther along the others
 */
export function ringsOf(
  { voxels, first, last }: MaxTree,
  { dims: [nx, ny, nz] }: Grid,
  offsets: readonly Vec3[],
): (node: number, visit: (voxel: number) => void) => void {
  const place = new Int32Array(nx * ny * nz).fill(-1)
  voxels.forEach((at, v) => {
    place[at] = v
  })
  const faces = offsets.filter(([x, y, z]) => Math.abs(x) + Math.abs(y) + Math.abs(z) === 1)
  /** The call that last saw each voxel. */
  const seen = new Int32Array(voxels.length)
  let call = 0
  return (node, visit) => {
    call++
    const [from, to] = [first[node], last[node]]
    const placeOf = (x: number, y: number, z: number) =>
      x < 0 || y < 0 || z < 0 || x >= nx || y >= ny || z >= nz ? -1 : place[x + nx * (y + ny * z)]
    for (let v = from; v < to; v++) {
      const at = voxels[v]
      const [i, j, k] = [at % nx, Math.floor(at / nx) % ny, Math.floor(at / (nx * ny))]
      // What a voxel inside reaches, one at the component's border on the way there reaches too.
      let inner = true
      for (const [dx, dy, dz] of faces) {
        const other = placeOf(i + dx, j + dy, k + dz)
        inner &&= other >= from && other < to
      }
      if (inner) continue
      for (const [dx, dy, dz] of offsets) {
        const other = placeOf(i + dx, j + dy, k + dz)
        if (other < 0 || (other >= from && other < to) || seen[other] === call) continue
        seen[other] = call
        visit(voxels[other])
      }
    }
  }
}
