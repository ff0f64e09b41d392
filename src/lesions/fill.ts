import { gaussianRandom, seededRandom } from '../random.js'
import { voxelSizes } from '../volume/affine.js'
import { boundingBox, crop, uncrop } from '../volume/crop.js'
import { distanceTo } from '../volume/distance.js'
import { gaussian, gaussianWeights, thickSlice } from '../volume/filter.js'
import { countVoxels, emptyMask, type Image, type Mask, sameGrid, voxelsIn } from '../volume/volume.js'
import { fitTrend, typical } from './fill-trend.js'

export interface FillOptions {
  /**
   * Steps, in voxels, by which the lesions are grown before they are filled: the T1's own blur leaves about one voxel of half
   * lesion around what is outlined, and a dark ring around the filling would be read as grey matter. Never across slices of
   * 2.5 mm and more. Default 1.
   */
  grow?: number
  /** Where the grown rim may lie: not in fluid and cortex. Default: anywhere. */
  rim?: Mask
  /** σ of the neighbourhood, mm, whose white matter gives mean and texture. Default 5. */
  localMm?: number
  /** σ of the wider one, mm, that counts where there is little white matter near. Default 15. */
  wideMm?: number
  /** Of the texture. Default 1. */
  seed?: number
}

/** What was filled, and how it compares to the white matter around it; intensities in the image's units. */
export interface FillFigures {
  lesionVoxels: number
  rimVoxels: number
  filledVoxels: number
  /** White matter that mean and texture were taken from. */
  sourceVoxels: number
  /** Filled voxels with so little white matter near that the wider neighbourhood, or the whole brain's trend, decides. */
  widenedVoxels: number
  /** Of the lesion's voxels and of the rim as they were, of all filled voxels, and of the sources within 6 mm of them. */
  meanBefore: number
  meanRim: number
  meanFilled: number
  meanAround: number
  /** Standard deviation about the local mean: of all filled voxels, and of the sources within 6 mm of them. */
  sdFilled: number
  sdAround: number
  /** Correlation of the texture of neighbours along the three voxel axes, as measured in the sources. */
  neighbourCorrelation: [number, number, number]
}

export interface Filling {
  /** Storage indices of the voxels that get another value, in order … */
  voxels: Uint32Array
  /** … and their values. All others stay. */
  values: Float32Array
  /** The grown mask. */
  mask: Mask
  figures: FillFigures
}

/**
 * New intensities for lesions, like the normal-appearing white matter around them, whatever the lesions look like.
 *
 * Mean: the trend over the brain (a polynomial: the bias field), and on it the normalised convolution (Knutsson and Westin
 * 1993) of what the white matter around deviates from it; where there is little of it the wider neighbourhood takes over
 * without a step. Texture: Gaussian noise with the local standard deviation of the white matter and its correlation between
 * neighbours. That means follow the surrounding white matter and not the whole brain's is Battaglini et al. 2012 (Hum Brain
 * Mapp 33:2062), drawing values from its distribution instead of one flat value Valverde et al. 2014 (NeuroImage Clin
 * 6:86); the correlation stands for the patches of Prados et al. 2016 (NeuroImage 139:376).
 *
 * @param lesions on the grid of the image
 * @param sources normal-appearing white matter, on the same grid; what lies in the grown lesions or next to them is left out
 * @throws RangeError when the grids differ, or when no source is left
 */
export async function fillLesions(
  image: Image,
  lesions: Mask,
  sources: Mask,
  { grow = 1, rim, localMm = 5, wideMm = 15, seed = 1 }: FillOptions = {},
): Promise<Filling> {
  for (const volume of [lesions, sources, rim ?? lesions])
    if (!sameGrid(volume, image))
      throw new RangeError('fillLesions: image, lesions and white matter must share one grid.')
  const grown = growThin(lesions, grow)
  const target = where(image, (i) => lesions.data[i] !== 0 || (grown.data[i] !== 0 && (rim?.data[i] ?? 1) !== 0))
  // White matter right beside a lesion is rarely normal, and half of it is lesion still.
  const guard = growThin(lesions, grow + 1)
  const clean = where(image, (i) => sources.data[i] !== 0 && guard.data[i] === 0 && target.data[i] === 0)
  const lesionVoxels = countVoxels(lesions)
  if (lesionVoxels === 0) return nothing(target)
  if (countVoxels(clean) === 0) throw new RangeError('fillLesions: there is no white matter to take values from.')

  const both = where(image, (i) => target.data[i] !== 0 || clean.data[i] !== 0)
  const box = boundingBox(both, Math.max(...voxelSizes(image.affine)))!
  const part = crop(image, box)
  const { trend, kept } = fitTrend(part, crop(clean, box))
  const field = await localField(part, trend, kept, [wideMm, localMm])
  const { sd, noise, correlation } = await textureOf(part, field.mean, kept, crop(target, box), [wideMm, localMm], seed)

  const voxels = voxelsIn(target)
  const inBox = voxelsIn(crop(target, box))
  const values = Float32Array.from(inBox, (at) => field.mean.data[at] + sd.data[at] * noise.data[at])
  return {
    voxels,
    values,
    mask: target,
    figures: {
      lesionVoxels,
      rimVoxels: voxels.length - lesionVoxels,
      filledVoxels: voxels.length,
      sourceVoxels: countVoxels(kept),
      widenedVoxels: inBox.reduce((n, at) => n + (field.near.data[at] < shrink ? 1 : 0), 0),
      ...(await compare(image, lesions, target, part, field.mean, crop(target, box), kept, inBox, values)),
      neighbourCorrelation: correlation,
    },
  }
}

/** The image with its lesions filled. */
export function applyFilling(image: Image, { voxels, values }: Filling): Image {
  const data = image.data.slice()
  voxels.forEach((at, n) => {
    data[at] = values[n]
  })
  return { dims: image.dims, affine: image.affine, data }
}

/**
 * How much the wider neighbourhood counts, as a share of a neighbourhood full of white matter: below this the wider one
 * outweighs the local one.
 */
const shrink = 0.02

/** The mean expected of white matter everywhere, and which share of the local neighbourhood is white matter. */
async function localField(
  image: Image,
  trend: Image,
  sources: Mask,
  scales: readonly number[],
): Promise<{ mean: Image; near: Image }> {
  const deviation = trend.data.map((t, i) => (sources.data[i] !== 0 ? image.data[i] - t : 0))
  const { mean, near } = await localMean({ ...trend, data: deviation }, sources, scales, 0)
  for (let i = 0; i < mean.data.length; i++) mean.data[i] += trend.data[i]
  return { mean, near }
}

/**
 * Mean of the sources' values around every voxel: Gaussian neighbourhoods from wide to narrow, each leaning on the wider
 * one by `shrink`.
 * @param values 0 outside the sources
 * @param overall what the widest leans on
 */
async function localMean(
  values: Image,
  sources: Mask,
  scales: readonly number[],
  overall: number,
): Promise<{ mean: Image; near: Image }> {
  let mean: Image = { ...values, data: new Float32Array(values.data.length).fill(overall) }
  let near = mean
  for (const sigma of scales) {
    const top = await gaussian(values, sigma)
    near = await gaussian(sources, sigma)
    for (let i = 0; i < top.data.length; i++)
      top.data[i] = (top.data[i] + shrink * mean.data[i]) / (Math.max(0, near.data[i]) + shrink)
    mean = top
  }
  return { mean, near }
}

/** Local standard deviation about the mean, and noise of unit variance with the correlation that the sources show. */
async function textureOf(
  image: Image,
  mean: Image,
  sources: Mask,
  target: Mask,
  scales: readonly number[],
  seed: number,
): Promise<{ sd: Image; noise: Image; correlation: [number, number, number] }> {
  const residual = mean.data.map((m, i) => (sources.data[i] !== 0 ? image.data[i] - m : 0))
  const squares = residual.map((r) => r * r)
  const count = Math.max(1, countVoxels(sources))
  const { mean: sd } = await localMean(
    { ...mean, data: squares },
    sources,
    scales,
    squares.reduce((s, v) => s + v, 0) / count,
  )
  for (let i = 0; i < sd.data.length; i++) sd.data[i] = Math.sqrt(Math.max(0, sd.data[i]))

  const correlation = [0, 1, 2].map((axis) => neighbourCorrelation({ ...mean, data: residual }, sources, axis)) as [
    number,
    number,
    number,
  ]
  const size = voxelSizes(image.affine)
  const sigma = correlation.map(sigmaFor)
  const reach = Math.max(...sigma.map((s, axis) => (s > 0 ? (Math.ceil(4 * s) + 1) * size[axis] : 0)))
  const box = boundingBox(target, reach)!
  const draw = gaussianRandom(seededRandom(seed))
  const white = crop(image, box)
  for (let i = 0; i < white.data.length; i++) white.data[i] = draw()
  const smooth = await gaussian(white, sigma.map((s, axis) => s * size[axis]) as [number, number, number])
  const gain = sigma.reduce((g, s, axis) => g * (image.dims[axis] > 1 ? Math.sqrt(energy(s, 0)) : 1), 1)
  // No value farther out than those of the sources are, which were trimmed there.
  for (let i = 0; i < smooth.data.length; i++) smooth.data[i] = Math.max(-3.5, Math.min(3.5, smooth.data[i] / gain))
  return { sd, noise: uncrop(smooth, box, image) as Image, correlation }
}

/** Correlation of residuals one voxel apart along an axis, both in the sources; never below 0. */
function neighbourCorrelation({ dims, data }: Image, sources: Mask, axis: number): number {
  const step = [1, dims[0], dims[0] * dims[1]][axis]
  let [together, own] = [0, 0]
  for (let i = 0; i + step < data.length; i++) {
    if (sources.data[i] === 0 || sources.data[i + step] === 0) continue
    together += data[i] * data[i + step]
    own += (data[i] * data[i] + data[i + step] * data[i + step]) / 2
  }
  return own > 0 ? Math.max(0, Math.min(0.98, together / own)) : 0
}

/** σ, in voxels, of the Gaussian that gives white noise this correlation between neighbours; 0: none is needed. */
function sigmaFor(correlation: number): number {
  if (correlation < 0.02) return 0
  let [low, high] = [0.05, 5]
  for (let step = 0; step < 40; step++) {
    const middle = (low + high) / 2
    if (energy(middle, 1) / energy(middle, 0) < correlation) low = middle
    else high = middle
  }
  return (low + high) / 2
}

/** Product sum of a Gaussian kernel with itself, `lag` voxels apart; a kernel that `gaussian` leaves out is a single 1. */
function energy(sigma: number, lag: number): number {
  if (sigma < 0.05) return lag === 0 ? 1 : 0
  const w = gaussianWeights(sigma)
  let sum = 0
  for (let i = 0; i + lag < w.length; i++) sum += w[i] * w[i + lag]
  return sum
}

/** Grows by faces, along the axes of thin steps alone. */
export function growThin(mask: Mask, steps: number): Mask {
  const { dims, affine } = mask
  const size = voxelSizes(affine)
  const stride = [1, dims[0], dims[0] * dims[1]]
  let data: Uint8Array = mask.data.map((v) => (v === 0 ? 0 : 1))
  for (let step = 0; step < steps; step++) {
    const out = data.slice()
    for (let at = 0; at < data.length; at++) {
      if (data[at] === 0) continue
      const place = [at % dims[0], Math.floor(at / stride[1]) % dims[1], Math.floor(at / stride[2])]
      for (let axis = 0; axis < 3; axis++) {
        if (size[axis] >= thickSlice) continue
        if (place[axis] > 0) out[at - stride[axis]] = 1
        if (place[axis] < dims[axis] - 1) out[at + stride[axis]] = 1
      }
    }
    data = out
  }
  return { dims, affine, data }
}

/** Sources this near to the filled voxels, mm, are what these are compared with. */
const aroundMm = 6

async function compare(
  image: Image,
  lesions: Mask,
  target: Mask,
  part: Image,
  mean: Image,
  targetPart: Mask,
  sources: Mask,
  inBox: Uint32Array,
  values: Float32Array,
): Promise<Pick<FillFigures, 'meanBefore' | 'meanRim' | 'meanFilled' | 'meanAround' | 'sdFilled' | 'sdAround'>> {
  const far = await distanceTo(targetPart)
  const around: number[] = []
  const deviations: number[] = []
  for (let i = 0; i < far.data.length; i++)
    if (sources.data[i] !== 0 && far.data[i] <= aroundMm) {
      around.push(part.data[i])
      deviations.push(part.data[i] - mean.data[i])
    }
  const before = Float32Array.from(voxelsIn(lesions), (at) => image.data[at])
  const rim = Float32Array.from(
    voxelsIn(target).filter((at) => lesions.data[at] === 0),
    (at) => image.data[at],
  )
  return {
    meanBefore: typical(before).mean,
    meanRim: typical(rim).mean,
    meanFilled: typical(values).mean,
    meanAround: typical(around).mean,
    sdFilled: typical(values.map((v, n) => v - mean.data[inBox[n]])).sd,
    sdAround: typical(deviations).sd,
  }
}

function nothing(mask: Mask): Filling {
  return {
    voxels: new Uint32Array(0),
    values: new Float32Array(0),
    mask,
    figures: {
      lesionVoxels: 0,
      rimVoxels: 0,
      filledVoxels: 0,
      sourceVoxels: 0,
      widenedVoxels: 0,
      meanBefore: Number.NaN,
      meanRim: Number.NaN,
      meanFilled: Number.NaN,
      meanAround: Number.NaN,
      sdFilled: Number.NaN,
      sdAround: Number.NaN,
      neighbourCorrelation: [0, 0, 0],
    },
  }
}

function where(grid: Image, test: (index: number) => boolean): Mask {
  const out = emptyMask(grid)
  for (let i = 0; i < out.data.length; i++) if (test(i)) out.data[i] = 1
  return out
}
