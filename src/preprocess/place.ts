import { UsageError } from '../errors.js'
import { compose, isIdentityMap } from '../volume/affine.js'
import { type Box, crop } from '../volume/crop.js'
import { resample, resampleMask } from '../volume/resample.js'
import type { AtlasMaps, Modality, TissueMaps } from '../volume/study.js'
import { type Image, type Mask, sameGrid, type Volume, type VoxelArray } from '../volume/volume.js'
import { atlasOnGrid } from './atlas.js'
import { n3, n4 } from './bias.js'
import { contrastName, type Preparing } from './context.js'
import type { Located } from './locate.js'
import { normalise } from './normalise.js'
import type { Space } from './space.js'
import type { Kept } from './store.js'
import { tissueClasses } from './tissue.js'

/** A visit's images on one grid, in the space's world. */
export interface Placed {
  images: Partial<Record<Modality, Image>>
  /** Natural logarithm of the bias field that was taken out, where one was. */
  fields: Partial<Record<Modality, Image>>
  brain: Mask
  tissue?: TissueMaps
  atlas: AtlasMaps
}

export const placeWeight = (contrasts: number): number => 3 * contrasts + 5

/**
 * Brings a located visit onto one grid: every image by one interpolation from its own voxels → bias field → intensities →
 * atlas maps → tissue classes.
 *
 * @param space its `box`, where there is one, is the block of the anchor's voxels that it is: those are copied, not resampled
 * @param brain on the space's grid, instead of the visit's own
 */
export async function place(
  located: Located,
  space: Space & { box?: Box },
  work: Preparing,
  { brain: given }: { brain?: Mask } = {},
): Promise<Placed> {
  const { recipe, stages, steps } = work
  const { anchor, images: sources, maps, keys } = located
  const { grid, world, toAnchor } = space
  const where = JSON.stringify([grid, toAnchor])
  const brain = given ?? (await brainIn(located, space))

  const images: Partial<Record<Modality, Image>> = {}
  const fields: Partial<Record<Modality, Image>> = {}
  const placedKeys: Partial<Record<Modality, string>> = {}
  for (const modality of Object.keys(sources) as Modality[]) {
    const name = contrastName(modality)
    const { value, key } = await stages.run(`Correcting the bias field of ${name}`, 3, () =>
      steps.run(
        {
          name: `correct-${modality}`,
          version: 5,
          params: { bias: recipe.bias, space: space.name, dims: grid.dims },
          inputs: [keys.images[modality]!, keys.brain, where, given ? 'union' : 'own'],
        },
        async (): Promise<{ image: Image; field?: Image }> => {
          const map = compose(maps[modality]!, toAnchor)
          const source = sources[modality]!
          // Voxels that lie where they are wanted are taken as they are.
          const block = space.box && sameGrid(source, sources[anchor]!) ? crop(source, space.box) : source
          const image =
            isIdentityMap(map) && sameGrid(grid, block)
              ? block
              : await resample(source, grid, { map, method: 'cubic', antialias: true })
          // A z-scored image has no field to take logarithms of: it was normalised before, and is left as it is.
          if (recipe.bias === 'none' || !mostlyPositive(image, brain)) return { image }
          const correct = recipe.bias.startsWith('n3') ? n3 : n4
          const lesionAware = recipe.bias.endsWith('-lesions')
          const { corrected, logField } = await correct(image, brain, { lesionAware, signal: stages.signal })
          return { image: corrected, field: logField }
        },
      ),
    )
    images[modality] = value.image
    if (value.field) fields[modality] = value.field
    placedKeys[modality] = key
  }

  const atlas = await atlasOnGrid(located.atlas, grid, compose(located.toAtlas, toAnchor))
  const tissue = recipe.tissue === 'none' ? undefined : await classify(images, brain, atlas, placedKeys, located, work)
  // Tissue is told apart before: its classes take intensities as the scanner gave them.
  for (const modality of Object.keys(images) as Modality[])
    if (recipe.normalise !== 'none') images[modality] = scaled(images[modality]!, modality, brain, work)
  const named = <T extends VoxelArray>(volume: Volume<T>): Volume<T> => ({ ...volume, affine: world.affine })
  const all = <T extends object>(volumes: T): T =>
    Object.fromEntries(Object.entries(volumes).map(([name, volume]) => [name, named(volume as Volume)])) as T
  return {
    images: all(images),
    fields: all(fields),
    brain: named(brain),
    ...(tissue ? { tissue: all(tissue.value) } : {}),
    atlas: all(atlas),
  }
}

function scaled(image: Image, modality: Modality, brain: Mask, { recipe, scales, flag, steps }: Preparing): Image {
  if (recipe.normalise === 'none') return image
  const nyul = scales?.[modality]
  if (recipe.normalise === 'nyul' && !nyul)
    throw new UsageError(
      `the scale that was given has none for ${contrastName(modality)}; train one with it, or leave it out`,
    )
  const { image: out, figures, said } = normalise(image, modality, brain, { method: recipe.normalise, nyul })
  for (const message of said)
    flag({ code: 'normalisation-fell-back', severity: 'warning', message: `${contrastName(modality)}: ${message}` })
  steps.note({ step: `normalise-${modality}`, version: 1, params: { method: recipe.normalise }, result: figures })
  return out
}

async function classify(
  images: Partial<Record<Modality, Image>>,
  brain: Mask,
  atlas: AtlasMaps,
  keys: Partial<Record<Modality, string>>,
  located: Located,
  { stages, steps }: Preparing,
): Promise<Kept<{ csf: Image; gm: Image; wm: Image }>> {
  return await stages.run('Classifying tissue', 5, () =>
    steps.run(
      {
        name: 'tissue',
        version: 3,
        params: {},
        inputs: [located.keys.brain, located.keys.toAtlas, keys.flair ?? '', keys.t1 ?? ''],
      },
      async () => {
        const { csf, gm, wm } = await tissueClasses({ flair: images.flair, t1: images.t1 }, brain, atlas)
        return { csf, gm, wm }
      },
    ),
  )
}

/** The visit's brain mask on a space's grid. */
export async function brainIn({ brain }: Located, space: Space & { box?: Box }): Promise<Mask> {
  const own = space.box ? crop(brain, space.box) : brain
  if (isIdentityMap(space.toAnchor) && sameGrid(space.grid, own)) return own
  return await resampleMask(own, space.grid, { map: space.toAnchor, method: 'linear' })
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
