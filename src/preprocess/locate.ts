import { type Affine, apply, compose, identity, invert, type Vec3 } from '../volume/affine.js'
import { inverseReorientation, type Reorientation, reorient, towardsRas } from '../volume/orient.js'
import { resample, resampleMask } from '../volume/resample.js'
import { type Modality, modalities, type Study } from '../volume/study.js'
import { type Grid, gridOf, type Image, type Mask, volumeMl } from '../volume/volume.js'
import { type Atlas, loadAtlas } from './atlas.js'
import { extract } from './brain/auto.js'
import { headMask } from './brain/head.js'
import { isStripped } from './brain.js'
import { contrastName, type Preparing } from './context.js'
import { denoised, denoiseWeight } from './denoised.js'
import { moved, ownFrame, settled } from './frame.js'
import type { Recipe } from './recipe.js'
import { register, registrationCheck, trustworthy } from './register.js'
import type { Kept } from './store.js'

/**
 * Where everything of one visit is. All maps and images are in the anchor's own frame: its axes along RAS, its centre at
 * the origin, in mm (see `ownFrame`).
 */
export interface Located {
  /** The contrast that the others are aligned to: FLAIR, or T1 where there is none. */
  anchor: Modality
  /** Header RAS mm → own frame. */
  frame: Affine
  /** Of each image: its grid with axes towards RAS in the world of its header, and the way back to its file's axes. */
  natives: Partial<Record<Modality, { grid: Grid; turnBack: Reorientation }>>
  /** The images that can be used, in their own voxels with axes towards RAS, denoised where that was asked for. */
  images: Partial<Record<Modality, Image>>
  /** The same as they were given. */
  given: Partial<Record<Modality, Image>>
  /** Anchor → each image, in the own frame; the identity for the anchor. */
  maps: Partial<Record<Modality, Affine>>
  /** Own frame → MNI152 RAS mm. */
  toAtlas: Affine
  /** On the anchor's grid. */
  brain: Mask
  atlas: Atlas
  /** The keys of the steps that this hangs on. */
  keys: { images: Partial<Record<Modality, string>>; brain: string; toAtlas: string }
}

/** Weights of the stages, about their seconds. */
export const locateWeight = (others: number, { denoise }: Recipe): number =>
  2 + 4 * others + 6 + 4 + (denoise === 'none' ? 0 : denoiseWeight * (1 + others))

/**
 * Finds out where everything is: turn axes towards RAS+ → denoise → align the other contrasts to the anchor → find the atlas affine →
 * brain, whose surface corrects the affine. Nothing is interpolated yet.
 *
 * @param brainMask a brain mask to use instead of our own, on any grid of the anchor's space
 */
export async function locate(study: Study, work: Preparing, brainMask?: Mask): Promise<Located> {
  const { recipe, stages, steps, seed } = work
  const anchor = anchorOf(study)
  const turn = (image: Image) => reorient(image, towardsRas(image.affine))
  const frame = ownFrame(turn(study[anchor]!))
  const natives: Located['natives'] = {}
  const given: Located['given'] = {}
  const sources: Partial<Record<Modality, string>> = {}
  const upright = async (modality: Modality): Promise<Image> => {
    const image = study[modality]!
    const turned = turn(image)
    natives[modality] = { grid: gridOf(turned), turnBack: inverseReorientation(towardsRas(image.affine)) }
    const straight = settled(moved(turned, frame))
    given[modality] = straight
    const { image: clean, key } = await denoised(straight, modality, work)
    sources[modality] = key
    return clean
  }
  const first = await upright(anchor)
  const atlas = await stages.run('Loading the atlas', 2, loadAtlas)

  const images: Partial<Record<Modality, Image>> = { [anchor]: first }
  const maps: Partial<Record<Modality, Affine>> = { [anchor]: identity }
  const keys: Partial<Record<Modality, string>> = { [anchor]: sources[anchor]! }
  for (const modality of modalities) {
    if (modality === anchor || !study[modality]) continue
    const moving = await upright(modality)
    const { value, key } = await align(first, moving, anchor, modality, frame, work, [
      sources[anchor]!,
      sources[modality]!,
    ])
    if (!trustworthy(value.trust)) {
      work.flag({
        code: 'registration-check-failed',
        severity: 'serious',
        message: `${contrastName(modality)} and ${contrastName(anchor)} do not fit each other (check ${value.trust.toFixed(2)}): the registration failed, or they show different people; ${contrastName(modality)} is not used.`,
        values: {
          image: contrastName(modality),
          anchor: contrastName(anchor),
          check: Number(value.trust.toFixed(2)),
        },
      })
      continue
    }
    images[modality] = moving
    maps[modality] = value.map
    keys[modality] = key
  }

  // The T1 template is closest to a T1; where there is none the FLAIR has to do.
  const guide = images.t1 ? 't1' : anchor
  const stripped = isStripped(images[guide]!)
  const toAtlasOfGuide = await stages.run('Finding the atlas', 6, (progress) =>
    steps.run(
      {
        name: 'atlas-affine',
        version: 3,
        params: { guide, dof: 12, stripped, seed },
        inputs: [sources[anchor]!, sources[guide]!],
      },
      async () => {
        const template = stripped ? brainOnly(atlas) : atlas.t1
        const { map } = await register(images[guide]!, template, { dof: 12, seed, signal: stages.signal, progress })
        return { map, trust: await registrationCheck(images[guide]!, template, map) }
      },
      ({ map, trust }) => ({ map: compose(map, frame), trust }),
    ),
  )
  if (toAtlasOfGuide.value.trust < leastLikeAtlas)
    work.flag({
      code: 'not-like-a-head',
      severity: 'serious',
      message: `${contrastName(guide)} does not look like a head in the atlas's place (check ${toAtlasOfGuide.value.trust.toFixed(2)}): it may show another part of the body, or its header may be wrong; brain, tissue and lesions cannot be relied on.`,
      values: { image: contrastName(guide), check: Number(toAtlasOfGuide.value.trust.toFixed(2)) },
    })
  const start = compose(toAtlasOfGuide.value.map, maps[guide]!)

  const brain = await brainOf({ first, images, maps, frame, start, atlas, brainMask, anchor }, work, [
    toAtlasOfGuide.key,
    ...Object.values(keys),
  ])
  if (brain.value.agreement < leastAgreement)
    work.flag({
      code: 'brain-masks-disagree',
      severity: 'warning',
      message: `The ways to find the brain disagree (mean Dice ${brain.value.agreement.toFixed(2)}${brain.value.said && `; ${brain.value.said}`}): look at the edge of the mask.`,
      values: { dice: Number(brain.value.agreement.toFixed(2)) },
    })
  const ml = recipe.brain === 'none' ? 0 : volumeMl(brain.value.mask)
  if (ml > 0 && (ml < leastBrainMl || ml > mostBrainMl))
    work.flag({
      code: 'implausible-brain-volume',
      severity: 'serious',
      message: `The brain measures ${Math.round(ml)} ml, which no whole brain does: the scan shows a part of it, the voxel sizes in the header are wrong, or it was not found.`,
      values: { ml: Math.round(ml) },
    })
  return {
    anchor,
    frame,
    natives,
    images,
    given,
    maps,
    toAtlas: brain.value.toAtlas,
    brain: brain.value.mask,
    atlas,
    keys: { images: keys, brain: brain.key, toAtlas: toAtlasOfGuide.key },
  }
}

/** FLAIR where there is one, else T1. The callers have seen to it that one of them is there. */
export const anchorOf = (study: Study): Modality => (study.flair ? 'flair' : 't1')

/**
 * Registration check with the atlas below which an image is not taken for a head. Right ones of four centres, heads and
 * stripped brains: 0.058–0.142; legs, spines, balls, noise: at most 0.031.
 */
const leastLikeAtlas = 0.045

/** Mean Dice of all pairs of methods below which `auto` says so. Heads whose masks were right: 0.90 and more. */
const leastAgreement = 0.85

/** Whole brains of adults and children, with the fluid around them, in ml. All scans of five centres: 1041–1971. */
const [leastBrainMl, mostBrainMl] = [700, 2400]

/** Moves smaller than this, in mm, are within what registration can tell: the headers are taken at their word. */
export const alignedWithin = 0.5

/** The rigid map from the anchor to another contrast; identity when they were aligned before, which saves nothing but blur. */
async function align(
  fixed: Image,
  moving: Image,
  anchor: Modality,
  modality: Modality,
  frame: Affine,
  { recipe, stages, steps, seed }: Preparing,
  inputs: readonly string[],
): Promise<Kept<{ map: Affine; trust: number }>> {
  const wanted = recipe.register !== 'none'
  return await stages.run(`Aligning ${contrastName(modality)} to ${contrastName(anchor)}`, 4, (progress) =>
    steps.run(
      {
        name: `align-${modality}`,
        version: 5,
        params: { register: wanted, dof: 6, seed },
        inputs,
      },
      async () => {
        let map: Affine = identity
        if (wanted) {
          const found = await register(fixed, moving, { dof: 6, seed, signal: stages.signal, progress })
          if (largestMove(found.map, fixed) >= alignedWithin) map = found.map
        }
        return { map, trust: await registrationCheck(fixed, moving, map) }
      },
      ({ map, trust }) => ({ map: compose(invert(frame), map, frame), trust }),
    ),
  )
}

/** How far a world map moves the farthest corner of the middle half of a grid, in mm. */
export function largestMove(map: Affine, { dims, affine }: Grid): number {
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

async function brainOf(
  found: Pick<Located, 'images' | 'maps' | 'frame' | 'atlas' | 'anchor'> & {
    first: Image
    start: Affine
    brainMask: Mask | undefined
  },
  { recipe, stages, steps, keyOf }: Preparing,
  inputs: readonly string[],
): Promise<Kept<{ mask: Mask; toAtlas: Affine; agreement: number; said: string }>> {
  const { first, images, maps, frame, start, atlas, brainMask, anchor } = found
  return await stages.run('Finding the brain', 4, () =>
    steps.run(
      {
        name: 'brain',
        version: 5,
        params: { given: brainMask !== undefined, way: recipe.brain },
        inputs: [keyOf(anchor), keyOf('brain'), ...inputs],
      },
      async () => {
        if (brainMask) {
          const mask = await resampleMask(settled(moved(brainMask, frame)), first, { method: 'nearest' })
          return { mask, toAtlas: start, agreement: 1, said: '' }
        }
        const onAnchor = async (modality: 'flair' | 't1') =>
          modality === anchor
            ? first
            : images[modality] && (await resample(images[modality], first, { map: maps[modality] }))
        if (recipe.brain === 'none') return { mask: headMask(first), toAtlas: start, agreement: 1, said: '' }
        const both = { flair: await onAnchor('flair'), t1: await onAnchor('t1') }
        const { mask, toAtlas, agreement, said } = await extract(both, atlas, start, {
          method: recipe.brain,
          signal: stages.signal,
        })
        return { mask, toAtlas, agreement, said: said.join(' ') }
      },
      ({ toAtlas, agreement, said }) => ({ toAtlas: compose(toAtlas, frame), agreement, said }),
    ),
  )
}
