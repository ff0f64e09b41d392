import type { LabelledStudy } from '../../src/learn/trained-model.js'
import { gaussianRandom, seededRandom } from '../../src/random.js'
import { gaussian } from '../../src/volume/filter.js'
import type { PreparedStudy } from '../../src/volume/study.js'
import { emptyImage, emptyMask, type Grid, type Volume } from '../../src/volume/volume.js'
import { phantomGrid, phantomImage, phantomLabels, tissue } from '../phantom.js'
import { phantomStudy } from '../phantom-study.js'

/** The middle of PH-1 without its lesions, to put others into: 24 slices, so that a test can have many. */
export interface Slab {
  study: PreparedStudy
  /** Tissue of each voxel. */
  labels: Uint8Array
  /** Images without noise. */
  clean: { flair: Float32Array; t1: Float32Array }
}

const [nx, ny] = phantomGrid.dims
const [from, to] = [28, 52]
const grid: Grid = {
  dims: [nx, ny, to - from],
  affine: phantomGrid.affine.map((v, i) => (i === 11 ? v + from * phantomGrid.affine[10] : v)),
}
const slices = <T extends Float32Array | Uint8Array>({ data }: Volume<T>): T =>
  data.slice(from * nx * ny, to * nx * ny) as T
const cut = <T extends Float32Array | Uint8Array>(volume: Volume<T>): Volume<T> => ({ ...grid, data: slices(volume) })

export async function phantomSlab(): Promise<Slab> {
  const whole = await phantomStudy({ lesions: [] })
  const all = <T extends object>(maps: T): T =>
    Object.fromEntries(
      Object.entries(maps).flatMap(([name, map]) => (map?.data ? [[name, cut(map as Volume<Float32Array>)]] : [])),
    ) as T
  const clean = (contrast: 'flair' | 't1') => slices(phantomImage({ contrast, noise: 0, lesions: [] }))
  return {
    study: {
      ...whole,
      grid,
      images: all(whole.images),
      brain: cut(whole.brain),
      tissue: all(whole.tissue),
      atlas: all(whole.atlas),
    },
    labels: slices(phantomLabels()),
    clean: { flair: clean('flair'), t1: clean('t1') },
  }
}

/** A slab with lesions at random and thin vessels that are as bright. */
export interface Variant extends LabelledStudy {
  /** Voxels of each lesion. */
  lesions: number[][]
  /** Voxels of each vessel: 12 in a row, one thick. */
  vessels: number[][]
}

export interface VariantOptions {
  seed: number
  lesions?: number
  vessels?: number
  /** Smallest and largest radius of the lesions, mm. */
  radii?: readonly [number, number]
  noise?: number
  /** How far lesions and vessels are from the tissue that they replace to a lesion's full brightness, 0–1. */
  strength?: number
}

const means = { flair: 150, t1: 80 }

/** The variant's tissue classes are those of the slab: they were found without its lesions. */
export async function lesionVariant(
  { study, labels, clean }: Slab,
  { seed, lesions = 10, vessels = 3, radii = [2, 6], noise = 4, strength = 1 }: VariantOptions,
): Promise<Variant> {
  const random = seededRandom(1000 + seed)
  const truth = emptyMask(grid)
  const bright = emptyImage(grid)
  const anywhere = (): [number, number, number] => {
    for (;;) {
      const at = Math.floor(random() * labels.length)
      if (labels[at] === tissue.wm) return [at % nx, Math.floor(at / nx) % ny, Math.floor(at / (nx * ny))]
    }
  }
  const made: Pick<Variant, 'lesions' | 'vessels'> = { lesions: [], vessels: [] }
  for (let n = 0; n < lesions; n++) {
    const centre = anywhere()
    const radius = (radii[0] + (radii[1] - radii[0]) * random()) / 2
    const own: number[] = []
    for (let k = 0, at = 0; k < grid.dims[2]; k++)
      for (let j = 0; j < ny; j++)
        for (let i = 0; i < nx; i++, at++)
          if (Math.hypot(i - centre[0], j - centre[1], k - centre[2]) <= radius && labels[at] >= tissue.gm) own.push(at)
    for (const at of own) truth.data[at] = bright.data[at] = 1
    made.lesions.push(own)
  }
  /** A vessel that touches a lesion is one region with it. */
  const nearBright = (at: number) => {
    for (let k = -2; k <= 2; k++)
      for (let j = -2; j <= 2; j++)
        for (let i = -2; i <= 2; i++) if (bright.data[at + i + nx * (j + ny * k)] > 0) return true
    return false
  }
  while (made.vessels.length < vessels) {
    const [i, j, k] = anywhere()
    const step = [1, nx, nx * ny][made.vessels.length % 3]
    const own = Array.from({ length: 12 }, (_, s) => i + nx * (j + ny * k) + s * step)
    if (own.some((at) => labels[at] !== tissue.wm || nearBright(at))) continue
    for (const at of own) bright.data[at] = 1
    made.vessels.push(own)
  }
  const part = (await gaussian(bright, 1)).data
  const image = (contrast: 'flair' | 't1') => {
    const normal = gaussianRandom(seededRandom(seed * 4 + (contrast === 't1' ? 0 : 3)))
    const data = clean[contrast].map((v, i) => {
      const share = part[i] * strength
      return Math.hypot(v * (1 - share) + means[contrast] * share + noise * normal(), noise * normal())
    })
    return { ...grid, data }
  }
  return { study: { ...study, images: { flair: image('flair'), t1: image('t1') } }, truth, ...made }
}
