import { z } from 'zod'
import { lesionsOf, loadModel, withBelief } from '../../network/model.js'
import { predictStudy } from '../../network/predict.js'
import type { Image } from '../../volume/volume.js'
import { defineMethod } from '../define.js'
import { roura2015 } from '../unsupervised/roura2015.js'

/**
 * 2-D U-Net over the slices of a scan, each seen with its neighbours (2.5-D): all three planes where voxels are about even, only the slices' own plane where
 * they are thick. Probabilities of planes, mirror images and ensemble members are averaged, and, where the model's card
 * says so, the belief of `roura2015` with them.
 *
 * Source: Ronneberger, Fischer & Brox 2015; planes averaged as in Prasoon et al. 2013 and Aslani et al. 2019. The network
 * sees FLAIR scaled by its own grey- and white-matter modes, T1 where there is one, and the atlas's white matter, cortex
 * and lesion frequency, so that a scanner's units do not matter.
 * Known weaknesses: docs/accuracy.md and the model's card.
 */
export const unet2d = defineMethod({
  id: 'unet2d',
  title: 'Multi-plane 2.5-D U-Net',
  describe:
    "A small U-Net labels every slice from it and its neighbours, along all three axes where voxels are even, else along the slices only; probabilities are averaged and cut at the threshold that was best on scans that the judged networks had not seen. It sees FLAIR on a scale of the scan's own grey and white matter, T1 where there is one, and atlas maps of white matter, cortex and lesion frequency. The shipped model averages its probability with the belief of the FLAIR threshold roura2015, which holds on scanners that the network has not seen.",
  use: {
    for: 'Scans like those of its three training centres (1 mm 3-D, or clinical 2-D of 3 to 8 mm slices), or with a model trained on yours (--model).',
    not: 'Not on the 15 development scans, which it has seen, and not unseen on a new scanner: check some scans first.',
  },
  citation: {
    text: 'Ronneberger O, Fischer P, Brox T. U-Net: convolutional networks for biomedical image segmentation. MICCAI 2015, LNCS 9351:234–241.',
    doi: '10.1007/978-3-319-24574-4_28',
  },
  supervision: 'supervised',
  strategy: 'deep',
  handling: '2.5d',
  modalities: ['T1-w', 'T2-FLAIR'],
  classifier: 'convolutional neural network',
  needs: { contrasts: [['flair', 't1'], ['flair']], grid: 'native', bias: 'n4' },
  params: z.object({
    model: z
      .string()
      .min(1)
      .default('multislice')
      .describe('a model that comes with the package, or the folder of another'),
    mirror: z.boolean().default(true).describe('predict the left-right mirrored slice too, and average'),
  }),
  async segment(study, { model: name, mirror }, context) {
    const { progress, signal } = context
    progress('Loading the network', 0)
    signal.throwIfAborted()
    const model = await loadModel(name, 'unet2d')
    const { card } = model
    const network = await predictStudy(study, model, context, { mirror })
    signal.throwIfAborted()
    const { threshold, certain, thresholdShare: share, bright } = card
    const other =
      share > 0 || bright > 0 ? await roura2015.segment(study, roura2015.params.parse({}), context) : undefined
    const belief = other?.probability
    const probability: Image = belief ? { ...network, data: withBelief(network.data, belief.data, share) } : network
    return {
      mask: lesionsOf(probability, card, belief),
      probability,
      figures: { threshold, certain, ...(belief ? { thresholdShare: share, bright } : {}) },
      flags: other?.flags,
    }
  },
})
