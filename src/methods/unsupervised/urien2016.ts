import { z } from 'zod'
import { classFigures } from '../../learn/class-figures.js'
import { onGrid } from '../../learn/lattice.js'
import {
  bestNodes,
  componentSums,
  distinctNodes,
  type MaxTree,
  maxTree,
  persistence,
  quantise,
  ringsOf,
} from '../../learn/max-tree.js'
import { noiseSd } from '../../preprocess/denoise/noise.js'
import { type Affine, apply, compose, type Vec3, voxelSizes } from '../../volume/affine.js'
import { gaussianInPlane, thickSlice } from '../../volume/filter.js'
import { percentiles } from '../../volume/histogram.js'
import { emptyImage, emptyMask, type Grid, type Image, type Mask, voxelVolume } from '../../volume/volume.js'
import { defineMethod } from '../define.js'
import { flairSmoothing } from '../parameters.js'

/**
 * Nodes of the max-tree of FLAIR that stand out from their surroundings, checked against the other contrasts.
 *
 * Source: Urien et al. 2016. As there: FLAIR as a tree of its bright regions at all thresholds; a criterion of a region's
 * context, region against the ring around it, chooses among regions that contain each other; T1 and T2 confirm (a lesion
 * is darker than its ring on T1, brighter on T2). No tissue is clustered to find lesions.
 *
 * Departures: the paper's energy could not be read exactly; here it is the difference of the means over the root of the
 * summed variances, and an ancestor is chosen over its descendants when it is at least as good as their mean weighted by
 * volume. Also, because it did better on real scans:
 * - a region's mean is asked to be above grey matter on grey matter's own scale; the mean and deviation of the whole
 *   brain follow how much fluid it holds;
 * - little compactness is asked: confluent lesions have next to none;
 * - what the prepared study knows helps: voxels of fluid are left out of the ring, and the ring must lie in the white
 *   matter of the atlas, which drops the cortex;
 * - regions that differ by less than 3 % of volume from one judged before are not judged (time);
 * - a region takes those voxels of its ring that are above the middle of both means, so that its edge does not depend on
 *   the step of the tree.
 * Known weaknesses: lesions in the cortex and the brainstem have no white ring; a small lesion that merges with a
 * larger region above its own half height goes with that region, and the paler parts of lesions that fade out are left
 * out; the septum, the genu of the corpus callosum between the frontal horns, tips of the occipital horns and pieces of
 * insula and cingulate gyrus stand out from their rings as lesions do, and are large for false findings (0.1 ml and
 * more).
 */
export const urien2016 = defineMethod({
  id: 'urien2016',
  title: 'Max-tree with a context criterion',
  describe:
    'All connected bright regions of FLAIR, at all thresholds at once, form a tree. Of the regions that contain each other, the one that stands out most from a thin ring around it is kept, if its size, shape and place, and its T1 and T2 against those of the ring, are those of a lesion.',
  use: {
    for: 'Scans with FLAIR alone or with T1 and T2, of any load: a lesion needs to stand out from its own surroundings, not from one threshold for the scan.',
    not: 'Not for cortical and brainstem lesions, nor for lesions that fade into bright surroundings, of which only the core is found. Look at findings in the septum, the genu, the tips of the ventricles, insula and cingulate gyrus: they are often none.',
  },
  citation: {
    text: 'Urien H, Buvat I, Rougon N, Bloch I. A 3D hierarchical multimodal detection and segmentation method for multiple sclerosis lesions in MRI. Proceedings of the MSSEG challenge, MICCAI 2016:69–74.',
  },
  supervision: 'unsupervised',
  strategy: 'statistical',
  handling: '3d',
  modalities: ['T2-FLAIR', 'T1-w', 'T2-w'],
  classifier: 'max-tree',
  needs: {
    contrasts: [['flair', 't1', 't2'], ['flair', 't1'], ['flair', 't2'], ['flair']],
    grid: 'native',
    bias: 'n4',
  },
  params: z.object({
    levels: z.number().int().min(16).max(65536).default(1024).describe('levels of FLAIR that the tree is built from'),
    contrast: z
      .number()
      .min(0.1)
      .max(20)
      .default(1)
      .describe('least contrast with the ring: difference of the means over the root of the summed variances'),
    ring: z.number().min(1).max(10).default(2.5).describe('width of the ring around a region, mm'),
    brightness: z
      .number()
      .min(0)
      .max(10)
      .default(2)
      .describe('least mean FLAIR of a region above the median of grey matter, in robust σ of grey matter'),
    persistence: z
      .number()
      .min(0)
      .max(50)
      .default(2)
      .describe('least height of the peak of a region above where it meets a higher one, in σ of the noise'),
    compactness: z
      .number()
      .min(0)
      .max(1)
      .default(0.05)
      .describe('least compactness: spread of a ball of the same volume over that of the region, 0–1'),
    white: z
      .number()
      .min(0)
      .max(1)
      .default(0.5)
      .describe('least mean white-matter probability of the atlas in the ring, fluid left out, 0–1'),
    border: z
      .number()
      .min(0)
      .max(1)
      .default(0.2)
      .describe('most of the surface of a region that may face the outside of the brain, 0–1'),
    midline: z
      .number()
      .min(0)
      .max(20)
      .default(3)
      .describe('least mean distance of the voxels of a region from the midline of the atlas, mm'),
    smoothing: flairSmoothing(0.6),
    smallest: z.number().min(0).max(1000).default(10).describe('smallest region kept, mm³'),
    largest: z.number().min(100).max(500000).default(60000).describe('largest region kept, mm³'),
  }),
  async segment({ images, brain, tissue, atlas, toAtlas }, params, context) {
    context.signal.throwIfAborted()
    context.progress('Building the max-tree', 0)
    const flair = await gaussianInPlane(images.flair, params.smoothing)
    const [least, median, greatest] = percentiles(flair, [0.1, 50, 99.95], brain)
    const grey = classFigures(flair, tissue, brain).gm
    if (!(grey.sd > 0)) return { mask: emptyMask(brain), probability: emptyImage(brain), flags: [noContrast] }
    const { levels, step } = quantise(flair, brain, params.levels, [least, greatest])
    const tree = maxTree(levels, brain, 6)
    context.signal.throwIfAborted()

    context.progress('Judging regions', 0.4)
    const floor = grey.mean + params.brightness * grey.sd
    const noise = noiseSd(flair, { mask: brain, magnitude: false })
    const { mm3, mean, variance, compactness, outside, fromMidline } = regionsOf(tree, flair, brain, toAtlas)
    const height = persistence(tree)
    const distinct = distinctNodes(tree, 0.03)
    const around = surroundings(tree, brain, params.ring)
    const others = [images.t1, images.t2].map((image) => image && { image, mean: means(tree, image) })
    const score = new Float64Array(mean.length).fill(Number.NEGATIVE_INFINITY)
    for (let n = 0; n < score.length; n++) {
      if (
        !distinct[n] ||
        // Regions that hold half the brain need no ring.
        least + step * tree.level[n] < median ||
        mm3[n] < params.smallest ||
        mm3[n] > params.largest ||
        mean[n] < floor ||
        compactness[n] < params.compactness ||
        step * height[n] < params.persistence * noise ||
        fromMidline[n] < params.midline
      )
        continue
      context.signal.throwIfAborted()
      const ring = ringFigures(around, n, flair, tissue.csf, atlas.wm, others)
      if (ring.count === 0 || outside[n] / (outside[n] + ring.count) > params.border || ring.white < params.white)
        continue
      const [t1, t2] = others
      if ((t1 && t1.mean[n] > ring.others[0]) || (t2 && t2.mean[n] < ring.others[1])) continue
      const contrast = (mean[n] - ring.mean) / Math.sqrt(variance[n] + ring.variance + 1e-6 * grey.sd ** 2)
      if (contrast >= params.contrast) score[n] = contrast
    }

    context.show?.(
      'Levels of the tree',
      onGrid(brain, tree.voxels, (v) => levels.data[tree.voxels[v]]),
    )
    context.show?.('Best contrast of a region', contrastMap(tree, score, brain))
    context.progress('Choosing regions', 0.9)
    const nodes = bestNodes(tree, score, mm3)
    const mask = emptyMask(brain)
    const probability = emptyImage(brain)
    for (const n of nodes) {
      // 0.5 for the least contrast, 0.95 for three times as much.
      const belief = 1 / (1 + Math.exp((-Math.log(19) * (score[n] / params.contrast - 1)) / 2))
      const take = (at: number) => {
        mask.data[at] = 1
        probability.data[at] = Math.max(belief, probability.data[at])
      }
      for (let v = tree.first[n]; v < tree.last[n]; v++) take(tree.voxels[v])
      const half = (mean[n] + ringFigures(around, n, flair, tissue.csf, atlas.wm, []).mean) / 2
      around(n, (at) => {
        if (flair.data[at] >= half && tissue.csf.data[at] <= 0.5) take(at)
      })
    }
    return { mask, probability, figures: { regions: nodes.length, brightnessFloor: floor, noise } }
  },
})

const noContrast = {
  code: 'flair-without-contrast',
  severity: 'warning' as const,
  message: 'FLAIR has no spread inside the brain mask: nothing was looked for.',
}

/** What the regions of all nodes are like, by node. */
interface Regions {
  mm3: Float64Array
  /** Of FLAIR. */
  mean: Float64Array
  variance: Float64Array
  /** Trace of the second moments of a ball of the same volume, over the region's: 1 for a ball. */
  compactness: Float64Array
  /** Voxel faces towards the outside of the brain. */
  outside: Float64Array
  /** Mean distance of the voxels from the midline of the atlas, mm. */
  fromMidline: Float64Array
}

function regionsOf(tree: MaxTree, flair: Image, brain: Mask, toAtlas: Affine): Regions {
  const [nx, ny, nz] = brain.dims
  const size = voxelSizes(brain.affine)
  const count = componentSums(tree, () => 1)
  const mean = means(tree, flair)
  const squares = componentSums(tree, (at) => flair.data[at] ** 2)
  // From the middle of the grid, so that sums of squares stay exact.
  const place = [
    (at: number) => (at % nx) - nx / 2,
    (at: number) => (Math.floor(at / nx) % ny) - ny / 2,
    (at: number) => Math.floor(at / (nx * ny)) - nz / 2,
  ]
  const middle = place.map((of) => componentSums(tree, of).map((sum, n) => sum / count[n]))
  const spread = new Float64Array(count.length)
  for (const [axis, of] of place.entries()) {
    const sums = componentSums(tree, (at) => of(at) ** 2)
    // A voxel is a box and no point: 1/12 of its squared width.
    for (let n = 0; n < spread.length; n++)
      spread[n] += size[axis] ** 2 * (sums[n] / count[n] - middle[axis][n] ** 2 + 1 / 12)
  }
  const mm3 = count.map((n) => n * voxelVolume(brain))
  const faces = (at: number) => {
    const [i, j, k] = [at % nx, Math.floor(at / nx) % ny, Math.floor(at / (nx * ny))]
    let open = 0
    if (i === 0 || brain.data[at - 1] === 0) open++
    if (i === nx - 1 || brain.data[at + 1] === 0) open++
    if (j === 0 || brain.data[at - nx] === 0) open++
    if (j === ny - 1 || brain.data[at + nx] === 0) open++
    if (k === 0 || brain.data[at - nx * ny] === 0) open++
    if (k === nz - 1 || brain.data[at + nx * ny] === 0) open++
    return open
  }
  const toPlace = compose(toAtlas, brain.affine)
  const sideways = (at: number) =>
    Math.abs(apply(toPlace, [at % nx, Math.floor(at / nx) % ny, Math.floor(at / (nx * ny))])[0])
  return {
    mm3,
    mean,
    variance: squares.map((sum, n) => Math.max(0, sum / count[n] - mean[n] ** 2)),
    compactness: spread.map((s, n) => (0.6 * ((3 * mm3[n]) / (4 * Math.PI)) ** (2 / 3)) / s),
    outside: componentSums(tree, faces),
    fromMidline: componentSums(tree, sideways).map((sum, n) => sum / count[n]),
  }
}

/** At each voxel the greatest score of the regions that hold it, 0 where none passes. */
function contrastMap(tree: MaxTree, score: Float64Array, brain: Mask): Image {
  const map = emptyImage(brain)
  for (let n = 0; n < score.length; n++)
    if (score[n] > 0)
      for (let v = tree.first[n]; v < tree.last[n]; v++)
        map.data[tree.voxels[v]] = Math.max(map.data[tree.voxels[v]], score[n])
  return map
}

const means = (tree: MaxTree, image: Image): Float64Array =>
  componentSums(tree, (at) => image.data[at]).map((sum, n) => sum / (tree.last[n] - tree.first[n]))

/** Rings of a width in mm, one voxel wide at least; not across thick slices. */
function surroundings(tree: MaxTree, grid: Grid, mm: number) {
  const size = voxelSizes(grid.affine)
  const reach = size.map((s) => (s >= thickSlice ? 0 : Math.max(1, Math.floor(mm / s))))
  const most = Math.max(mm, ...size.filter((s) => s < thickSlice)) * (1 + 1e-6)
  const offsets: Vec3[] = []
  for (let z = -reach[2]; z <= reach[2]; z++)
    for (let y = -reach[1]; y <= reach[1]; y++)
      for (let x = -reach[0]; x <= reach[0]; x++)
        if (Math.hypot(x * size[0], y * size[1], z * size[2]) <= most && (x !== 0 || y !== 0 || z !== 0))
          offsets.push([x, y, z])
  return ringsOf(tree, grid, offsets)
}

/** FLAIR, white-matter probability and the other contrasts in the ring of a node, voxels of fluid left out. */
function ringFigures(
  around: ReturnType<typeof surroundings>,
  node: number,
  flair: Image,
  fluid: Image,
  white: Image,
  others: readonly ({ image: Image } | undefined)[],
) {
  let [count, sum, squares, whiteness] = [0, 0, 0, 0]
  const sums = [0, 0]
  around(node, (at) => {
    if (fluid.data[at] > 0.5) return
    count++
    sum += flair.data[at]
    squares += flair.data[at] ** 2
    whiteness += white.data[at]
    for (let c = 0; c < others.length; c++) sums[c] += others[c]?.image.data[at] ?? 0
  })
  const mean = sum / count
  return {
    count,
    mean,
    variance: Math.max(0, squares / count - mean ** 2),
    white: whiteness / count,
    others: sums.map((s) => s / count),
  }
}
