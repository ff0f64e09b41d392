import { fillHoles, largestComponent } from '../../volume/components.js'
import { resample } from '../../volume/resample.js'
import { emptyImage, emptyMask, type Grid, gridOf, type Image, type Mask } from '../../volume/volume.js'
import { type PatchImage, patchImage, vote } from './beast-vote.js'

/** Heads with known brains, all on one grid of isotropic voxels in atlas space, intensities on one scale. */
export type BeastLibrary = readonly { image: Image; mask: Mask }[]

export interface BeastOptions {
  /** How far from certain (0 or 1) a coarse vote may be to be taken over as it is. Default 0.2. */
  alpha?: number
  /** Width of the weights: w = exp(−d / (beta · least d)). Default 0.25. */
  beta?: number
  /** Least likeness of mean and spread for a patch to be compared; 0 compares all. Default 0.95. */
  preselection?: number
  /** How many heads of the library vote: those most like the subject. Default 20. */
  selected?: number
  signal?: AbortSignal
}

export interface BeastResult {
  mask: Mask
  /** Share of the votes for brain, on the library's grid. */
  probability: Image
  /** Voxels that were voted on at each level, and those of them where no patch was alike. */
  voted: { mm: number; voxels: number; without: number }[]
  /** Which heads of the library voted at the finest level. */
  templates: number[]
}

/** Voxel size in mm, half sizes of patch and search window. */
const levels = [
  { mm: 4, patch: 1, search: 2 },
  { mm: 2, patch: 1, search: 4 },
  { mm: 1, patch: 2, search: 6 },
]

/**
 * BEaST (Eskildsen et al. 2012, NeuroImage 59:2362): each voxel near the brain's edge is brain where the patches of the
 * library's heads that look like its own are brain. Coarse votes (4 mm) settle what is certain, the finer levels the rest,
 * down to the library's voxel size.
 *
 * @param image on the library's grid and scale (see `inFrame`)
 * @throws RangeError when the library is empty or on another grid
 */
export async function beast(image: Image, library: BeastLibrary, options: BeastOptions = {}): Promise<BeastResult> {
  const { alpha = 0.2, beta = 0.25, preselection = 0.95, selected = 20, signal } = options
  if (library.length === 0) throw new RangeError('beast needs at least one head in its library.')
  if (library.some((head) => head.image.data.length !== image.data.length))
    throw new RangeError('beast needs image and library on one grid.')
  const finest = image.affine[0]
  const voted: BeastResult['voted'] = []
  let templates: number[] = []
  let before: Image | undefined
  for (const { mm, patch, search } of levels.filter((level) => level.mm >= finest - 1e-6)) {
    signal?.throwIfAborted()
    const grid = coarser(image, mm)
    const at = async (from: Image | Mask): Promise<Image> =>
      mm === finest
        ? { ...gridOf(from), data: Float32Array.from(from.data) }
        : resample(from, grid, { antialias: true })
    const subject = patchImage(await at(image), patch)
    const heads: { image: Image; mask: Image }[] = []
    for (const head of library) heads.push({ image: await at(head.image), mask: await at(head.mask) })
    const region = uncertain(
      heads.map(({ mask }) => mask),
      Math.ceil(8 / mm),
    )
    const probability = before ? await resample(before, grid, {}) : meanOf(heads.map(({ mask }) => mask))
    const open: number[] = []
    for (let i = 0; i < region.length; i++) {
      const p = probability.data[i]
      if (before ? p > alpha && p < 1 - alpha : region[i] === 1) open.push(i)
      else probability.data[i] = p >= 0.5 ? 1 : 0
    }
    templates = ranked(subject, heads, region).slice(0, selected)
    const chosen = templates.map((t) => ({ image: patchImage(heads[t].image, patch), mask: heads[t].mask }))
    const without = vote(subject, chosen, open, probability, { patch, search, beta, preselection, signal })
    voted.push({ mm, voxels: open.length, without })
    before = probability
  }
  const mask = emptyMask(image)
  for (let i = 0; i < mask.data.length; i++) mask.data[i] = before!.data[i] >= 0.5 ? 1 : 0
  return { mask: fillHoles(largestComponent(mask, 6)), probability: before!, voted, templates }
}

function coarser({ dims, affine }: Grid, mm: number): Grid {
  const factor = mm / affine[0]
  if (factor <= 1) return { dims, affine }
  const shift = (factor - 1) / 2
  return {
    dims: [Math.ceil(dims[0] / factor), Math.ceil(dims[1] / factor), Math.ceil(dims[2] / factor)],
    affine: affine.map((v, i) => (i === 3 || i === 7 || i === 11 ? v + shift * affine[0] : i < 12 ? v * factor : v)),
  }
}

/** Where the library's brains do not agree, and `steps` voxels around. */
function uncertain(masks: readonly Image[], steps: number): Uint8Array {
  const {
    dims: [nx, ny, nz],
    data,
  } = meanOf(masks)
  const band = Uint8Array.from(data, (v) => (v > 0.01 && v < 0.99 ? 1 : 0))
  const stride = [1, nx, nx * ny]
  const size = [nx, ny, nz]
  for (let axis = 0; axis < 3; axis++) {
    const from = band.slice()
    for (let i = 0; i < band.length; i++) {
      if (from[i] === 0) continue
      const at = Math.floor(i / stride[axis]) % size[axis]
      for (let d = Math.max(-steps, -at); d <= Math.min(steps, size[axis] - 1 - at); d++) band[i + d * stride[axis]] = 1
    }
  }
  return band
}

function meanOf(masks: readonly Image[]): Image {
  const mean = emptyImage(masks[0])
  for (const { data } of masks) for (let i = 0; i < data.length; i++) mean.data[i] += data[i] / masks.length
  return mean
}

/** The heads by their squared difference from the subject within the region, the most alike first. */
function ranked(subject: PatchImage, heads: readonly { image: Image }[], region: Uint8Array): number[] {
  const differences = heads.map(({ image }) => {
    let sum = 0
    for (let i = 0; i < region.length; i++) if (region[i] === 1) sum += (image.data[i] - subject.data[i]) ** 2
    return sum
  })
  return heads.map((_, t) => t).sort((a, b) => differences[a] - differences[b] || a - b)
}
