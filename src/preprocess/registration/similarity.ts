import type { Arena } from '../../kernels/index.js'
import { type Affine, compose, invert } from '../../volume/affine.js'
import { Joint, type Similarity, type SimilarityKind } from './joint.js'
import { bins, type Level } from './sampling.js'

export interface Measure {
  (map: Affine): Promise<Similarity>
  /**
   * The similarities with the slope of `figureOf` one of them: 12 numbers, by the rows of the world map about the
   * level's origin (x − origin → y), each (x, y, z, 1).
   */
  withSlope(map: Affine, kind?: SimilarityKind): Promise<Similarity & { slope: Float64Array }>
  /** Turns a change of the world map into a change of what `slope` is about. */
  aboutOrigin(map: Affine): Affine
}

/** Puts a level into an arena once and returns its similarity as a function of the world map fixed → moving. */
export function measureOf(arena: Arena, { points, origin, fixedBins, moving }: Level): Measure {
  const n = fixedBins.length
  // Fixed pieces, so that sums round alike for any number of threads; small levels are not worth waking a thread.
  const chunk = n <= 16_384 ? Math.max(1, n) : Math.ceil(n / 8)
  const chunks = Math.ceil(n / chunk)
  const pointsBlock = arena.float32(points)
  const binsBlock = arena.uint8(fixedBins)
  const movingBlock = arena.float32(moving.data)
  const matrix = arena.float64(12)
  const tables = arena.float32(chunks * bins * bins)
  const slopes = arena.float32(bins * bins)
  const gradients = arena.float64(chunks * 12)
  const toIndex = invert(moving.affine)
  const fromOrigin: Affine = [1, 0, 0, origin[0], 0, 1, 0, origin[1], 0, 0, 1, origin[2], 0, 0, 0, 1]
  const sample = [pointsBlock.ptr, binsBlock.ptr, movingBlock.ptr, ...moving.dims, matrix.ptr, bins] as const

  const histogram = async (map: Affine) => {
    matrix.view().set(compose(toIndex, map, fromOrigin).slice(0, 12))
    tables.view().fill(0)
    await arena.run('parzenHistogram', n, chunk, ...sample, tables.ptr, chunk)
    return new Joint(tables.view(), n)
  }
  const measure = async (map: Affine) => (await histogram(map)).similarity
  return Object.assign(measure, {
    async withSlope(map: Affine, kind: SimilarityKind = 'nmi') {
      const joint = await histogram(map)
      slopes.view().set(joint.slopes(kind))
      gradients.view().fill(0)
      await arena.run('parzenGradient', n, chunk, ...sample, slopes.ptr, gradients.ptr, chunk)
      const perIndex = new Float64Array(12)
      for (const [i, value] of gradients.view().entries()) perIndex[i % 12] += value
      // From rows of the index matrix to rows of the world map: index = toIndex · world.
      const slope = Float64Array.from({ length: 12 }, (_, i) => {
        const [row, column] = [i >> 2, i & 3]
        return [0, 1, 2].reduce((sum, r) => sum + toIndex[4 * r + row] * perIndex[4 * r + column], 0)
      })
      return { ...joint.similarity, slope }
    },
    aboutOrigin: (map: Affine) => compose(map, fromOrigin),
  })
}
