import type { Affine } from '../volume/affine.js'
import { fillHoles, largestComponent } from '../volume/components.js'
import { resampleMask } from '../volume/resample.js'
import { countVoxels, emptyMask, gridOf, type Image, type Mask, sameGrid } from '../volume/volume.js'
import type { Atlas } from './atlas.js'
import type { EdgeImage } from './brain/evidence.js'
import { brainSurface, type SurfaceOptions } from './brain/search.js'
import { type StrippedFigures, strippedFigures } from './brain/stripped.js'

export { isStripped, type StrippedFigures, strippedFigures } from './brain/stripped.js'

/** Images of one head in one space; the mask comes out on the grid of the FLAIR, or of the T1 where there is none. */
export interface BrainImages {
  flair?: Image
  t1?: Image
}

export interface BrainOptions extends SurfaceOptions {
  /** Whether skull and scalp were removed before; found out for each image where it is not given. */
  stripped?: boolean
}

export interface FoundBrain {
  mask: Mask
  /**
   * World mm of the images → world mm of the atlas: the given map, with place, size and turn corrected where the brain's
   * surface showed that they were off.
   */
  toAtlas: Affine
}

/**
 * The brain: parenchyma, ventricles and the fluid in the sulci, without dura, skull, scalp and eyes.
 *
 * Whole heads: the surface of the atlas's brain, moved to where the images have their edge (see `brainSurface`).
 * Stripped images: the region that is left, tidied, with the rim cut off where the cut was made around the brain and
 * not along it.
 *
 * @param toAtlas world mm of the images → world mm of the atlas, as a registration found it
 * @throws RangeError when there is no image at all
 */
export async function findBrain(
  images: BrainImages,
  atlas: Pick<Atlas, 'brain' | 'ventricles'>,
  toAtlas: Affine,
  options: BrainOptions = {},
): Promise<FoundBrain> {
  const grid = images.flair ?? images.t1
  if (grid === undefined) throw new RangeError('findBrain needs a FLAIR or a T1 image.')
  const edges: EdgeImage[] = []
  if (images.flair) edges.push({ image: images.flair, grey: 1, bright: 2 })
  if (images.t1) edges.push({ image: images.t1, grey: 0.78, bright: 1.5 })

  const seen = edges.map(({ image }) => ({ image, figures: strippedFigures(image) }))
  const cut = options.stripped === false ? [] : seen.filter(({ figures }) => options.stripped ?? figures.stripped)
  // Whoever stripped it saw more than a threshold does: only what is well outside is taken away. On heads the fluid of the
  // sulci is wanted: 1 mm would fit tight outlines drawn by hand better, 2 mm the ICBM152 outline of the simulated heads.
  const margin = options.margin ?? (cut.length > 0 ? 3 : 1.25)
  const found = await brainSurface(edges, atlas.brain, atlas.ventricles, toAtlas, grid, { ...options, margin })
  const surface = emptyMask(grid)
  for (let i = 0; i < surface.data.length; i++) surface.data[i] = found.distance.data[i] < 0 ? 1 : 0
  if (cut.length === 0) return { mask: tidy(surface), toAtlas: found.toAtlas }

  let region: Mask | undefined
  for (const { image, figures } of cut) {
    const left = leftRegion(image, figures)
    const onGrid = sameGrid(left, grid) ? left : await resampleMask(left, grid, { method: 'nearest' })
    region = region === undefined ? onGrid : common(region, onGrid)
  }
  return { mask: tidy(common(region!, surface)), toAtlas: found.toAtlas }
}

/** The mask of `findBrain`. */
export const extractBrain = async (...args: Parameters<typeof findBrain>): Promise<Mask> =>
  (await findBrain(...args)).mask

/** What a stripped image still shows: everything but its background, without specks, holes filled. */
function leftRegion(image: Image, { background }: StrippedFigures): Mask {
  const mask = emptyMask(image)
  for (let i = 0; i < mask.data.length; i++)
    mask.data[i] = Number.isFinite(image.data[i]) && image.data[i] !== background ? 1 : 0
  return fillHoles(largestComponent(mask, 6))
}

/** Both masks' region; the first one's where they have little in common (another coverage, a failed cut). */
function common(a: Mask, b: Mask): Mask {
  const both: Mask = { ...gridOf(a), data: a.data.map((v, i) => v & b.data[i]) }
  return countVoxels(both) >= 0.6 * countVoxels(a) ? both : a
}

const tidy = (mask: Mask): Mask => fillHoles(largestComponent(mask, 6))
