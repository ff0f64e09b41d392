import { lesionF1 } from '../evaluate/lesionwise.js'
import { overlap } from '../evaluate/overlap.js'
import { readNiftiMask } from '../formats/nifti.js'
import { type Mask, volumeMl } from '../volume/volume.js'
import type { Corrections } from './corrections.js'
import type { OpenedCase } from './opened.js'

export interface RaterComparison {
  /** The result itself, and each rater's latest version. */
  masks: { id: string; rater: string; volumeMl: number }[]
  pairs: {
    a: string
    b: string
    dice: number | null
    lesionF1: number | null
    /** Volume of b less that of a, ml. */
    differenceMl: number
  }[]
}

/** How far raters, and the result that they corrected, agree. */
export async function compareRaters(one: OpenedCase, corrections: Corrections, native: Mask): Promise<RaterComparison> {
  const latest = new Map((await corrections.versions()).map((version) => [version.rater, version]))
  const masks: { id: string; rater: string; mask: Mask }[] = []
  const add = async (id: string, rater: string, bytes: Uint8Array | undefined) => {
    if (bytes) masks.push({ id, rater, mask: { ...(await readNiftiMask(bytes, id)), affine: native.affine } })
  }
  await add('base', 'result', await one.files.bytes('lesion_mask.nii.gz'))
  for (const { id, rater } of latest.values()) await add(id, rater, await corrections.mask(id))
  const defined = (value: number) => (Number.isNaN(value) ? null : value)
  return {
    masks: masks.map(({ id, rater, mask }) => ({ id, rater, volumeMl: volumeMl(mask) })),
    pairs: masks.flatMap((a, i) =>
      masks.slice(i + 1).map((b) => ({
        a: a.id,
        b: b.id,
        dice: defined(overlap(a.mask, b.mask).dice),
        lesionF1: defined(lesionF1(a.mask, b.mask).f1),
        differenceMl: volumeMl(b.mask) - volumeMl(a.mask),
      })),
    ),
  }
}
