import { type Affine, closestAxes, compose, type Vec3 } from './affine.js'
import type { Volume, VoxelArray } from './volume.js'

/** How the axes of a grid were permuted and flipped: enough to undo it. No voxel value changes on the way. */
export interface Reorientation {
  /** `from[a]` is the axis of the original grid that became axis `a`. */
  readonly from: Vec3
  /** `flip[a]` is true when that axis was reversed. */
  readonly flip: readonly [boolean, boolean, boolean]
}

/** The permutation and flips that bring a grid as close to RAS+ as whole axes allow. */
export function towardsRas(affine: Affine): Reorientation {
  const { axis, sign } = closestAxes(affine)
  const from = [0, 1, 2].map((world) => axis.indexOf(world)) as unknown as Vec3
  return { from, flip: from.map((voxel) => sign[voxel] < 0) as unknown as Reorientation['flip'] }
}

export const isIdentity = ({ from, flip }: Reorientation): boolean =>
  from.every((a, b) => a === b) && !flip.includes(true)

/** The reorientation that undoes `r`. */
export function inverseReorientation({ from, flip }: Reorientation): Reorientation {
  const back = [0, 1, 2].map((axis) => from.indexOf(axis)) as unknown as Vec3
  return { from: back, flip: back.map((axis) => flip[axis]) as unknown as Reorientation['flip'] }
}

/** The same voxels at the same places in the world, stored along other axes. */
export function reorient<T extends VoxelArray>(volume: Volume<T>, r: Reorientation): Volume<T> {
  const { dims, affine, data } = volume
  const { from, flip } = r
  const size = from.map((axis) => dims[axis]) as unknown as Vec3
  // new index → old index, as an affine, to carry the world along
  const back = new Array<number>(16).fill(0)
  back[15] = 1
  from.forEach((old, now) => {
    back[4 * old + now] = flip[now] ? -1 : 1
    if (flip[now]) back[4 * old + 3] = dims[old] - 1
  })
  if (isIdentity(r)) return volume
  const stride = [1, dims[0], dims[0] * dims[1]]
  const step = from.map((old, now) => (flip[now] ? -stride[old] : stride[old]))
  const start = from.reduce((s, old, now) => s + (flip[now] ? (dims[old] - 1) * stride[old] : 0), 0)
  const out = new (data.constructor as new (n: number) => T)(data.length)
  let at = 0
  for (let k = 0; k < size[2]; k++)
    for (let j = 0; j < size[1]; j++) {
      let old = start + k * step[2] + j * step[1]
      // Whole rows where the first axis stays the first: many times faster.
      if (step[0] === 1) out.set(data.subarray(old, old + size[0]) as never, at)
      else if (step[0] === -1) {
        out.set(data.subarray(old - size[0] + 1, old + 1) as never, at)
        out.subarray(at, at + size[0]).reverse()
      } else for (let i = 0; i < size[0]; i++, old += step[0]) out[at + i] = data[old]
      at += size[0]
    }
  return { dims: size, affine: compose(affine, back), data: out }
}
