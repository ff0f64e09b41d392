import { InputError } from '../errors.js'
import { readNifti } from '../formats/nifti.js'
import { replaceVoxels } from '../formats/nifti-patch.js'
import { preparing } from '../preprocess/context.js'
import { type FacePlane, facePlane, faceVoxels } from '../preprocess/deface.js'
import { locate, locateWeight } from '../preprocess/locate.js'
import { usual } from '../preprocess/recipe.js'
import { Stages } from '../preprocess/stages.js'
import { compose } from '../volume/affine.js'
import type { Modality, Study } from '../volume/study.js'
import { countVoxels, type Image } from '../volume/volume.js'
import type { Progress } from './options.js'

/** An image file of a visit. */
export interface VisitImage {
  modality: Modality
  nifti: Uint8Array
}

/**
 * Cuts the face off the images of one visit, which lie to each other as their headers say: voxels in front of and below the
 * brain become 0, all others stay bit for bit. The brain is found in FLAIR and T1.
 *
 * @param source what the visit is called in messages
 * @throws InputError when the visit has neither, or its brain cannot be found for sure: an image that is only said to be
 * without a face would be worse than none
 */
export async function defaced(
  images: readonly VisitImage[],
  source: string,
  options: { signal?: AbortSignal; seed?: number; onProgress?(event: Progress): void } = {},
): Promise<Uint8Array[]> {
  const read: Image[] = []
  for (const { nifti, modality } of images) read.push((await readNifti(nifti, `${source}, ${modality}`)).image)
  const study: Study = {}
  for (const [n, { modality }] of images.entries())
    if (modality === 'flair' || modality === 't1') study[modality] ??= read[n]
  if (!study.flair && !study.t1)
    throw new InputError(source, 'has neither FLAIR nor T1 to find the face by', 'import it without --deface')
  const plane = await planeOf(study, source, options)
  return await Promise.all(
    images.map(async ({ nifti, modality }, n) => {
      const face = faceVoxels(read[n], plane)
      return await replaceVoxels(nifti, `${source}, ${modality}`, face, new Uint8Array(face.length))
    }),
  )
}

async function planeOf(
  study: Study,
  source: string,
  { signal = new AbortController().signal, seed = 1, onProgress }: Parameters<typeof defaced>[2] & object,
): Promise<FacePlane> {
  const stages = new Stages(locateWeight(study.flair && study.t1 ? 1 : 0, usual), signal, (event) =>
    onProgress?.({ ...event, stage: 'Finding the face' }),
  )
  const doubts: string[] = []
  const work = preparing({
    recipe: usual,
    stages,
    seed,
    onFlag: ({ code, severity, message }) => {
      if (severity === 'serious' && code !== 'registration-check-failed') doubts.push(message)
    },
  })
  const { brain, toAtlas, frame } = await locate(study, work)
  if (countVoxels(brain) === 0) doubts.push('No brain was found.')
  if (doubts.length > 0)
    throw new InputError(source, `the face cannot be found for sure: ${doubts[0]}`, 'import it without --deface')
  // The mask lies in the frame of `locate`, the files in that of their headers.
  return { ...facePlane(brain, toAtlas), toAtlas: compose(toAtlas, frame) }
}
