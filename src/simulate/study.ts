import { gaussianRandom, seededRandom } from '../learn/random.js'
import { type Atlas, loadAtlas } from '../preprocess/atlas.js'
import { type Affine, apply, compose, invert, scaling, translation, type Vec3 } from '../volume/affine.js'
import { gaussian } from '../volume/filter.js'
import { resample } from '../volume/resample.js'
import { emptyImage, emptyMask, type Grid, type Image, type Mask } from '../volume/volume.js'
import { drawLesions, type SimulatedLesion } from './lesions.js'

export interface SimulationOptions {
  /** Default 1. The same seed gives the same study. */
  seed?: number
  /** Lesion load in ml. Default 12. */
  lesionMl?: number
  /** Rician noise, as a fraction of white matter's intensity. Default 0.03. */
  noise?: number
  /** Strength of the bias field: about ± this fraction across the head. Default 0.15. */
  bias?: number
  /** Thickness of the FLAIR's slices in mm. Default 3. */
  sliceMm?: number
  /** Size of the FLAIR's pixels in mm. Default 0.9. */
  pixelMm?: number
}

export interface SimulatedStudy {
  /** Axial slices. */
  flair: Image
  /** Sagittal, 1.2 × 1.1 × 1.1 mm, in the space of another position of the head. */
  t1: Image
  /** Lesions on the FLAIR's grid: voxels at least half lesion. */
  truth: Mask
  lesions: SimulatedLesion[]
  /** World map FLAIR RAS mm → T1 RAS mm: the rigid move between the two scans. */
  flairToT1: Affine
}

/**
 * A patient who does not exist: head and tissue of the atlas in a pose and size of their own, lesions drawn where
 * patients have them, two contrasts with partial volume, bias field and Rician noise.
 */
export async function simulateStudy(options: SimulationOptions = {}): Promise<SimulatedStudy> {
  const { seed = 1, lesionMl = 12, noise = 0.03, bias = 0.15, sliceMm = 3, pixelMm = 0.9 } = options
  const random = seededRandom(seed)
  const atlas = await loadAtlas()
  const head: Grid = { dims: [190, 230, 200], affine: [1, 0, 0, -95, 0, 1, 0, -130, 0, 0, 1, -82, 0, 0, 0, 1] }
  const { fraction, lesions } = await drawLesions(atlas, head, { lesionMl, random })
  const { flair, t1 } = await paintContrasts(atlas, head, fraction, random)

  // The patient's head is not the template's: turned, moved, and up to 5 % larger or smaller along each axis.
  const toAtlas = compose(pose(random, 5, 6), scaling(three(() => 1 + 0.1 * (random() - 0.5))))
  const flairToT1 = pose(random, 6, 8)
  const flairGrid = gridAround(
    [pixelMm, pixelMm, sliceMm],
    [Math.round(187 / pixelMm), Math.round(227 / pixelMm), Math.round(171 / sliceMm)],
    [0, -17, 14],
  )
  const t1Grid = sagittal(gridAround([1.2, 1.1, 1.1], [160, 218, 200], [0, -17, 10]))
  const onFlair = { map: toAtlas, antialias: true }
  const onT1 = { map: compose(toAtlas, invert(flairToT1)), antialias: true }
  const lesionOnFlair = await resample(fraction, flairGrid, onFlair)
  const truth = emptyMask(flairGrid)
  for (let i = 0; i < truth.data.length; i++) truth.data[i] = lesionOnFlair.data[i] >= 0.5 ? 1 : 0
  return {
    flair: scanned(await resample(flair, flairGrid, onFlair), { random, noise, bias, scale: 600 }),
    t1: scanned(await resample(t1, t1Grid, onT1), { random, noise, bias: bias * 1.3, scale: 450 }),
    truth,
    lesions,
    flairToT1,
  }
}

/** Intensities relative to white matter: fluid, grey matter, white matter, lesion. */
const contrasts = {
  flair: { csf: 0.2, gm: 1.22, wm: 1, lesion: 1.95, outside: 0.95 },
  t1: { csf: 0.28, gm: 0.72, wm: 1, lesion: 0.7, outside: 1.05 },
} as const

/** Both contrasts in atlas space: tissue by its fractions, the rest of the head after the T1 template. */
async function paintContrasts(
  atlas: Atlas,
  grid: Grid,
  lesion: Image,
  random: () => number,
): Promise<{ flair: Image; t1: Image }> {
  const csf = await resample(atlas.csf, grid)
  const gm = await resample(atlas.gm, grid)
  const wm = await resample(atlas.wm, grid)
  const template = await resample(atlas.t1, grid)
  const texture = await gaussian(randomImage(grid, random), 1.2)
  const out = { flair: emptyImage(grid), t1: emptyImage(grid) }
  for (let i = 0; i < template.data.length; i++) {
    // Probabilities of a mean brain are soft; one head is crisper.
    const [a, b, c] = [csf.data[i] ** 2, gm.data[i] ** 2, wm.data[i] ** 2]
    const inBrain = csf.data[i] + gm.data[i] + wm.data[i]
    const sum = Math.max(1e-6, a + b + c)
    const l = lesion.data[i]
    for (const name of ['flair', 't1'] as const) {
      const { csf: fluid, gm: grey, wm: white, lesion: bright, outside } = contrasts[name]
      const tissue = (a * fluid + b * grey + c * white) / sum
      const healthy = inBrain * tissue + (1 - inBrain) * outside * template.data[i]
      out[name].data[i] = (healthy * (1 - l) + bright * l) * (1 + 0.5 * texture.data[i])
    }
  }
  return out
}

/** What a scanner makes of it: a smooth field, noise in the magnitude, whole numbers. */
function scanned(
  image: Image,
  { random, noise, bias, scale }: { random: () => number; noise: number; bias: number; scale: number },
): Image {
  const normal = gaussianRandom(random)
  const [nx, ny, nz] = image.dims
  const c = Array.from({ length: 6 }, () => 2 * random() - 1)
  const data = new Float32Array(image.data.length)
  let at = 0
  for (let k = 0; k < nz; k++)
    for (let j = 0; j < ny; j++)
      for (let i = 0; i < nx; i++, at++) {
        const [x, y, z] = [(2 * i) / nx - 1, (2 * j) / ny - 1, (2 * k) / nz - 1]
        const field = Math.exp(
          bias * (c[0] * x + c[1] * y + c[2] * z + c[3] * x * y + c[4] * y * z + c[5] * (x * x - z * z)),
        )
        const real = image.data[at] * field + noise * normal()
        data[at] = Math.round(scale * Math.hypot(real, noise * normal()))
      }
  return { dims: image.dims, affine: image.affine, data }
}

function randomImage(grid: Grid, random: () => number): Image {
  const image = emptyImage(grid)
  for (let i = 0; i < image.data.length; i++) image.data[i] = random() - 0.5
  return image
}

/** A turn of up to `degrees` about each axis and a move of up to `mm` along it. */
function pose(random: () => number, degrees: number, mm: number): Affine {
  const [a, b, c] = three(() => ((2 * random() - 1) * degrees * Math.PI) / 180)
  const [ca, sa, cb, sb, cc, sc] = [a, b, c].flatMap((angle) => [Math.cos(angle), Math.sin(angle)])
  return compose(
    translation(three(() => (2 * random() - 1) * mm)),
    [1, 0, 0, 0, 0, ca, -sa, 0, 0, sa, ca, 0, 0, 0, 0, 1],
    [cb, 0, sb, 0, 0, 1, 0, 0, -sb, 0, cb, 0, 0, 0, 0, 1],
    [cc, -sc, 0, 0, sc, cc, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1],
  )
}

const three = (f: () => number): Vec3 => [f(), f(), f()]

function gridAround(size: Vec3, dims: Vec3, centre: Vec3): Grid {
  const first = dims.map((n, axis) => centre[axis] - ((n - 1) / 2) * size[axis]) as unknown as Vec3
  return { dims, affine: compose(translation(first), scaling(size)) }
}

/** The same block stored as sagittal slices: axes run to the back, to the feet, to the left, as scanners store them. */
function sagittal({ dims, affine }: Grid): Grid {
  const last = apply(affine, [dims[0] - 1, dims[1] - 1, dims[2] - 1])
  const [dx, dy, dz] = [affine[0], affine[5], affine[10]]
  return {
    dims: [dims[1], dims[2], dims[0]],
    affine: [0, 0, -dx, last[0], -dy, 0, 0, last[1], 0, -dz, 0, last[2], 0, 0, 0, 1],
  }
}
