import type { Flag } from '../errors.js'
import {
  type Affine,
  apply,
  compose,
  identity,
  invert,
  scaling,
  translation,
  type Vec3,
  voxelSizes,
} from '../volume/affine.js'
import { type Box, boundingBox, crop, cropGrid, uncrop } from '../volume/crop.js'
import { inverseReorientation, type Reorientation, reorient, towardsRas } from '../volume/orient.js'
import { resample, resampleMask } from '../volume/resample.js'
import type { Modality, PreparedStudy, Study } from '../volume/study.js'
import { type Grid, type Image, type Mask, sameGrid, type Volume, type VoxelArray } from '../volume/volume.js'
import { type Atlas, atlasOnGrid, loadAtlas } from './atlas.js'
import { n4 } from './bias.js'
import { findBrain, isStripped } from './brain.js'
import { register, registrationCheck, trustworthy } from './register.js'
import type { Stages } from './stages.js'
import { type Kept, type StepStore, Steps } from './store.js'
import { tissueClasses } from './tissue.js'

export interface PrepareOptions {
  stages: Stages
  /** Rigidly align the other contrasts to the FLAIR. False: they are taken as aligned by their headers. */
  register: boolean
  /** Correct the bias field. False for images that were corrected before. */
  bias: boolean
  /** Working grid of the method: the FLAIR's own voxels, or 1 mm isotropic. */
  grid: 'native' | 'isotropic-1mm'
  /** A brain mask to use instead of our own, on any grid of the FLAIR's space. */
  brainMask?: Mask
  /** sha256 of each input's bytes, for the store's keys. */
  inputKeys?: Partial<Record<Modality | 'brain', string>>
  store?: StepStore
  seed: number
  onFlag(flag: Flag): void
}

/** A prepared study, and the way of its maps back to the grid of the FLAIR as it was given. */
export interface Preparation {
  study: PreparedStudy
  toNative: { mask(mask: Mask): Promise<Mask>; image(image: Image): Promise<Image> }
}

/** The weights of `prepare`'s stages, about their seconds: what `Stages` needs to know beforehand. */
export const prepareWeight = (others: number): number => 2 + 4 * others + 6 + 4 + 3 * (others + 1) + 5

/**
 * Brings a study's images onto one grid, ready for a method. The recipe, in order:
 * turn axes towards RAS+ → align the other contrasts to the FLAIR → find the atlas affine → brain, whose surface corrects the
 * affine → crop to it → resample once → bias field → atlas maps → tissue classes.
 *
 * @param study images of one visit; `flair` must be there
 */
export async function prepare(study: Study & { flair: Image }, options: PrepareOptions): Promise<Preparation> {
  const { stages, seed } = options
  const steps = new Steps(options.store)
  const flags: Flag[] = []
  const flag = (one: Flag) => {
    flags.push(one)
    options.onFlag(one)
  }
  const keyOf = (role: Modality | 'brain') => options.inputKeys?.[role] ?? role

  const turn = towardsRas(study.flair.affine)
  const placed = reorient(study.flair, turn)
  const frame = ownFrame(placed)
  const flair = settled(moved(placed, frame))
  const others = (Object.keys(study) as Modality[]).filter((modality) => modality !== 'flair' && study[modality])
  const upright = (modality: Modality) =>
    settled(moved(reorient(study[modality]!, towardsRas(study[modality]!.affine)), frame))
  const atlas = await stages.run('Loading the atlas', 2, loadAtlas)

  const toOther: Partial<Record<Modality, Kept<{ map: readonly number[]; trust: number }>>> = {}
  for (const modality of others) {
    const moving = upright(modality)
    toOther[modality] = await stages.run(`Aligning ${name(modality)} to FLAIR`, 4, (progress) =>
      steps.run(
        {
          name: `align-${modality}`,
          version: 3,
          params: { register: options.register, dof: 6, seed },
          inputs: [keyOf('flair'), keyOf(modality)],
        },
        async () => {
          const map = options.register
            ? await alignedOrRegistered(flair, moving, seed, stages.signal, progress)
            : identity
          return { map, trust: await registrationCheck(flair, moving, map) }
        },
        ({ map, trust }) => ({ map: compose(invert(frame), map, frame), trust }),
      ),
    )
    const { trust } = toOther[modality].value
    if (!trustworthy(trust))
      flag({
        code: 'registration-check-failed',
        severity: 'serious',
        message: `${name(modality)} and FLAIR do not fit each other (check ${trust.toFixed(2)}): the registration failed, or they show different people; ${name(modality)} is not used.`,
      })
  }
  const usable = others.filter((modality) => trustworthy(toOther[modality]!.value.trust))

  // The T1 template is closest to a T1; where there is none the FLAIR has to do.
  const guide = usable.includes('t1') ? 't1' : 'flair'
  const guideImage = guide === 't1' ? upright('t1') : flair
  const stripped = isStripped(guideImage)
  const guideToAtlas = await stages.run('Finding the atlas', 6, (progress) =>
    steps.run(
      {
        name: 'atlas-affine',
        version: 1,
        params: { guide, dof: 12, stripped, seed },
        inputs: [keyOf('flair'), keyOf(guide)],
      },
      async () => {
        const found = await register(guideImage, stripped ? brainOnly(atlas) : atlas.t1, {
          dof: 12,
          seed,
          signal: stages.signal,
          progress,
        })
        return { map: found.map }
      },
      ({ map }) => ({ map: compose(map, frame) }),
    ),
  )
  const startAffine: Affine =
    guide === 't1' ? compose(guideToAtlas.value.map, toOther.t1!.value.map) : guideToAtlas.value.map

  const cut = stripped || isStripped(flair)
  const wholeBrain = await stages.run('Finding the brain', 4, () =>
    steps.run(
      {
        name: 'brain',
        version: 3,
        params: { given: options.brainMask !== undefined, cut },
        inputs: [keyOf('flair'), keyOf('brain'), guideToAtlas.key, ...usable.map((m) => toOther[m]!.key)],
      },
      async () => {
        if (options.brainMask)
          return {
            mask: await resampleMask(settled(moved(options.brainMask, frame)), flair, { method: 'nearest' }),
            toAtlas: startAffine,
          }
        const t1 = usable.includes('t1')
          ? await resample(upright('t1'), flair, { map: toOther.t1!.value.map })
          : undefined
        const found = await findBrain({ flair, t1 }, atlas, startAffine)
        // A whole head's brain surface tells its size better than intensities do, and corrects the affine. The surface
        // of a stripped image is where somebody cut.
        return { mask: found.mask, toAtlas: cut ? startAffine : found.toAtlas }
      },
      ({ toAtlas: corrected }) => ({ toAtlas: compose(corrected, frame) }),
    ),
  )
  const { toAtlas } = wholeBrain.value
  const box = boundingBox(wholeBrain.value.mask, margin)
  if (!box) throw new NoBrain()
  const grid = workingGrid(cropGrid(flair, box), options.grid)
  const brain = await onto(grid, crop(wholeBrain.value.mask, box))

  const images: Partial<Record<Modality, Image>> = {}
  const corrected: Partial<Record<Modality, Kept<{ image: Image }>>> = {}
  for (const modality of ['flair' as const, ...usable]) {
    corrected[modality] = await stages.run(`Correcting the bias field of ${name(modality)}`, 3, () =>
      steps.run(
        {
          name: `correct-${modality}`,
          version: 2,
          params: { n4: options.bias, grid: options.grid },
          inputs: [keyOf(modality), wholeBrain.key, toOther[modality]?.key ?? ''],
        },
        async () => {
          const image =
            modality === 'flair' && sameGrid(grid, cropGrid(flair, box))
              ? crop(flair, box)
              : await resample(modality === 'flair' ? flair : upright(modality), grid, {
                  map: toOther[modality]?.value.map ?? identity,
                  method: 'cubic',
                  antialias: true,
                })
          // A z-scored image has no field to take logarithms of: it was normalised before, and is left as it is.
          const correctable = options.bias && mostlyPositive(image, brain)
          return { image: correctable ? (await n4(image, brain)).corrected : image }
        },
      ),
    )
    images[modality] = corrected[modality].value.image
  }

  const maps = await atlasOnGrid(atlas, grid, toAtlas)
  const tissue = await stages.run('Classifying tissue', 5, () =>
    steps.run(
      {
        name: 'tissue',
        version: 3,
        params: {},
        inputs: [wholeBrain.key, guideToAtlas.key, corrected.flair!.key, corrected.t1?.key ?? ''],
      },
      async () => {
        const { csf, gm, wm } = await tissueClasses({ flair: images.flair, t1: images.t1 }, brain, maps)
        return { csf, gm, wm }
      },
    ),
  )
  // Back in the world of the headers; on the FLAIR's own voxels exactly where its header puts them.
  const block = cropGrid(placed, box)
  const world: Grid = sameGrid(grid, cropGrid(flair, box))
    ? block
    : { dims: grid.dims, affine: compose(invert(frame), grid.affine) }
  const back = <T extends VoxelArray>(volume: Volume<T>): Volume<T> => ({ ...volume, affine: world.affine })
  const backAll = <T extends object>(volumes: T): T =>
    Object.fromEntries(Object.entries(volumes).map(([name, volume]) => [name, back(volume as Volume)])) as T
  return {
    study: {
      grid: world,
      images: backAll(images),
      brain: back(brain),
      tissue: backAll(tissue.value),
      atlas: backAll(maps),
      toAtlas: compose(toAtlas, frame),
      flags,
      records: steps.records,
    },
    toNative: wayBack(world, block, box, placed, inverseReorientation(turn)),
  }
}

/**
 * The world map that puts an image straight: its axes along RAS, its centre at the origin. All of the preparation happens
 * there, so that how a head lay in the scanner, or what a program made of the header since, changes no result. Headers
 * with shear, which no rotation puts straight, stay as they are.
 */
function ownFrame({ dims, affine }: Grid): Affine {
  const size = voxelSizes(affine)
  const first = dims.map((n, axis) => -((n - 1) / 2) * size[axis]) as unknown as Vec3
  const frame = compose(translation(first), scaling(size), invert(affine))
  const [x, y, z] = [0, 1, 2].map((axis) => [frame[axis], frame[4 + axis], frame[8 + axis]])
  const dot = (u: number[], v: number[]) => Math.abs(u[0] * v[0] + u[1] * v[1] + u[2] * v[2])
  return Math.max(dot(x, y), dot(y, z), dot(z, x)) < 1e-3 ? frame : identity
}

/**
 * The affine to 1e-5 mm a voxel: what two ways of writing the same header differ by does not send a search down another
 * path to another optimum a tenth of a millimetre away.
 */
const settled = <T extends VoxelArray>(volume: Volume<T>): Volume<T> => ({
  ...volume,
  affine: volume.affine.map((value) => Math.round(value * 1e5) / 1e5),
})

/** The same voxels in a world that a map has moved. */
const moved = <T extends VoxelArray>(volume: Volume<T>, map: Affine): Volume<T> => ({
  ...volume,
  affine: compose(map, volume.affine),
})

/** No brain was found: nothing that a method could work on. */
export class NoBrain extends Error {
  override readonly name = 'NoBrain'
}

/** Whether at least 95 % of the brain's voxels are above 0. */
function mostlyPositive(image: Image, brain: Mask): boolean {
  let [inside, positive] = [0, 0]
  for (let i = 0; i < brain.data.length; i++)
    if (brain.data[i] !== 0) {
      inside++
      if (image.data[i] > 0) positive++
    }
  return positive >= 0.95 * inside
}

/** Room around the brain, in mm, so that neighbourhoods at its edge are complete. */
const margin = 6

const name = (modality: Modality): string => ({ flair: 'FLAIR', t1: 'T1', t2: 'T2', pd: 'PD', t1gd: 'T1+Gd' })[modality]

/** Moves smaller than this, in mm, are within what registration can tell: the headers are taken at their word. */
const alignedWithin = 0.5

/** The rigid map from FLAIR to the other contrast; identity when they were aligned before, which saves nothing but blur. */
async function alignedOrRegistered(
  flair: Image,
  moving: Image,
  seed: number,
  signal: AbortSignal,
  progress: (fraction: number) => void,
): Promise<Affine> {
  const { map } = await register(flair, moving, { dof: 6, seed, signal, progress })
  return largestMove(map, flair) < alignedWithin ? identity : map
}

/** How far a world map moves the farthest corner of the middle half of a grid, in mm. */
function largestMove(map: Affine, { dims, affine }: Grid): number {
  let most = 0
  for (let corner = 0; corner < 8; corner++) {
    const at = apply(affine, dims.map((n, axis) => (corner & (1 << axis) ? 0.75 : 0.25) * (n - 1)) as unknown as Vec3)
    const to = apply(map, at)
    most = Math.max(most, Math.hypot(to[0] - at[0], to[1] - at[1], to[2] - at[2]))
  }
  return most
}

/** The template without skull and scalp, for images that were stripped. */
function brainOnly({ t1, t1Brain }: Atlas): Image {
  return { ...t1, data: t1.data.map((value, i) => (t1Brain.data[i] !== 0 ? value : 0)) }
}

/** The method's grid over the block of the FLAIR's grid that holds the brain. */
function workingGrid(native: Grid, kind: PrepareOptions['grid']): Grid {
  if (kind === 'native') return native
  const size = voxelSizes(native.affine)
  const dims = native.dims.map((n, axis) => Math.max(1, Math.round(n * size[axis]))) as unknown as Vec3
  // The same block of space: the corners of the outer voxels, not their centres, stay where they are.
  const ratio = dims.map((n, axis) => native.dims[axis] / n) as unknown as Vec3
  const shift = ratio.map((r) => (r - 1) / 2) as unknown as Vec3
  return { dims, affine: compose(native.affine, translation(shift), scaling(ratio)) }
}

const onto = async (grid: Grid, mask: Mask): Promise<Mask> =>
  sameGrid(grid, mask) ? mask : await resampleMask(mask, grid, { method: 'linear' })

/** From the working grid to the FLAIR as it was given: resample if the grids differ, put the block back, turn the axes back. */
function wayBack(grid: Grid, block: Grid, box: Box, upright: Grid, turnBack: Reorientation): Preparation['toNative'] {
  const restore = <T extends VoxelArray>(volume: Volume<T>): Volume<T> =>
    reorient(uncrop(volume, box, upright), turnBack)
  const same = sameGrid(grid, block)
  return {
    mask: async (mask) => restore(same ? mask : await resampleMask(mask, block, { method: 'linear' })),
    image: async (image) => restore(same ? image : await resample(image, block, { method: 'linear' })),
  }
}
