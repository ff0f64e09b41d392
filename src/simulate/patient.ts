import { seededRandom } from '../random.js'
import { type Affine, compose, determinant, identity, invert, scaling, type Vec3 } from '../volume/affine.js'
import { resample } from '../volume/resample.js'
import { emptyMask, type Grid, type Image, type Mask, type Volume, voxelVolume } from '../volume/volume.js'
import type { Anatomy } from './anatomy.js'
import { biasField, gammaShift, ghosts, quickNormal, ricianNoise } from './artefacts.js'
import type { LesionBank } from './bank.js'
import { type Activity, changeMap } from './course.js'
import { lesionLayers, type PlacedLesion, placeLesions } from './label-lesions.js'
import { axialGrid, pose, sagittalGrid, three } from './scanner.js'
import type { LesionLayers, SynthesisedContrast } from './synthesise.js'
import { type Displacement, randomDisplacement, warpImage, warpLabels } from './warp.js'

export interface PatientOptions {
  /** Default 1. The same seed gives the same patient. */
  seed?: number
  contrasts: readonly SynthesisedContrast[]
  /** Default 1. */
  visits?: number
  /** Load at the first visit in ml, about; a few large lesions may go beyond it. */
  lesionMl: number
  activity?: Activity
  /** How far the walls of the ventricles move outward from visit to visit, mm. Default 0. */
  atrophyMm?: number
  /** Rician noise relative to white matter. Default 0.03. */
  noise?: number
  /** Standard deviation of the knots of the logarithmic bias field. Default 0.1. */
  bias?: number
  /** Ghosts of movement relative to the image. Default 0. */
  ghosting?: number
  /** Spread of the contrast shift between scanners (of the logarithm of gamma). Default 0.1. */
  shift?: number
  /** Slice thickness in mm of what is scanned in slices. Default 3; of label maps their own. */
  sliceMm?: number
  /** Size of its pixels in mm. Default 0.9; of label maps their own. */
  pixelMm?: number
  /** All images of all visits on one grid, in one position. Default false. */
  aligned?: boolean
  progress?(fraction: number): void
}

/** A scan of a visit. */
export interface SimulatedScan {
  contrast: SynthesisedContrast
  image: Image
  /** World map from the visit's truth (RAS mm) to this image's RAS mm. */
  map: Affine
}

export interface SimulatedLesionVisit {
  /** Number in `labels`, the same at all visits. */
  id: number
  /** Centre of mass of its voxels, RAS mm. */
  centre: Vec3
  voxels: number
  volumeMm3: number
  change: 'baseline' | 'new' | 'growing' | 'shrinking' | 'stable'
  enhancing: boolean
}

export interface SimulatedVisit {
  scans: SimulatedScan[]
  /** Voxels at least half lesion, with the lesion's number, on the grid of what is scanned in slices. */
  labels: Volume<Int16Array>
  truth: Mask
  brain: Mask
  /** Values of `changes` against the visit before, in this visit's anatomy; not at the first. */
  change?: Mask
  lesions: SimulatedLesionVisit[]
  /** Grey and white matter, ml. */
  parenchymaMl: number
  /** World map from the first visit's RAS mm to this visit's: the rigid move, without atrophy. */
  fromFirst: Affine
}

/**
 * The visits of a patient who does not exist, one after the other: the anatomy, smoothly deformed and turned, with lesions of the
 * bank that come, grow, shrink and go, in the contrasts asked for.
 */
export async function* simulateVisits(
  anatomy: Anatomy,
  bank: LesionBank,
  options: PatientOptions,
): AsyncGenerator<SimulatedVisit> {
  const { seed = 1, visits = 1, lesionMl, activity = {}, atrophyMm = 0, aligned = false } = options
  // A stream of random numbers for each purpose and visit, so that one option leaves the rest as it was.
  const stream = (purpose: number) => seededRandom(Math.imul(seed, 0x9e3779b1) + Math.imul(purpose, 0x85ebca6b))
  const where = stream(1)
  const size = anatomy.wholeHead ? scaling(three(() => 1 + 0.1 * (where() - 0.5))) : identity
  const position = anatomy.wholeHead ? compose(pose(where, 5, 6), size) : identity
  const placed = placeLesions(
    anatomy.lesions,
    bank,
    { volumeMm3: lesionMl * 1000 * determinant(size), visits, activity },
    stream(2),
  )
  const sliced = slicedGrid(anatomy, options)
  let before: LesionLayers['fraction'] | undefined
  let beforeOwners: Int16Array | undefined
  for (let visit = 0; visit < visits; visit++) {
    const progress = (part: number) => options.progress?.((visit + part) / visits)
    const move = visit === 0 || aligned ? identity : pose(stream(100 + visit), 4, 5)
    // From the RAS mm of the visit's scans to the anatomy's own world.
    const toAnatomy = compose(position, invert(anatomy.toWorld), move)
    const shape = stream(3)
    const displacement = await randomDisplacement(anatomy.ventricles, anatomy.grid, {
      mm: 2.5,
      spacing: 48,
      widening: (anatomy.wholeHead ? 3 : 1) * shape() + visit * atrophyMm,
      random: shape,
    })
    const { layers, owners } = lesionLayers(anatomy.lesions, anatomy.lesions.room, placed, visit)
    const onScan = scanOf(anatomy, displacement, sliced, toAnatomy)
    const labels = await onScan.labels(layers.fraction, owners)
    progress(0.2)
    const scans: SimulatedScan[] = []
    for (const [n, contrast] of options.contrasts.entries()) {
      const own = stream(1000 + 20 * visit + n)
      const volume3d = anatomy.wholeHead && !aligned && (contrast === 't1' || contrast === 't1gd')
      const map = volume3d ? pose(own, 6, 8) : identity
      // The tissue's own unevenness and this scanner's contrast are the patient's, not the visit's.
      const painted = anatomy.paint(contrast, layers, stream(10 + n))
      const grid = volume3d ? sagittalGrid() : sliced
      const image = await scanOf(anatomy, displacement, grid, compose(toAnatomy, invert(map))).image(painted)
      degrade(image, options, own)
      scans.push({ contrast, image, map })
      progress(0.2 + (0.8 * (n + 1)) / options.contrasts.length)
    }
    const change =
      before && beforeOwners ? changeMap((await onScan.labels(before, beforeOwners)).data, labels.data) : undefined
    const truth = emptyMask(sliced)
    for (let i = 0; i < truth.data.length; i++) truth.data[i] = labels.data[i] !== 0 ? 1 : 0
    yield {
      scans,
      labels,
      truth,
      brain: await onScan.mask(anatomy.brain),
      ...(change ? { change: { ...truth, data: change } } : {}),
      lesions: describeLesions(labels, change, placed, visit),
      parenchymaMl: volumeOf(warpImage(anatomy.parenchyma, displacement)) / determinant(size) / 1000,
      fromFirst: invert(move),
    }
    ;[before, beforeOwners] = [layers.fraction, owners]
  }
}

/** The grid of what is scanned in slices, in the world of what is written. */
function slicedGrid({ grid, toWorld, wholeHead }: Anatomy, { sliceMm, pixelMm }: PatientOptions): Grid {
  if (wholeHead) return axialGrid(pixelMm ?? 0.9, sliceMm ?? 3)
  const [dx, dy, dz] = [grid.affine[0], grid.affine[5], grid.affine[10]]
  const to: Vec3 = [pixelMm ?? dx, pixelMm ?? dy, sliceMm ?? dz]
  const dims = grid.dims.map((n, axis) =>
    Math.max(1, Math.round((n * [dx, dy, dz][axis]) / to[axis])),
  ) as unknown as Vec3
  // The outer faces of the two grids meet at the first voxel.
  const shift = to.map((mm, axis) => (mm - [dx, dy, dz][axis]) / 2)
  const local: Affine = [to[0], 0, 0, shift[0], 0, to[1], 0, shift[1], 0, 0, to[2], shift[2], 0, 0, 0, 1]
  return { dims, affine: compose(toWorld, local) }
}

/** Brings what lies on the anatomy's grid through the deformation onto a scan's grid. */
function scanOf({ grid }: Anatomy, displacement: Displacement, onto: Grid, map: Affine) {
  const image = async (values: Image) => await resample(warpImage(values, displacement), onto, { map, antialias: true })
  return {
    image,
    mask: async (share: Image): Promise<Mask> => {
      const values = await image(share)
      const out = emptyMask(onto)
      for (let i = 0; i < out.data.length; i++) out.data[i] = values.data[i] >= 0.5 ? 1 : 0
      return out
    },
    labels: async (fraction: Float32Array, owners: Int16Array): Promise<Volume<Int16Array>> => {
      const share = await image({ ...grid, data: fraction })
      // Where lesions of two numbers meet, the nearest voxel's is taken.
      const number = await resample(warpLabels({ ...grid, data: owners }, displacement), onto, {
        map,
        method: 'nearest',
      })
      const data = new Int16Array(share.data.length)
      for (let i = 0; i < data.length; i++) if (share.data[i] >= 0.5) data[i] = number.data[i]
      return { dims: onto.dims, affine: onto.affine, data }
    },
  }
}

/** What the scanner adds, in place: field, contrast of its own, ghosts, noise; white matter then has a few hundred units. */
function degrade(image: Image, options: PatientOptions, random: () => number): void {
  const { noise = 0.03, bias = 0.1, ghosting = 0, shift = 0.1 } = options
  const normal = quickNormal(random)
  biasField(image.data, image.dims, bias, random)
  gammaShift(image.data, Math.exp(shift * Math.max(-2, Math.min(2, normal()))))
  ghosts(image.data, image.dims, { axis: 1, count: 1 + Math.floor(4 * random()), strength: ghosting })
  ricianNoise(image.data, noise, random)
  const scale = 300 + 500 * random()
  for (let i = 0; i < image.data.length; i++) image.data[i] = Math.round(scale * image.data[i])
}

function describeLesions(
  labels: Volume<Int16Array>,
  change: Uint8Array | undefined,
  placed: readonly PlacedLesion[],
  visit: number,
): SimulatedLesionVisit[] {
  const [nx, ny] = labels.dims
  const a = labels.affine
  const sums = placed.map(() => ({ n: 0, x: 0, y: 0, z: 0, gained: 0, fresh: 0 }))
  for (let i = 0; i < labels.data.length; i++) {
    if (labels.data[i] === 0) continue
    const sum = sums[labels.data[i] - 1]
    sum.n++
    sum.x += i % nx
    sum.y += Math.floor(i / nx) % ny
    sum.z += Math.floor(i / (nx * ny))
    if (change?.[i] === 1) sum.fresh++
    if (change?.[i] === 2) sum.gained++
  }
  return sums.flatMap(({ n, x, y, z, fresh, gained }, index) => {
    if (n === 0) return []
    const [i, j, k] = [x / n, y / n, z / n]
    const centre: Vec3 = [
      a[0] * i + a[1] * j + a[2] * k + a[3],
      a[4] * i + a[5] * j + a[6] * k + a[7],
      a[8] * i + a[9] * j + a[10] * k + a[11],
    ]
    const { course, enhancing } = placed[index]
    const offset = (course[visit] ?? 0) - (course[visit - 1] ?? 0)
    const kind =
      visit === 0
        ? 'baseline'
        : fresh > 0
          ? 'new'
          : offset > 0 && gained > 0
            ? 'growing'
            : offset < 0
              ? 'shrinking'
              : 'stable'
    return [
      {
        id: index + 1,
        centre,
        voxels: n,
        volumeMm3: n * voxelVolume(labels),
        change: kind,
        enhancing: enhancing && (visit === 0 || course[visit - 1] === undefined),
      },
    ]
  })
}

function volumeOf(share: Image): number {
  let sum = 0
  for (let i = 0; i < share.data.length; i++) sum += share.data[i]
  return sum * voxelVolume(share)
}
