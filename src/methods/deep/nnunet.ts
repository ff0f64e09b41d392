import { z } from 'zod'
import { MethodError, UsageError } from '../../errors.js'
import { loadNnunet } from '../../network/nnunet/card.js'
import { nnunetImage } from '../../network/nnunet/crop.js'
import { applyPostprocessing } from '../../network/nnunet/postprocess.js'
import { segmentNnunet } from '../../network/nnunet/predict.js'
import type { Vec3 } from '../../volume/affine.js'
import { inverseReorientation, type Reorientation, reorient } from '../../volume/orient.js'
import { type Modality, modalities } from '../../volume/study.js'
import { type Image, maskWhere, type Volume, type VoxelArray } from '../../volume/volume.js'
import { defineMethod } from '../define.js'

/**
 * A trained nnU-Net v2 of the user's: its own cropping, normalisation and resampling, windows with Gaussian weights,
 * mirror images and folds averaged.
 *
 * Source: Isensee et al. 2021 (the residual encoders: Isensee et al. 2024). The images come as the scanner gave them,
 * other contrasts brought onto the FLAIR's grid; nothing else is done to them.
 * Known weaknesses: a network knows the orientation, the contrasts and the skull (there or stripped) of its training, and
 * is silently worse on others; the parameters say what these were.
 */
export const nnunet = defineMethod({
  id: 'nnunet',
  title: 'nnU-Net v2, trained by you',
  describe:
    "Runs a trained nnU-Net v2 as nnU-Net does: the plans' cropping, normalisation and resampling, overlapping windows with Gaussian weights, mirror images and folds averaged. It needs a model: `lesionwise import-model` makes one from nnU-Net's result folder, `lesionwise train --preset nnunet` from labelled scans. Bias fields are left in, as in its training.",
  use: {
    for: 'Models that nnU-Net trained, brought over by import-model, or trained here by --preset nnunet.',
    not: 'Not for images prepared otherwise than those it was trained on.',
  },
  citation: {
    text: 'Isensee F, Jaeger PF, Kohl SAA, Petersen J, Maier-Hein KH. nnU-Net: a self-configuring method for deep learning-based biomedical image segmentation. Nature Methods 2021;18:203–211.',
    doi: '10.1038/s41592-020-01008-z',
  },
  supervision: 'supervised',
  strategy: 'deep',
  handling: '3d',
  modalities: ['T1-w', 'T2-FLAIR'],
  classifier: 'convolutional neural network',
  needs: {
    contrasts: [['flair', 't1', 't2', 'pd', 't1gd'], ['flair']],
    grid: 'native',
    bias: 'none',
    model: true,
  },
  params: z.object({
    model: z
      .string({
        error:
          'it needs a model: `lesionwise import-model --from NNUNET_FOLDER --out DIR` or `lesionwise train --preset nnunet`, then --model DIR',
      })
      .min(1)
      .describe('folder that `lesionwise import-model` or `lesionwise train` wrote'),
    channels: z
      .string()
      .default('auto')
      .describe("contrasts of the network's channels in order, such as flair,t1; auto: by the names in dataset.json"),
    lesion: z.number().int().min(1).max(255).default(1).describe('label of dataset.json that is the lesions'),
    orientation: z
      .string()
      .refine((text) => reorientation(text) !== undefined, 'give three letters such as RAS, LPS or PIR')
      .default('RAS')
      .describe('towards where the axes of the training images grew: R or L, A or P, S or I, as they were stored'),
    stripped: z.boolean().default(false).describe('the training images were zero outside the brain: make these so'),
    mirror: z.boolean().default(true).describe('average over the mirror images along the axes of its training'),
  }),
  async segment({ images, brain, grid }, params, { progress, signal, threads, device }) {
    progress('Loading the network', 0)
    signal.throwIfAborted()
    const model = await loadNnunet(params.model)
    const { labels } = model
    if (!labels.values.includes(params.lesion))
      throw new MethodError(
        `nnunet: the model has no label ${params.lesion}; set lesion to one of ${labels.values.filter(Boolean).join(', ')}`,
      )
    const turn = reorientation(params.orientation)!
    const channels = contrastsOf(model.channels, params.channels).map((modality, i) => {
      const image = images[modality]
      if (!image) throw new UsageError(`nnunet: the model takes ${model.channels[i]}; give one with --${modality}`)
      const data = params.stripped ? image.data.map((value, at) => (brain.data[at] ? value : 0)) : image.data
      return reorient({ ...grid, data }, turn)
    })
    const [{ dims, affine }] = channels
    const found = await segmentNnunet(nnunetImage(channels), model, 'nnunet', {
      mirror: params.mirror,
      probabilities: labels.regions === undefined,
      threads,
      device,
      signal,
      progress: (fraction) => progress('Finding lesions', fraction),
    })
    const back = <T extends VoxelArray>(data: T): Volume<T> => ({
      ...grid,
      data: reorient({ dims, affine, data }, inverseReorientation(turn)).data,
    })
    const labelled = applyPostprocessing(back(found.labels), model.postprocessing)
    const mask = maskWhere(labelled, (value) => value === params.lesion)
    // Regions overlap: none of their maps is the probability of one label.
    const map = found.probabilities?.[labels.values.indexOf(params.lesion)]
    return map ? { mask, probability: back(map) satisfies Image } : { mask }
  },
})

/** Contrasts by what users call their channels. */
const names: readonly (readonly [Modality, RegExp])[] = [
  ['flair', /flair/],
  ['t1gd', /^t1.*(gd|gad|ce|c|post)$/],
  ['t1', /^t1w?$|mprage/],
  ['t2', /^t2w?$/],
  ['pd', /^pdw?$/],
]

/** @throws UsageError when the network's channels are others, or not as many */
function contrastsOf(channels: readonly string[], given: string): Modality[] {
  const fix = `say which with --param channels=…, ${channels.length} of ${modalities.join(', ')} separated by commas`
  if (given === 'auto')
    return channels.map((channel) => {
      const plain = channel.toLowerCase().replace(/[^a-z0-9]/g, '')
      const found = names.find(([, pattern]) => pattern.test(plain))
      if (!found) throw new UsageError(`nnunet: "${channel.slice(0, 60)}" is no contrast that is known; ${fix}`)
      return found[0]
    })
  const listed = given.split(',').map((text) => modalities.find((modality) => modality === text.trim()))
  const contrasts = listed.filter((modality) => modality !== undefined)
  if (contrasts.length !== channels.length || listed.length !== channels.length)
    throw new UsageError(`nnunet: channels = ${given.slice(0, 60)} does not fit ${channels.join(', ')}; ${fix}`)
  return contrasts
}

const directions = ['RL', 'AP', 'SI']

/** From RAS+ to axes that grow towards the letters; undefined when they do not name three axes. */
function reorientation(letters: string): Reorientation | undefined {
  const from = [...letters].map((letter) => directions.findIndex((pair) => pair.includes(letter)))
  if (from.length !== 3 || ![0, 1, 2].every((axis) => from.includes(axis))) return undefined
  const flip = from.map((axis, i) => directions[axis][1] === letters[i])
  return { from: from as unknown as Vec3, flip: flip as unknown as Reorientation['flip'] }
}
