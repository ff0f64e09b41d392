import fc from 'fast-check'
import { seededRandom } from '../../src/random.js'
import { identity } from '../../src/volume/affine.js'
import { emptyMask, type Grid, type Mask } from '../../src/volume/volume.js'

/** A mask of 1 mm voxels from one string a slice, rows parted by spaces; `.` is 0, digits are labels. */
export function drawn(...slices: string[]): Mask {
  const rows = slices.map((slice) => slice.split(' '))
  const mask = emptyMask({ dims: [rows[0][0].length, rows[0].length, slices.length], affine: identity })
  mask.data.set([...slices.join('').replaceAll(' ', '')].map((c) => (c === '.' ? 0 : Number(c))))
  return mask
}

/** The mask as `drawn` takes it, slices parted by `|`. */
export const shown = ({ dims, data }: Mask): string =>
  Array.from({ length: dims[1] * dims[2] }, (_, row) =>
    [...data.subarray(row * dims[0], (row + 1) * dims[0])].map((v) => v || '.').join(''),
  )
    .map((row, i) => row + (i === dims[1] * dims[2] - 1 ? '' : (i + 1) % dims[1] === 0 ? '|' : ' '))
    .join('')

export const grid: Grid = { dims: [24, 20, 16], affine: identity }

/** Two balls. */
export const truth: Mask = {
  ...grid,
  data: emptyMask(grid).data.map((_, at) => {
    const [i, j, k] = [at % 24, Math.floor(at / 24) % 20, Math.floor(at / 480)]
    return (i - 9) ** 2 + (j - 9) ** 2 + (k - 8) ** 2 <= 25 || (i - 18) ** 2 + (j - 12) ** 2 + (k - 6) ** 2 <= 8 ? 1 : 0
  }),
}

/** A rater who finds lesion and background with the given probabilities, each voxel by itself. */
export function rater(sensitivity: number, specificity: number, seed: number): Mask {
  const uniform = seededRandom(seed)
  return { ...grid, data: truth.data.map((t) => (uniform() < (t ? sensitivity : 1 - specificity) ? 1 : 0)) }
}

/** Two to six raters on one small grid, who mostly agree; labels 0 … `labels` − 1. */
export const panels = (labels = 2): fc.Arbitrary<Mask[]> =>
  fc
    .record({
      dims: fc.tuple(fc.integer({ min: 1, max: 7 }), fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 5 })),
      raters: fc.integer({ min: 2, max: 6 }),
      lesion: fc.double({ min: 0, max: 1, noNaN: true }),
      slips: fc.double({ min: 0, max: 0.5, noNaN: true }),
      seed: fc.integer({ min: 1, max: 1e6 }),
    })
    .map(({ dims, raters, lesion, slips, seed }) => {
      const uniform = seededRandom(seed)
      const any = () => (uniform() < lesion ? 1 + Math.floor(uniform() * (labels - 1)) : 0)
      const base = emptyMask({ dims, affine: identity })
      base.data.forEach((_, i) => {
        base.data[i] = any()
      })
      return Array.from({ length: raters }, () => ({
        ...base,
        data: base.data.map((label) => (uniform() < slips ? any() : label)),
      }))
    })
