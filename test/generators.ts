import fc from 'fast-check'
import { type Affine, compose, scaling, translation, type Vec3 } from '../src/volume/affine.js'
import { emptyMask, type Image, type Mask } from '../src/volume/volume.js'

/** Settings of every property test: the same cases on every run. */
export const fixed = (numRuns: number) => ({ seed: 20260101, numRuns })

export const rotation = (axis: 0 | 1 | 2, radians: number): Affine => {
  const [c, s] = [Math.cos(radians), Math.sin(radians)]
  const [u, v] = [(axis + 1) % 3, (axis + 2) % 3]
  const m = [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1]
  m[5 * u] = c
  m[5 * v] = c
  m[4 * u + v] = -s
  m[4 * v + u] = s
  return m
}

/** Voxel → world affines of scanners: any axis order and direction, turned by up to 0.3 rad, 0.5–4 mm voxels. */
export const affines: fc.Arbitrary<Affine> = fc
  .record({
    order: fc.constantFrom<Vec3>([0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]),
    signs: fc.tuple(...[0, 1, 2].map(() => fc.constantFrom(-1, 1))),
    size: fc.tuple(...[0, 1, 2].map(() => fc.double({ min: 0.5, max: 4, noNaN: true }))),
    turn: fc.tuple(...[0, 1, 2].map(() => fc.double({ min: -0.3, max: 0.3, noNaN: true }))),
    move: fc.tuple(...[0, 1, 2].map(() => fc.double({ min: -100, max: 100, noNaN: true }))),
  })
  .map(({ order, signs, size, turn, move }) => {
    const permuted = new Array<number>(16).fill(0)
    permuted[15] = 1
    order.forEach((world, voxel) => {
      permuted[4 * world + voxel] = signs[voxel]
    })
    return compose(
      translation(move as unknown as Vec3),
      rotation(0, turn[0]),
      rotation(1, turn[1]),
      rotation(2, turn[2]),
      permuted,
      scaling(size as unknown as Vec3),
    )
  })

/** Small random masks on grids of random voxel sizes. */
export const masks: fc.Arbitrary<Mask> = fc
  .record({
    dims: fc.tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 })),
    affine: affines,
    density: fc.double({ min: 0, max: 1, noNaN: true }),
    seed: fc.integer({ min: 1, max: 1e6 }),
  })
  .map(({ dims, affine, density, seed }) => {
    const mask = emptyMask({ dims, affine })
    let state = seed
    for (let i = 0; i < mask.data.length; i++) {
      state = (state * 48271) % 2147483647
      mask.data[i] = state / 2147483647 < density ? 1 : 0
    }
    return mask
  })

/** A smooth image with no symmetry: a sum of waves. */
export function waves(dims: Vec3, affine: Affine): Image {
  const data = new Float32Array(dims[0] * dims[1] * dims[2])
  for (let k = 0, at = 0; k < dims[2]; k++)
    for (let j = 0; j < dims[1]; j++)
      for (let i = 0; i < dims[0]; i++, at++)
        data[at] = Math.sin(0.31 * i + 0.2) + Math.cos(0.27 * j) + 0.5 * Math.sin(0.19 * k + 0.1 * i) + 3
  return { dims, affine, data }
}
