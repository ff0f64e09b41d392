import { InputError, type LesionwiseError } from '../errors.js'
import { readImage, readMask } from '../run/inputs.js'
import type { Modality } from '../volume/study.js'
import { type Image, type Mask, sameGrid } from '../volume/volume.js'
import type { Case } from './case-list.js'

/** A case whose files have been read: what its runs are made from and scored against. */
export interface JudgedCase extends Case {
  /** sha256 of the image files by their role. */
  sha256: Partial<Record<Modality, string>>
  references: { mask: Mask; sha256: string }[]
  /** Why nothing can be run or scored here. */
  fault?: LesionwiseError
}

/**
 * Reads a case's files. What is wrong with them is kept as its fault, so that the other cases go on; a reference mask
 * that lies on the FLAIR up to a tenth of a millimetre is on the FLAIR's grid.
 *
 * @param used the contrasts that some method looks at: the others may be whatever they are
 */
export async function judge(one: Case, used: readonly Modality[]): Promise<JudgedCase> {
  const judged: JudgedCase = { ...one, sha256: {}, references: [], ...(one.problem ? { fault: one.problem } : {}) }
  if (judged.fault) return judged
  try {
    let flair: Image | undefined
    for (const modality of used) {
      const path = one.images[modality]
      if (path === undefined) continue
      const { image, sha256 } = await readImage(path, modality)
      judged.sha256[modality] = sha256
      if (modality === 'flair') flair = image
    }
    for (const path of one.masks) {
      const { image, sha256 } = await readMask(path, 'reference mask')
      if (flair && !sameGrid(image, flair, 0.1))
        throw new InputError(
          path,
          `the reference mask has ${image.dims.join('×')} voxels or another place than its FLAIR (${flair.dims.join('×')})`,
          'give the mask on the grid of the FLAIR',
        )
      judged.references.push({ mask: flair ? { ...image, affine: flair.affine } : image, sha256 })
    }
  } catch (error) {
    if (!(error instanceof InputError)) throw error
    judged.fault = error
  }
  return judged
}
