import type { Affine } from '../../volume/affine.js'
import { fillHoles, largestComponent } from '../../volume/components.js'
import { resample } from '../../volume/resample.js'
import { emptyMask, type Grid, type Image, type Mask, maskWhere, sameGrid } from '../../volume/volume.js'
import type { Atlas } from '../atlas.js'
import { type BrainImages, findBrain, isStripped } from '../brain.js'
import { beast } from './beast.js'
import { bet } from './bet.js'
import { fillSurface } from './fill.js'
import { inFrame } from './frame.js'
import { type BrainContrast, brainModels } from './models.js'
import { robex } from './robex.js'

export type BrainMethod = 'surface' | 'bet' | 'beast' | 'robex'

export interface ExtractOptions {
  /** Default `surface`, the fastest. `auto` takes all four. */
  method?: BrainMethod | 'auto'
  signal?: AbortSignal
}

export interface ExtractedBrain {
  mask: Mask
  /** Mean Dice of all pairs of methods: low where they contradict each other. 1 where there was only one. */
  agreement: number
  /** Whether skull and scalp had been removed before. */
  stripped: boolean
  /** What a reader should know: what was not used and why. */
  said: string[]
  /** World mm of the images → world mm of the atlas, corrected where the surface was looked for. */
  toAtlas: Affine
}

/**
 * The brain by one method or, `auto`, by all of them: the surface's mask, changed where all the others that are of use
 * agree against it. Images that are stripped already are left to the surface, which keeps what their cut left.
 *
 * @param toAtlas world mm of the images → world mm of the atlas
 * @throws RangeError when there is no image
 */
export async function extract(
  images: BrainImages,
  atlas: Pick<Atlas, 'brain' | 'ventricles'>,
  toAtlas: Affine,
  { method = 'surface', signal }: ExtractOptions = {},
): Promise<ExtractedBrain> {
  const given = [images.flair, images.t1].filter((image) => image !== undefined)
  if (given.length === 0) throw new RangeError('extract needs a FLAIR or a T1 image.')
  const stripped = given.some(isStripped)
  if (stripped) {
    const said = ['Skull and scalp were removed before: the region that is left was kept.']
    // The surface of a stripped image is where somebody cut: it says nothing about the brain's size.
    return { mask: (await findBrain(images, atlas, toAtlas)).mask, agreement: 1, stripped, said, toAtlas }
  }
  if (method === 'surface') return { ...(await findBrain(images, atlas, toAtlas)), agreement: 1, stripped, said: [] }
  if (method !== 'auto') {
    const mask = await byMethod(method, images, atlas, toAtlas, signal)
    return { mask, agreement: 1, stripped, said: [], toAtlas }
  }
  const first = await findBrain(images, atlas, toAtlas)
  const masks = [first.mask]
  const said: string[] = []
  for (const name of ['bet', 'beast', 'robex'] as const) {
    signal?.throwIfAborted()
    masks.push(await byMethod(name, images, atlas, first.toAtlas, signal))
  }
  const used = masks.slice(1).filter((mask, n) => {
    const same = overlap(mask, first.mask)
    if (same < leastOverlap) said.push(`${names[n]} was left out: it overlaps the others by ${same.toFixed(2)} only.`)
    return same >= leastOverlap
  })
  if (used.length < 2) return { ...first, agreement: meanOverlap(masks), stripped, said }
  const mask = emptyMask(first.mask)
  for (let i = 0; i < mask.data.length; i++) {
    const own = first.mask.data[i]
    mask.data[i] = used.every(({ data }) => data[i] !== own) ? 1 - own : own
  }
  return { ...first, mask: fillHoles(largestComponent(mask, 6)), agreement: meanOverlap(masks), stripped, said }
}

const names = ['BET', 'BEaST', 'ROBEX']
/** A mask that overlaps the surface's by less has failed. */
const leastOverlap = 0.85

async function byMethod(
  method: Exclude<BrainMethod, 'surface'>,
  images: BrainImages,
  atlas: Pick<Atlas, 'brain' | 'ventricles'>,
  toAtlas: Affine,
  signal?: AbortSignal,
): Promise<Mask> {
  const grid: Grid = (images.flair ?? images.t1)!
  // T1 is what BET and BEaST were made for
  const guide: Image = (images.t1 ?? images.flair)!
  if (method === 'bet') {
    const { surface, mask } = bet(guide, { signal })
    if (sameGrid(mask, grid)) return mask
    return fillSurface(surface, grid)
  }
  if (method === 'beast') {
    const contrast: BrainContrast = images.t1 ? 't1' : 'flair'
    const { library } = await brainModels(contrast)
    const { mask } = await beast(await inFrame(guide, atlas.brain, toAtlas), library, { signal })
    const share = await resample(mask, grid, { map: toAtlas, method: 'linear' })
    return maskWhere(share, (v) => v >= 0.5)
  }
  const seen: Parameters<typeof robex>[0][number][] = []
  for (const contrast of ['t1', 'flair'] as const) {
    const image = images[contrast]
    if (image === undefined) continue
    seen.push({ image: await inFrame(image, atlas.brain, toAtlas), model: (await brainModels(contrast)).robex })
  }
  return (await robex(seen, grid, toAtlas, { signal })).mask
}

function overlap(a: Mask, b: Mask): number {
  let [both, sum] = [0, 0]
  for (let i = 0; i < a.data.length; i++) {
    both += a.data[i] & b.data[i]
    sum += a.data[i] + b.data[i]
  }
  return sum > 0 ? (2 * both) / sum : 1
}

function meanOverlap(masks: readonly Mask[]): number {
  let [sum, n] = [0, 0]
  for (let a = 0; a < masks.length; a++) for (let b = 0; b < a; b++, n++) sum += overlap(masks[a], masks[b])
  return n > 0 ? sum / n : 1
}
