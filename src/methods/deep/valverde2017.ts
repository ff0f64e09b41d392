import { z } from 'zod'
import { loadModel } from '../../network/model.js'
import { predictStudy } from '../../network/predict.js'
import { keepLargerThan } from '../../volume/components.js'
import { emptyMask, maskWhere, volumeMl } from '../../volume/volume.js'
import { defineMethod } from '../define.js'

/**
 * Cascade of two small 3-D networks on patches of 11³ voxels: the first finds all that may be lesion, the second, trained on
 * the first one's errors, keeps what is.
 *
 * Source: Valverde et al. 2017, in the form of its toolbox since 2019 (two convolutions a stage, three dense layers).
 * Candidates, cuts, smallest component and smallest volume are the toolbox's; 6-connected as there.
 * Known weaknesses: every voxel above FLAIR z 0.5 is classified by itself, which takes minutes; it needs T1.
 */
export const valverde2017 = defineMethod({
  id: 'valverde2017',
  title: 'Cascade of patch networks (nicMSlesions), trained by you',
  describe:
    'Voxels with FLAIR above z 0.5 are classified by a small 3-D network from the 11³ voxels around them; what it is sure of goes to a second network that was trained on the false positives of the first. Small components and very small totals are dropped. It needs a model: `lesionwise train --preset valverde2017` makes one from your labelled scans.',
  use: {
    for: 'With a model trained on few scans of yours, FLAIR and T1: its patches are small and so is its hunger for data.',
    not: 'Not without T1, and not where time counts: each candidate voxel is looked at by itself.',
  },
  citation: {
    text: 'Valverde S, Cabezas M, Roura E, González-Villà S, Pareto D, Vilanova JC, et al. Improving automated multiple sclerosis lesion segmentation with a cascaded 3D convolutional neural network approach. NeuroImage 2017;155:159–168.',
    doi: '10.1016/j.neuroimage.2017.04.034',
  },
  supervision: 'supervised',
  strategy: 'deep',
  handling: '3d',
  modalities: ['T1-w', 'T2-FLAIR'],
  classifier: 'convolutional neural network',
  needs: { contrasts: [['flair', 't1']], grid: 'native', bias: 'n4', model: true },
  params: z.object({
    model: z
      .string({ error: 'it needs a model: `lesionwise train --preset valverde2017`, then --model DIR' })
      .min(1)
      .describe('folder that `lesionwise train` wrote'),
    smallest: z
      .number()
      .int()
      .min(0)
      .default(10)
      .describe('components of this many voxels (6-connected) and fewer are dropped (l_min)'),
    leastMl: z.number().min(0).default(0.5).describe('smaller totals than this, ml, count as nothing (min_error)'),
  }),
  async segment(study, { model: name, smallest, leastMl }, context) {
    context.progress('Loading the networks', 0)
    const model = await loadModel(name, 'valverde2017')
    const probability = await predictStudy(study, model, context)
    const { threshold } = model.card
    const found = keepLargerThan(
      maskWhere(probability, (p) => p >= threshold),
      0,
      6,
      smallest + 1,
    )
    const mask = volumeMl(found) < leastMl ? emptyMask(found) : found
    return { mask, probability, figures: { threshold } }
  },
})
