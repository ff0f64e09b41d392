import type { Vec3 } from '../volume/affine.js'
import { drawShape, type LesionBank, type LesionShape, shapeDepth, shapeReach } from './bank.js'
import { placeDraws } from './placement.js'
import { type Lattice, type RenderedShape, randomTurn, randomWaves, renderShape } from './shape-render.js'

/** A scan (or a patch of one) as plain arrays on one grid, x fastest; any units of intensity. */
export interface PasteCase extends Lattice {
  flair: Float32Array
  /** On the FLAIR's grid. */
  t1?: Float32Array
  /** Lesions that are there, non-zero. */
  mask: Uint8Array
  /** Probability of white matter 0–1, or a mask of it. */
  whiteMatter: Float32Array | Uint8Array
  /** How often lesions lie here, in any unit; without it white matter is taken evenly. */
  prior?: Float32Array
  /** Non-zero in the ventricles: some lesions are then put against their wall. */
  ventricles?: Uint8Array
}

type Range = readonly [low: number, high: number]

/** Each range is drawn from evenly, for each lesion anew unless said otherwise. */
export interface PasteOptions {
  /** Lesions, drawn once; fewer where there is no room. Default 1–12. */
  count?: Range
  /** Volume of the bank's shapes before scaling, mm³. Default all. */
  volumeMm3?: Range
  /** Scale of a shape. Default 0.75–1.3. */
  scale?: Range
  /** How much brighter than white matter in FLAIR, in its standard deviations; drawn once. Default 2–6. */
  contrast?: Range
  /**
   * Chance that the contrast is that of the scan's own lesions, where it has 30 voxels of them at least. Default 0.5.
   */
  ownContrast?: number
  /** How much darker in T1, in white matter's standard deviations; drawn once. Default 0–4. */
  darkness?: Range
  /** Chance that T1 shows nothing at all. Default 0.2. */
  t1Invisible?: number
  /** Width of the border, mm. Default 0.8–2.5. */
  edge?: Range
  /** Chance that a lesion lies against a ventricle, where ventricles are given. Default 0.35. */
  periventricular?: number
  /** Chance of a dark core in T1 (grey in FLAIR) in lesions more than 2.5 mm deep. Default 0.25. */
  core?: number
  /** Chance of a faint halo that is not part of the mask. Default 0.4. */
  halo?: number
}

export interface PastedLesion {
  /** In voxels. */
  centre: Vec3
  /** Voxels of the mask that are its own. */
  voxels: number
  /** Above white matter in FLAIR, in its standard deviations, in the lesion's middle. */
  contrast: number
}

export interface Pasted {
  flair: Float32Array
  t1?: Float32Array
  /** The lesions that were there (their values), and 1 where at least half of a voxel is new lesion. */
  mask: Uint8Array
  lesions: PastedLesion[]
}

/** Median and standard deviation (from the quartiles) of healthy white matter. */
export interface WhiteMatterLevel {
  median: number
  sd: number
}

/**
 * Puts lesions of a bank into the healthy white matter of a real scan. Brightness is added, so that noise and texture of
 * the scan stay; where fluid, cortex or a lesion of the scan begins, the new lesion ends. Nothing given is changed.
 * A case without white matter comes back as it is.
 *
 * @throws RangeError when arrays do not fit the shape
 */
export function pasteLesions(scan: PasteCase, bank: LesionBank, options: PasteOptions, random: () => number): Pasted {
  check(scan)
  const { count = [1, 12], contrast = [2, 6], ownContrast = 0.5, darkness = [0, 4], t1Invisible = 0.2 } = options
  const out: Pasted = { flair: scan.flair.slice(), t1: scan.t1?.slice(), mask: scan.mask.slice(), lesions: [] }
  const flairLevel = whiteMatterLevel(scan, scan.flair)
  if (!flairLevel) return out
  const t1Level = scan.t1 && whiteMatterLevel(scan, scan.t1)
  const between = ([low, high]: Range) => low + (high - low) * random()
  const wanted = Math.round(between(count))
  const own = random() < ownContrast ? contrastOfLesions(scan, flairLevel) : undefined
  const brightness = own ?? between(contrast)
  const dark = random() < t1Invisible ? 0 : between(darkness)
  const draw = placeDraws(
    scan,
    (i) =>
      scan.whiteMatter[i] > 0.5 &&
      scan.mask[i] === 0 &&
      Math.abs(scan.flair[i] - flairLevel.median) < 2 * flairLevel.sd,
    random,
  )
  const covered = new Float32Array(scan.mask.length)
  const room = roomIn(scan, flairLevel)
  for (let tries = 0; out.lesions.length < wanted && tries < 4 * wanted; tries++) {
    const wall = scan.ventricles !== undefined && random() < (options.periventricular ?? 0.35)
    const at = draw(wall)
    if (!at) continue
    const shape = drawShape(bank, random, limits(options.volumeMm3))
    const look = drawLook(options, shape, random)
    const rendered = renderShape(scan, { ...look, at, around: look.edge / 2 + look.halo }, room)
    if (!visible(rendered)) continue
    const factor = 0.8 + 0.4 * random()
    const voxels = lay(scan, rendered, out, covered, {
      look,
      flair: brightness * factor * flairLevel.sd,
      t1: t1Level ? -dark * factor * t1Level.sd : 0,
      level: flairLevel,
    })
    out.lesions.push({ centre: at, voxels, contrast: brightness * factor })
  }
  return out
}

/** Median and spread of the white matter outside lesions, from every n-th voxel; undefined where there is none. */
export function whiteMatterLevel(
  { whiteMatter, mask }: Pick<PasteCase, 'whiteMatter' | 'mask'>,
  values: Float32Array,
): WhiteMatterLevel | undefined {
  const some: number[] = []
  // About a hundred thousand looks are enough for two quartiles.
  const step = 1 + (values.length >> 17)
  for (let i = 0; i < values.length; i += step)
    if (whiteMatter[i] > 0.5 && mask[i] === 0 && Number.isFinite(values[i])) some.push(values[i])
  if (some.length < 20) return undefined
  const at = quantiles(some)
  const sd = (at(0.75) - at(0.25)) / 1.349
  return sd > 0 ? { median: at(0.5), sd } : undefined
}

/** How far the lesions of the scan stand above white matter, in its standard deviations; undefined when they are few. */
function contrastOfLesions({ mask, flair }: PasteCase, { median, sd }: WhiteMatterLevel): number | undefined {
  const some: number[] = []
  for (let i = 0; i < mask.length; i++) if (mask[i] !== 0 && Number.isFinite(flair[i])) some.push(flair[i])
  if (some.length < 30) return undefined
  // The middle of lesions, which is brighter than their borders; a hasty mask may be no brighter than its surroundings.
  return Math.max(1.5, (quantiles(some)(0.7) - median) / sd)
}

function quantiles(values: number[]): (share: number) => number {
  const sorted = Float32Array.from(values).sort()
  return (share) => sorted[Math.floor(share * (sorted.length - 1))]
}

/** Share of a voxel that can hold lesion: white matter, not fluid, not a lesion of the scan or next to one. */
function roomIn({ whiteMatter, flair, mask, shape }: PasteCase, { median, sd }: WhiteMatterLevel) {
  const [nx, ny] = shape
  const slice = nx * ny
  const taken = (i: number) =>
    mask[i] !== 0 ||
    mask[i - 1] > 0 ||
    mask[i + 1] > 0 ||
    mask[i - nx] > 0 ||
    mask[i + nx] > 0 ||
    mask[i - slice] > 0 ||
    mask[i + slice] > 0
  return (i: number): number => {
    const white = Math.min(1, 1.5 * whiteMatter[i])
    if (white === 0 || taken(i)) return 0
    const aboveFluid = (flair[i] - median) / (2 * sd) + 2
    return aboveFluid <= 0 ? 0 : white * Math.min(1, aboveFluid)
  }
}

/** What chance decides about a single lesion. */
interface Look {
  depth: (x: number, y: number, z: number) => number
  reach: number
  edge: number
  /** Width of the halo in mm, 0 for none, and its strength beside the lesion's. */
  halo: number
  faint: number
  /** 0 for none; else how deep the core begins, mm. */
  core: number
  texture: (x: number, y: number, z: number) => number
}

function drawLook(options: PasteOptions, shape: LesionShape, random: () => number): Look {
  const { scale: scales = [0.75, 1.3], edge: edges = [0.8, 2.5], core = 0.25, halo = 0.4 } = options
  const scale = scales[0] + (scales[1] - scales[0]) * random()
  return {
    depth: shapeDepth(shape, randomTurn(random), scale),
    reach: scale * shapeReach(shape),
    edge: edges[0] + (edges[1] - edges[0]) * random(),
    halo: random() < halo ? (1 + 1.5 * random()) * scale : 0,
    faint: 0.15 + 0.2 * random(),
    core: random() < core ? 1.5 + random() : 0,
    texture: randomWaves(random, 8),
  }
}

/** Adds a lesion to the images and the mask; gives the number of voxels that became lesion. */
function lay(
  { shape, spacing, flair }: PasteCase,
  { start, dims, fraction, depth }: RenderedShape,
  out: Pasted,
  covered: Float32Array,
  by: { look: Look; flair: number; t1: number; level: WhiteMatterLevel },
): number {
  const { look, level } = by
  const hasCore = look.core > 0 && depth.some((mm, i) => mm > look.core + 1 && fraction[i] > 0.9)
  const field = shading(fraction, start, dims, shape, flair, level)
  let voxels = 0
  let n = 0
  for (let k = 0; k < dims[2]; k++)
    for (let j = 0; j < dims[1]; j++) {
      let at = start[0] + shape[0] * (start[1] + j + shape[1] * (start[2] + k))
      for (let i = 0; i < dims[0]; i++, n++, at++) {
        // In a halo the scan's own fluid and cortex stay as they are.
        const around =
          look.halo > 0 && fraction[n] < 1 && Math.abs(flair[at] - level.median) < 2 * level.sd
            ? look.faint * Math.max(0, Math.min(1, 1 + depth[n] / look.halo))
            : 0
        const here = Math.max(fraction[n], around)
        const more = here - covered[at]
        if (more <= 0) continue
        covered[at] = here
        const core = hasCore ? Math.max(0, Math.min(1, 0.5 + (depth[n] - look.core) / 1.5)) : 0
        const uneven = 1 + 0.15 * look.texture(i * spacing[0], j * spacing[1], k * spacing[2])
        out.flair[at] += more * by.flair * field * uneven * (1 - 0.5 * core)
        if (out.t1) out.t1[at] += more * by.t1 * uneven * (1 + 0.8 * core)
        if (fraction[n] >= 0.5 && out.mask[at] === 0) {
          out.mask[at] = 1
          voxels++
        }
      }
    }
  return voxels
}

/** Of images whose white matter is far from zero: how bright the scan is here, since coil fields multiply contrast too. */
function shading(
  fraction: Float32Array,
  start: Vec3,
  dims: Vec3,
  shape: Vec3,
  flair: Float32Array,
  { median, sd }: WhiteMatterLevel,
): number {
  if (median < 4 * sd) return 1
  let sum = 0
  let weight = 0
  let n = 0
  for (let k = 0; k < dims[2]; k++)
    for (let j = 0; j < dims[1]; j++) {
      let at = start[0] + shape[0] * (start[1] + j + shape[1] * (start[2] + k))
      for (let i = 0; i < dims[0]; i++, n++, at++) {
        sum += fraction[n] * flair[at]
        weight += fraction[n]
      }
    }
  return Math.max(0.7, Math.min(1.4, sum / weight / median))
}

const visible = ({ fraction }: RenderedShape) => fraction.some((share) => share >= 0.5)

const limits = (range?: Range) => (range ? { minMm3: range[0], maxMm3: range[1] } : {})

function check({ shape, spacing, flair, t1, mask, whiteMatter, prior, ventricles }: PasteCase): void {
  const count = shape[0] * shape[1] * shape[2]
  for (const [name, array] of Object.entries({ flair, t1, mask, whiteMatter, prior, ventricles }))
    if (array && array.length !== count)
      throw new RangeError(`${name} holds ${array.length} values, a block of ${shape.join(' × ')} has ${count}.`)
  if (!spacing.every((mm) => mm > 0)) throw new RangeError(`Voxels of ${spacing.join(' × ')} mm are none.`)
}
