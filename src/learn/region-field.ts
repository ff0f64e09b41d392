import { labelComponents } from '../volume/components.js'
import { neighbours } from '../volume/morphology.js'
import type { Image, Mask, Volume } from '../volume/volume.js'

/** Pieces of a mask, numbered from 1. */
export interface Regions {
  labels: Volume<Int32Array>
  count: number
}

/**
 * Connected pieces (26) of a mask, cut between its peaks: a lesion that touches bright cortex is judged by itself.
 * Voxels join in falling order; where two pieces meet, they stay apart if the lower of their peaks stands more than
 * `depth` above the meeting point (a watershed without its shallow basins; Vincent and Soille 1991).
 *
 * @param height image whose peaks count, e.g. smoothed FLAIR
 * @param depth in the units of `height`; Infinity does not cut
 */
export function cutRegions(mask: Mask, height: Image, depth: number): Regions {
  if (!(depth < Number.POSITIVE_INFINITY)) return labelComponents(mask, 26)
  const [nx, ny, nz] = mask.dims
  const order: number[] = []
  for (let i = 0; i < mask.data.length; i++) if (mask.data[i] !== 0) order.push(i)
  order.sort((a, b) => height.data[b] - height.data[a] || a - b)
  const basin = new Int32Array(mask.data.length)
  const parent = [0]
  const peak = [0]
  const find = (label: number): number => {
    while (parent[label] !== label) label = parent[label] = parent[parent[label]]
    return label
  }
  const offsets = neighbours(26)
  for (const at of order) {
    const [i, j, k] = [at % nx, Math.floor(at / nx) % ny, Math.floor(at / (nx * ny))]
    let own = 0
    for (const [dx, dy, dz] of offsets) {
      const [x, y, z] = [i + dx, j + dy, k + dz]
      if (x < 0 || y < 0 || z < 0 || x >= nx || y >= ny || z >= nz) continue
      const label = basin[x + nx * (y + ny * z)]
      if (label === 0) continue
      const other = find(label)
      if (own === 0 || other === own) own = other
      else {
        const [high, low] = peak[own] >= peak[other] ? [own, other] : [other, own]
        if (peak[low] - height.data[at] <= depth) parent[low] = high
        own = high
      }
    }
    if (own === 0) {
      own = parent.length
      parent.push(own)
      peak.push(height.data[at])
    }
    basin[at] = own
  }
  const name = new Int32Array(parent.length)
  let count = 0
  const data = new Int32Array(mask.data.length)
  for (let i = 0; i < data.length; i++) {
    if (basin[i] === 0) continue
    const root = find(basin[i])
    if (name[root] === 0) name[root] = ++count
    data[i] = name[root]
  }
  return { labels: { dims: mask.dims, affine: mask.affine, data }, count }
}

/** What a region is judged by. */
export interface Region {
  /** First quartile, mean and third quartile of each channel, channel by channel. */
  intensity: number[]
  /** Shares of gradient directions from inward to outward, the last one left out: they sum to 1. */
  texture: number[]
  /** Share of each class in the shell of 26-neighbours, other regions not counted. */
  around: number[]
  /** Regions that touch it, by their place in the list. */
  adjacent: number[]
}

const directions = 4

/**
 * Describes regions as the field judges them. The texture is the histogram of gradient directions against the direction
 * away from the region's centre, weighted by the gradient's size (the idea of RIFT, Lazebnik et al. 2005): it does not
 * change when the region is turned. A bright blob has gradients that point inwards; a vessel or the edge of a bright
 * band has them across.
 *
 * @param channels images, the first one giving the texture
 * @param classOf class 0 … classes − 1 of each voxel, 255 where it is of none
 * @param axes voxel axes whose neighbours are close enough for a gradient
 */
export function describeRegions(
  { labels, count }: Regions,
  channels: readonly Volume<Float32Array>[],
  classOf: Uint8Array,
  classes: number,
  axes: readonly boolean[] = [true, true, true],
): Region[] {
  const [nx, ny, nz] = labels.dims
  const { data } = labels
  const stride = [1, nx, nx * ny]
  const members: number[][] = Array.from({ length: count }, () => [])
  for (let i = 0; i < data.length; i++) if (data[i] > 0) members[data[i] - 1].push(i)
  const place = (at: number) => [at % nx, Math.floor(at / nx) % ny, Math.floor(at / (nx * ny))]
  const offsets = neighbours(26)
  return members.map((inside, own) => {
    const shell = new Set<number>()
    const adjacent = new Set<number>()
    const centre = [0, 0, 0]
    for (const at of inside) {
      const [i, j, k] = place(at)
      centre[0] += i / inside.length
      centre[1] += j / inside.length
      centre[2] += k / inside.length
      for (const [dx, dy, dz] of offsets) {
        const [x, y, z] = [i + dx, j + dy, k + dz]
        if (x < 0 || y < 0 || z < 0 || x >= nx || y >= ny || z >= nz) continue
        const to = x + nx * (y + ny * z)
        if (data[to] === own + 1) continue
        if (data[to] > 0) adjacent.add(data[to] - 1)
        else shell.add(to)
      }
    }
    const around = new Array<number>(classes).fill(0)
    for (const at of shell) if (classOf[at] < classes) around[classOf[at]]++
    const known = around.reduce((a, b) => a + b, 0)
    const texture = new Array<number>(directions).fill(0)
    for (const at of [...inside, ...shell]) {
      const position = place(at)
      const gradient = [0, 0, 0]
      for (let axis = 0; axis < 3; axis++)
        if (axes[axis] && position[axis] > 0 && position[axis] < labels.dims[axis] - 1)
          gradient[axis] = channels[0].data[at + stride[axis]] - channels[0].data[at - stride[axis]]
      const away = position.map((p, axis) => (axes[axis] ? p - centre[axis] : 0))
      const [size, radius] = [Math.hypot(...gradient), Math.hypot(...away)]
      if (!(size > 0) || radius < 0.5) continue
      const cosine = (gradient[0] * away[0] + gradient[1] * away[1] + gradient[2] * away[2]) / (size * radius)
      texture[Math.min(directions - 1, Math.floor(((cosine + 1) / 2) * directions))] += size
    }
    const total = texture.reduce((a, b) => a + b, 0)
    return {
      intensity: channels.flatMap(({ data: values }) => figures(inside.map((at) => values[at]))),
      texture: texture.slice(0, -1).map((t) => (total > 0 ? t / total : 1 / directions)),
      around: around.map((n) => (known > 0 ? n / known : 1 / classes)),
      adjacent: [...adjacent].sort((a, b) => a - b),
    }
  })
}

/** First quartile, mean, third quartile. */
function figures(values: number[]): number[] {
  values.sort((a, b) => a - b)
  const quantile = (p: number) => values[Math.min(values.length - 1, Math.floor(p * values.length))]
  return [quantile(0.25), values.reduce((a, b) => a + b, 0) / values.length, quantile(0.75)]
}
