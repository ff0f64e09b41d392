import type { Flag } from '../errors.js'
import type { PreparedStudy, Study } from '../volume/study.js'
import type { Image, Mask } from '../volume/volume.js'
import { type PreparingOptions, preparing } from './context.js'
import { locate, locateWeight } from './locate.js'
import { place, placeWeight } from './place.js'
import { type Recipe, usual } from './recipe.js'
import { brainBlock, type WayBack, wayBack, worldToAtlas } from './space.js'

export interface PrepareOptions extends PreparingOptions {
  /** Working grid of the method: the FLAIR's own voxels, or 1 mm isotropic. */
  grid: 'native' | 'isotropic-1mm'
  /** A brain mask to use instead of our own, on any grid of the FLAIR's space. */
  brainMask?: Mask
  onFlag(flag: Flag): void
}

/** A prepared study, and the way of its maps back to the grid of the FLAIR as it was given. */
export interface Preparation {
  study: PreparedStudy
  toNative: WayBack
}

/** The weights of `prepare`'s stages, about their seconds: what `Stages` needs to know beforehand. */
export const prepareWeight = (others: number, recipe: Recipe = usual): number =>
  locateWeight(others, recipe) + placeWeight(1 + others)

/**
 * Brings a study's images onto one grid, ready for a method. The recipe: find out where everything is (`locate`), take
 * the block that holds the brain, bring all images there (`place`).
 *
 * @param study images of one visit; `flair` must be there
 * @throws NoBrain when there is no brain to be found
 */
export async function prepare(study: Study & { flair: Image }, options: PrepareOptions): Promise<Preparation> {
  const work = preparing(options)
  const located = await locate(study, work, options.brainMask)
  const block = brainBlock(located, options.grid)
  if (!block) throw new NoBrain()
  const { images, brain, tissue, atlas } = await place(located, block, work)
  if (!tissue) throw new RangeError('prepare: methods need tissue classes.')
  return {
    study: {
      grid: block.world,
      images,
      brain,
      tissue,
      atlas,
      toAtlas: worldToAtlas(block, located),
      flags: work.flags,
      records: work.steps.records,
    },
    toNative: wayBack(block, located),
  }
}

/** No brain was found: nothing that a method could work on. */
export class NoBrain extends Error {
  override readonly name = 'NoBrain'
}
