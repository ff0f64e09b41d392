import { type Mask, maskWhere, type Volume, voxelVolume } from './volume.js'
import { wordsOf } from './words.js'

export type Connectivity = 6 | 18 | 26

export interface Components {
  /** 0 outside the mask, 1 … count inside, numbered by first voxel in storage order. */
  labels: Volume<Int32Array>
  count: number
  /** Voxels of each component, by label; `sizes[0]` is 0. */
  sizes: Uint32Array
}

/**
 * Connected components of the non-zero voxels, which touch by faces (6), faces and edges (18), or corners too (26).
 * Union–find over runs along x: two runs of neighbouring rows are joined where they touch.
 */
export function labelComponents(mask: Mask, connectivity: Connectivity): Components {
  const [nx, ny, nz] = mask.dims
  const { data } = mask
  const words = wordsOf(data)
  const rows = ny * nz
  const firstRun = new Int32Array(rows + 1)
  let starts = new Int32Array(1024)
  let ends = new Int32Array(1024)
  let parent = new Int32Array(1024)
  let runs = 0
  const find = (run: number): number => {
    while (parent[run] !== run) run = parent[run] = parent[parent[run]]
    return run
  }
  /** Joins the runs of two rows that touch; `reach` is 1 where a step sideways still touches. */
  const join = (row: number, other: number, reach: number) => {
    let b = firstRun[other]
    const lastB = firstRun[other + 1]
    for (let a = firstRun[row]; a < runs && b < lastB; ) {
      if (starts[a] < ends[b] + reach && starts[b] < ends[a] + reach) {
        const [p, q] = [find(a), find(b)]
        if (p !== q) parent[Math.max(p, q)] = Math.min(p, q)
      }
      if (ends[a] < ends[b]) a++
      else b++
    }
  }
  for (let row = 0; row < rows; row++) {
    firstRun[row] = runs
    const base = row * nx
    for (let i = 0; i < nx; ) {
      if (data[base + i] === 0) {
        // Masks are mostly background: four voxels at a time where a word of them begins.
        i += ((base + i) & 3) === 0 && words[(base + i) >> 2] === 0 ? 4 : 1
        continue
      }
      if (runs === starts.length) [starts, ends, parent] = [grown(starts), grown(ends), grown(parent)]
      starts[runs] = i
      while (i < nx && data[base + i] !== 0) i++
      ends[runs] = i
      parent[runs] = runs
      runs++
    }
    firstRun[row + 1] = runs
    const j = row % ny
    const plane = row - j
    // Rows that come before: dy, dz, and whether a diagonal step along x still touches.
    const diagonal = connectivity === 6 ? 0 : 1
    if (j > 0) join(row, row - 1, diagonal)
    if (plane >= ny) {
      join(row, row - ny, diagonal)
      if (connectivity > 6) {
        const corner = connectivity === 26 ? 1 : 0
        if (j > 0) join(row, row - ny - 1, corner)
        if (j < ny - 1) join(row, row - ny + 1, corner)
      }
    }
  }
  const name = new Int32Array(runs)
  const labels = new Int32Array(data.length)
  const sizes: number[] = [0]
  for (let row = 0; row < rows; row++)
    for (let run = firstRun[row]; run < firstRun[row + 1]; run++) {
      const root = find(run)
      if (name[root] === 0) {
        name[root] = sizes.length
        sizes.push(0)
      }
      sizes[name[root]] += ends[run] - starts[run]
      labels.fill(name[root], row * nx + starts[run], row * nx + ends[run])
    }
  return {
    labels: { dims: mask.dims, affine: mask.affine, data: labels },
    count: sizes.length - 1,
    sizes: Uint32Array.from(sizes),
  }
}

function grown(old: Int32Array): Int32Array<ArrayBuffer> {
  const bigger = new Int32Array(2 * old.length)
  bigger.set(old)
  return bigger
}

/** The voxels of `mask` whose component passes `keep`. */
export function keepComponents(
  mask: Mask,
  connectivity: Connectivity,
  keep: (label: number, size: number) => boolean,
): Mask {
  const { labels, sizes } = labelComponents(mask, connectivity)
  const kept = Uint8Array.from(sizes, (size, label) => (label > 0 && keep(label, size) ? 1 : 0))
  const data = new Uint8Array(mask.data.length)
  for (let i = 0; i < data.length; i++) data[i] = kept[labels.data[i]]
  return { dims: mask.dims, affine: mask.affine, data }
}

/** The components of at least `mm3` cubic millimetres and `minVoxels` voxels. */
export function keepLargerThan(mask: Mask, mm3: number, connectivity: Connectivity, minVoxels = 1): Mask {
  const voxel = voxelVolume(mask)
  // 1e-6 relative: a size of exactly mm3 must pass although voxel sizes are float32.
  return keepComponents(mask, connectivity, (_, size) => size >= minVoxels && size * voxel >= mm3 * (1 - 1e-6))
}

/** The components of `mask` that hold a non-zero voxel of `seeds`, which is on the same grid. */
export function keepTouching(mask: Mask, seeds: Mask, connectivity: Connectivity): Mask {
  const { labels, count } = labelComponents(mask, connectivity)
  const held = new Uint8Array(count + 1)
  for (let i = 0; i < seeds.data.length; i++) if (seeds.data[i] !== 0) held[labels.data[i]] = 1
  held[0] = 0
  return maskWhere(labels, (label) => held[label] !== 0)
}

/** The largest component; the first of them when several are as large; empty for an empty mask. */
export function largestComponent(mask: Mask, connectivity: Connectivity): Mask {
  const { sizes } = labelComponents(mask, connectivity)
  const largest = sizes.reduce((best, size, label) => (size > sizes[best] ? label : best), 0)
  return keepComponents(mask, connectivity, (label) => label === largest)
}

/**
 * Fills what the mask encloses: background that does not reach the border of the volume (6-connected), or, with
 * `plane`, of each slice across that voxel axis.
 */
export function fillHoles(mask: Mask, { plane }: { plane?: 0 | 1 | 2 } = {}): Mask {
  const [nx, ny, nz] = mask.dims
  const filled = new Uint8Array(mask.data.length).fill(1)
  const stack = new Int32Array(mask.data.length)
  let top = 0
  const visit = (at: number) => {
    if (mask.data[at] === 0 && filled[at] === 1) {
      filled[at] = 0
      stack[top++] = at
    }
  }
  for (let k = 0; k < nz; k++)
    for (let j = 0; j < ny; j++)
      for (let i = 0; i < nx; i++) {
        const edge =
          (plane !== 0 && (i === 0 || i === nx - 1)) ||
          (plane !== 1 && (j === 0 || j === ny - 1)) ||
          (plane !== 2 && (k === 0 || k === nz - 1))
        if (edge) visit(i + nx * (j + ny * k))
      }
  while (top > 0) {
    const at = stack[--top]
    const i = at % nx
    const j = ((at / nx) | 0) % ny
    const k = (at / (nx * ny)) | 0
    if (plane !== 0) {
      if (i > 0) visit(at - 1)
      if (i < nx - 1) visit(at + 1)
    }
    if (plane !== 1) {
      if (j > 0) visit(at - nx)
      if (j < ny - 1) visit(at + nx)
    }
    if (plane !== 2) {
      if (k > 0) visit(at - nx * ny)
      if (k < nz - 1) visit(at + nx * ny)
    }
  }
  return { dims: mask.dims, affine: mask.affine, data: filled }
}
