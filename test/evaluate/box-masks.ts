import { scaling, type Vec3 } from '../../src/volume/affine.js'
import { emptyMask, type Mask } from '../../src/volume/volume.js'

/** A mask with the given boxes `[i, j, k, ni, nj, nk, value = 1]` filled, as far as they lie on the grid. */
export function boxes(dims: Vec3, sizes: Vec3, ...list: number[][]): Mask {
  const mask = emptyMask({ dims, affine: scaling(sizes) })
  for (const [i, j, k, ni, nj, nk, value = 1] of list)
    for (let c = Math.max(0, k); c < Math.min(dims[2], k + nk); c++)
      for (let b = Math.max(0, j); b < Math.min(dims[1], j + nj); b++)
        for (let a = Math.max(0, i); a < Math.min(dims[0], i + ni); a++)
          mask.data[a + dims[0] * (b + dims[1] * c)] = value
  return mask
}

/** The masks of bench/peers/challenges.py: a reference with labels 1 and 2, a candidate that has most of it, moved. */
export function madeUpPair(seed: number, sizes: Vec3): { reference: Mask; candidate: Mask } {
  const dims: Vec3 = [24, 20, 12]
  let state = seed
  const uniform = () => {
    state = (state * 48271) % 2147483647
    return state / 2147483647
  }
  const below = (n: number) => Math.floor(uniform() * n)
  const box = () => ({ start: dims.map(below), size: dims.map(() => 1 + below(5)) })
  const [inReference, inCandidate]: number[][][] = [[], []]
  for (let n = 0; n < 7; n++) {
    const { start, size } = box()
    inReference.push([...start, ...size, n === 0 ? 2 : 1])
    const moved = start.map((s) => s + below(3) - 1)
    if (uniform() < 0.7) inCandidate.push([...moved, ...size])
  }
  for (let n = 0; n < 3; n++) {
    const { start, size } = box()
    inCandidate.push([...start, ...size])
  }
  return { reference: boxes(dims, sizes, ...inReference), candidate: boxes(dims, sizes, ...inCandidate) }
}

/** Whether two numbers differ by no more than the tolerance; NaN is equal to NaN. */
export const close = (a: number, b: number, tolerance = 1e-9): boolean =>
  Object.is(a, b) || Math.abs(a - b) <= tolerance
