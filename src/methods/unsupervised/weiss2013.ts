import { z } from 'zod'
import { classFigures } from '../../learn/class-figures.js'
import { encoder, learnDictionary } from '../../learn/dictionary.js'
import { keepFindings } from '../../learn/findings.js'
import { seededRandom } from '../../random.js'
import { gaussian } from '../../volume/filter.js'
import { histogram, percentiles } from '../../volume/histogram.js'
import { emptyImage, emptyMask, type Image, type Mask, maskWhere } from '../../volume/volume.js'
import { channelsFor } from '../contrasts.js'
import { defineMethod } from '../define.js'
import { smallestLesion, whiteAsked, whiteSigma } from '../parameters.js'

/**
 * Patches that a small dictionary, learned from the scan itself, cannot represent.
 *
 * Source: Weiss et al. 2013. As there: square patches of the slices, all contrasts of a patch in one vector; a dictionary
 * learned from patches of the scan, most of them healthy; the error of each patch's sparse code; a threshold of it.
 *
 * Departures:
 * - atoms are learned by K-SVD and codes found by orthogonal matching pursuit, not by an ℓ1 penalty: a scan takes
 *   seconds;
 * - patches whose centre is among the darkest or brightest 2.5 % of the brain are not learned from, so that no atom
 *   becomes a lesion where the load is high;
 * - each patch holds a constant beside its voxels: without it a bright patch is a multiple of a grey one, and only the
 *   rims of lesions are badly represented. What the code leaves of the constant is part of the error;
 * - the error threshold is Otsu's, of its logarithm;
 * - lesions are bright regions in which the error is above the threshold, and not the voxels above it, because the
 *   borders of fluid and cortex are badly represented too. Bright is said on the scale of grey matter: on real scans one
 *   deviation above the mean of the brain lies within the cortex. "In white matter" is asked of the atlas, smoothed, as
 *   in `roura2015`;
 * - findings at the border of the brain are not dropped: a patch lies wholly in the brain, and the smoothed white matter
 *   keeps away from its border;
 * - FLAIR takes the place of T2.
 * Known weaknesses: on real scans the error says little beyond the brightness. In white matter it tells lesions apart
 * (area under the ROC curve 0.84–0.98 on three scans of three centres), but FLAIR by itself does so better (0.97–1.00),
 * also among bright voxels, and hardly a bright region fails its threshold: healthy borders are as hard to represent as
 * lesions are. So lesions are what one level above grey matter finds: more than half of confluent lesions as grey as the
 * cortex was left out (of 50 ml), small lesions and those in grey matter and the brainstem are missed, and strips of
 * frontal cortex inside the smoothed white matter and bands along the ventricles come in (17 of 30 findings on a scan of
 * thick slices).
 */
export const weiss2013 = defineMethod({
  id: 'weiss2013',
  title: 'Dictionary learning and sparse coding',
  describe:
    'A small dictionary is learned from the patches of the scan itself, most of which show healthy tissue. Each patch is coded with few of its atoms; lesions are rare and badly represented. Bright regions in white matter in which the error is large are lesions.',
  use: {
    for: 'Seeing where a scan differs from its own healthy tissue: the error map needs no model of tissue or lesion. Loads above a few millilitres.',
    not: 'Not for volumes of confluent lesions as grey as the cortex, of which more than half is left out as rims and holes, nor where small lesions count, nor for cortical and brainstem ones. On thick slices half of the findings are strips of frontal cortex and bands along the ventricles.',
  },
  citation: {
    text: 'Weiss N, Rueckert D, Rao A. Multiple sclerosis lesion segmentation using dictionary learning and sparse coding. MICCAI 2013, LNCS 8149:735–742.',
    doi: '10.1007/978-3-642-40811-3_92',
  },
  supervision: 'unsupervised',
  strategy: 'statistical',
  handling: '2d',
  modalities: ['T1-w', 'T2-w'],
  classifier: 'sparse coding',
  needs: { contrasts: [['flair', 't1'], ['flair']], grid: 'native', bias: 'n4' },
  params: z.object({
    radius: z
      .number()
      .int()
      .min(1)
      .max(5)
      .default(2)
      .describe('half the width of a patch, voxels: 2 is 5 × 5 voxels of a slice'),
    constant: z
      .number()
      .min(0)
      .max(10)
      .default(2)
      .describe(
        'constant that each patch holds beside its voxels, in σ of the brain: 0 codes patterns of any brightness alike',
      ),
    atoms: z
      .number()
      .int()
      .min(2)
      .max(500)
      .default(50)
      .describe('atoms of the dictionary; too many, and lesions are represented too'),
    sparsity: z.number().int().min(1).max(20).default(1).describe('most atoms in the code of a patch'),
    passes: z.number().int().min(1).max(100).default(15).describe('passes over the learning patches'),
    samples: z
      .number()
      .int()
      .min(100)
      .max(100000)
      .default(10000)
      .describe('patches that the dictionary is learned from'),
    brightness: z
      .number()
      .min(-2)
      .max(10)
      .default(1.75)
      .describe('least FLAIR of lesion above the median of grey matter, in robust σ of grey matter'),
    share: z
      .number()
      .min(0)
      .max(1)
      .default(0.3)
      .describe('least part of a bright region in which the error is above its threshold, 0–1'),
    white: whiteAsked(0.75),
    whiteSigma: whiteSigma(3),
    smallest: smallestLesion(10),
  }),
  async segment({ images, brain, tissue, atlas }, params, context) {
    context.signal.throwIfAborted()
    const { channels, flags } = channelsFor(images, ['flair', 't1'])
    const none = { mask: emptyMask(brain), probability: emptyImage(brain), flags: [...flags, noContrast] }
    const grey = classFigures(images.flair, tissue, brain).gm
    if (!(grey.sd > 0)) return none
    context.progress('Learning the dictionary', 0)
    const contrasts = channels.map(({ image }) => image)
    const patches = patchesOf(contrasts, brain, params.radius, params.constant)
    const [dark, bright] = percentiles(images.flair, [2.5, 97.5], brain)
    const usual = patches.centres.filter((at) => images.flair.data[at] >= dark && images.flair.data[at] <= bright)
    const learning = draw(usual, params.samples, context.seed)
    if (learning.length <= params.atoms) return none
    const samples = new Float32Array(learning.length * patches.length)
    learning.forEach((at, i) => patches.read(at, samples.subarray(i * patches.length, (i + 1) * patches.length)))
    const { seed, signal } = context
    const dictionary = learnDictionary(samples, patches.length, { ...params, seed, signal })

    context.progress('Coding all patches', 0.3)
    const error = emptyImage(brain)
    const coded = emptyMask(brain)
    const encode = encoder(dictionary, params.sparsity)
    const patch = new Float32Array(patches.length)
    patches.centres.forEach((at, i) => {
      if (i % 8192 === 0) signal.throwIfAborted()
      patches.read(at, patch)
      // A patch without error has a logarithm too.
      error.data[at] = Math.log(encode(patch).error + 1e-6)
      coded.data[at] = 1
    })
    context.show?.('logarithm of the reconstruction error', error)
    const threshold = otsu(error, coded)

    context.progress('Finding lesions', 0.9)
    const level = grey.mean + params.brightness * grey.sd
    const white = await gaussian(atlas.wm, params.whiteSigma)
    const candidates = maskWhere(
      images.flair,
      (v, i) => v > level && white.data[i] >= params.white && brain.data[i] !== 0,
    )
    const failed = maskWhere(error, (e, i) => coded.data[i] !== 0 && e > threshold)
    const mask = keepFindings(
      candidates,
      { connectivity: 18, within: failed },
      ({ mm3, within }) => mm3 >= params.smallest && within >= params.share,
    )
    return {
      mask,
      probability: belief(mask, candidates, error, coded),
      figures: { level, errorThreshold: threshold },
      flags,
    }
  },
})

const noContrast = {
  code: 'flair-without-contrast',
  severity: 'warning' as const,
  message: 'FLAIR has no spread inside the brain mask, or too little brain is there: nothing was looked for.',
}

interface Patches {
  /** Voxels whose patch lies in the brain. */
  centres: Uint32Array
  /** Values of a patch, of all contrasts. */
  length: number
  /** The patch around a voxel, standardised over the brain, and the constant. */
  read(centre: number, into: Float32Array): void
}

function patchesOf(contrasts: readonly Image[], brain: Mask, radius: number, constant: number): Patches {
  const [nx, ny, nz] = brain.dims
  const offsets: number[] = []
  for (let y = -radius; y <= radius; y++) for (let x = -radius; x <= radius; x++) offsets.push(x + nx * y)
  const centres: number[] = []
  for (let k = 0; k < nz; k++)
    for (let j = radius; j < ny - radius; j++)
      for (let i = radius; i < nx - radius; i++) {
        const at = i + nx * (j + ny * k)
        if (brain.data[at] !== 0 && offsets.every((step) => brain.data[at + step] !== 0)) centres.push(at)
      }
  const scales = contrasts.map((image) => standardOf(image, brain))
  const values = contrasts.length * offsets.length
  return {
    centres: Uint32Array.from(centres),
    length: values + 1,
    read(centre, into) {
      let v = 0
      for (let c = 0; c < contrasts.length; c++) {
        const { data } = contrasts[c]
        const { mean, sd } = scales[c]
        for (let o = 0; o < offsets.length; o++) into[v++] = (data[centre + offsets[o]] - mean) / sd
      }
      // As heavy as if each voxel had it.
      into[v] = constant * Math.sqrt(values)
    },
  }
}

/** Mean and standard deviation inside a mask; the deviation of a constant is 1. */
function standardOf(image: Image, mask: Mask): { mean: number; sd: number } {
  let [n, sum, squares] = [0, 0, 0]
  for (let i = 0; i < mask.data.length; i++)
    if (mask.data[i] !== 0) {
      n++
      sum += image.data[i]
      squares += image.data[i] ** 2
    }
  const mean = n > 0 ? sum / n : 0
  const variance = n > 0 ? squares / n - mean ** 2 : 0
  return { mean, sd: variance > 1e-9 * mean ** 2 ? Math.sqrt(variance) : 1 }
}

/** At most `count` of the voxels, at random. */
function draw(voxels: Uint32Array, count: number, seed: number): Uint32Array {
  const random = seededRandom(seed)
  const pool = voxels.slice()
  const n = Math.min(count, pool.length)
  for (let i = 0; i < n; i++) {
    const other = i + Math.floor(random() * (pool.length - i))
    ;[pool[i], pool[other]] = [pool[other], pool[i]]
  }
  return pool.subarray(0, n)
}

/** By the rank of the error among all patches: 0.5–1 in lesions, 0–0.5 in other bright voxels, 0 elsewhere. */
function belief(mask: Mask, candidates: Mask, error: Image, coded: Mask): Image {
  const sorted = error.data.filter((_, i) => coded.data[i] !== 0).sort()
  const rank = (e: number) => {
    let [from, to] = [0, sorted.length]
    while (from < to) {
      const middle = (from + to) >> 1
      if (sorted[middle] < e) from = middle + 1
      else to = middle
    }
    return from / sorted.length
  }
  const out = emptyImage(mask)
  for (let i = 0; i < out.data.length; i++)
    if (candidates.data[i] !== 0)
      out.data[i] = 0.5 * ((mask.data[i] !== 0 ? 1 : 0) + (coded.data[i] !== 0 ? rank(error.data[i]) : 0))
  return out
}

/** The threshold that parts the values best in two classes: the largest variance between them (Otsu 1979). */
function otsu(image: Image, mask: Mask): number {
  const { counts, min, width } = histogram(image, { bins: 512, mask })
  let [total, sum] = [0, 0]
  counts.forEach((n, bin) => {
    total += n
    sum += n * bin
  })
  let [best, at, below, sumBelow] = [-1, 0, 0, 0]
  for (let bin = 0; bin < counts.length; bin++) {
    below += counts[bin]
    sumBelow += counts[bin] * bin
    const above = total - below
    if (below === 0 || above === 0) continue
    const between = below * above * (sumBelow / below - (sum - sumBelow) / above) ** 2
    if (between > best) [best, at] = [between, bin]
  }
  return min + (at + 1) * width
}
