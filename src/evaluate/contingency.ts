import { type Connectivity, labelComponents } from '../volume/components.js'
import { crop, unionBox } from '../volume/crop.js'
import type { Mask, Volume } from '../volume/volume.js'
import { assertSameGrid } from './overlap.js'

/** The lesions of a mask, numbered 1 … count; what is no lesion, or one too small to count, is 0. */
export interface LesionLabels {
  labels: Volume<Int32Array>
  count: number
  /** Voxels of each lesion, by number; `sizes[0]` is 0. */
  sizes: Uint32Array
}

/** Connected components of at least `minimumVoxels` voxels, numbered by first voxel in storage order. */
export function lesionsOf(mask: Mask, connectivity: Connectivity, minimumVoxels = 1): LesionLabels {
  const components = labelComponents(mask, connectivity)
  const kept = [...components.sizes.keys()].filter((c) => c > 0 && components.sizes[c] >= minimumVoxels)
  if (kept.length === components.count) return components
  const number = new Int32Array(components.count + 1)
  kept.forEach((component, at) => {
    number[component] = at + 1
  })
  const { data } = components.labels
  for (let i = 0; i < data.length; i++) data[i] = number[data[i]]
  return {
    labels: components.labels,
    count: kept.length,
    sizes: Uint32Array.from([0, ...kept.map((c) => components.sizes[c])]),
  }
}

/**
 * The lesions of two masks of one grid, on the part of it that holds them all: most of an image is background, and
 * what is counted over lesions does not see it.
 *
 * @throws RangeError when the masks are not on one grid
 */
export function lesionsOfBoth(
  a: Mask,
  b: Mask,
  connectivity: Connectivity,
  minimumVoxels = 1,
): [LesionLabels, LesionLabels] {
  assertSameGrid(a, b)
  const box = unionBox(a, b)
  const part = (mask: Mask) => lesionsOf(box ? crop(mask, box) : mask, connectivity, minimumVoxels)
  return [part(a), part(b)]
}

/** Lesions that have been told apart already: every value but zero is one, whatever the values are. */
export function lesionsOfLabels({ dims, affine, data }: Volume, minimumVoxels = 1): LesionLabels {
  const voxels = new Map<number, number>()
  for (let i = 0; i < data.length; i++) if (data[i] !== 0) voxels.set(data[i], (voxels.get(data[i]) ?? 0) + 1)
  const kept = [...voxels].filter(([, n]) => n >= minimumVoxels)
  const number = new Map(kept.map(([value], at) => [value, at + 1]))
  const labels = new Int32Array(data.length)
  for (let i = 0; i < labels.length; i++) if (data[i] !== 0) labels[i] = number.get(data[i]) ?? 0
  return {
    labels: { dims, affine, data: labels },
    count: kept.length,
    sizes: Uint32Array.from([0, ...kept.map(([, n]) => n)]),
  }
}

/** How many voxels the lesions of two masks share: lesion i of one is row i, lesion j of the other column j. */
export interface Contingency {
  /** Row by row the columns that share voxels with it, and how many. Row 0 and column 0 are what is no lesion. */
  rows: readonly ReadonlyMap<number, number>[]
  /** Voxels of each lesion; the 0th is 0. */
  rowSizes: Uint32Array
  columnSizes: Uint32Array
}

/**
 * One pass over both label maps; background on background is not counted.
 *
 * @throws RangeError when they are not on one grid
 */
export function contingency(a: LesionLabels, b: LesionLabels): Contingency {
  assertSameGrid(a.labels, b.labels)
  const rows = Array.from({ length: a.count + 1 }, () => new Map<number, number>())
  const [p, q] = [a.labels.data, b.labels.data]
  for (let i = 0; i < p.length; ) {
    const row = p[i]
    const column = q[i]
    const start = i++
    if ((row | column) === 0) continue
    while (i < p.length && p[i] === row && q[i] === column) i++
    rows[row].set(column, (rows[row].get(column) ?? 0) + i - start)
  }
  return { rows, rowSizes: a.sizes, columnSizes: b.sizes }
}

/** The same table with the masks changed over. */
export function transposed({ rows, rowSizes, columnSizes }: Contingency): Contingency {
  const out = Array.from({ length: columnSizes.length }, () => new Map<number, number>())
  for (const [i, row] of rows.entries()) for (const [j, voxels] of row) out[j].set(i, voxels)
  return { rows: out, rowSizes: columnSizes, columnSizes: rowSizes }
}

/** The lesions that share voxels with lesion `row`, and how many. */
export const partnersOf = ({ rows }: Contingency, row: number): [number, number][] =>
  [...rows[row]].filter(([column]) => column !== 0)

/** How many row lesions share at least one voxel with a column lesion. */
export function countTouched(table: Contingency): number {
  let touched = 0
  for (let row = 1; row < table.rows.length; row++) if (partnersOf(table, row).length > 0) touched++
  return touched
}
