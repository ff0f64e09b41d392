import { z } from 'zod'
import { lesionsOf, loadModel } from '../../network/model.js'
import { predictStudy } from '../../network/predict.js'
import { defineMethod } from '../define.js'

/**
 * 3-D U-Net on cubes of 1 mm voxels, windows overlapping by half, logits averaged.
 *
 * Source: Çiçek et al. 2016; padded convolutions, instance normalisation and one output instead of valid ones, batch
 * normalisation and a softmax. It sees what `unet2d` sees.
 * Known weaknesses: thick slices are interpolated to 1 mm, and what it learnt between them is a guess.
 */
export const unet3d = defineMethod({
  id: 'unet3d',
  title: '3-D U-Net, trained by you',
  describe:
    "A 3-D U-Net labels overlapping cubes of 1 mm voxels; logits are averaged and the probability cut at the model's threshold. It needs a model: `lesionwise train --preset unet3d` makes one from your labelled scans.",
  use: {
    for: 'With a model trained on scans of yours of about 1 mm in all directions.',
    not: 'Not for slices of 3 mm and more: unet2d looks within slices.',
  },
  citation: {
    text: 'Çiçek Ö, Abdulkadir A, Lienkamp SS, Brox T, Ronneberger O. 3D U-Net: learning dense volumetric segmentation from sparse annotation. MICCAI 2016, LNCS 9901:424–432.',
    doi: '10.1007/978-3-319-46723-8_49',
  },
  supervision: 'supervised',
  strategy: 'deep',
  handling: '3d',
  modalities: ['T1-w', 'T2-FLAIR'],
  classifier: 'convolutional neural network',
  needs: { contrasts: [['flair', 't1'], ['flair']], grid: 'isotropic-1mm', bias: 'n4', model: true },
  params: z.object({
    model: z
      .string({ error: 'it needs a model: `lesionwise train --preset unet3d`, then --model DIR' })
      .min(1)
      .describe('folder that `lesionwise train` wrote'),
    mirror: z.boolean().default(true).describe('average over the left-right mirror image'),
  }),
  async segment(study, { model: name, mirror }, context) {
    context.progress('Loading the network', 0)
    const model = await loadModel(name, 'unet3d')
    const probability = await predictStudy(study, model, context, { mirror })
    const { threshold, certain } = model.card
    return { mask: lesionsOf(probability, model.card), probability, figures: { threshold, certain } }
  },
})
