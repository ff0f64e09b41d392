import { forestFromBytes, forestToBytes } from '../../learn/forest.js'
import { gunzip, readAsset } from '../../platform/index.js'
import { type Mask, voxelCount } from '../../volume/volume.js'
import type { BeastLibrary } from './beast.js'
import { headFrame } from './frame.js'
import type { RobexModel } from './robex.js'

export type BrainContrast = 't1' | 'flair'

/** What BEaST and ROBEX know of heads of one contrast, learnt from simulated heads only (assets/brain/README.md). */
export interface BrainModels {
  library: BeastLibrary
  robex: RobexModel
}

/** Reads the models once; later calls answer at once. */
export function brainModels(contrast: BrainContrast): Promise<BrainModels> {
  known[contrast] ??= read(contrast)
  return known[contrast]
}

const known: Partial<Record<BrainContrast, Promise<BrainModels>>> = {}

async function read(contrast: BrainContrast): Promise<BrainModels> {
  return {
    library: libraryFromBytes(await gunzip(await readAsset(`assets/brain/beast-${contrast}.gz`))),
    robex: robexFromBytes(await gunzip(await readAsset(`assets/brain/robex-${contrast}.gz`))),
  }
}

/** Intensities are kept in steps of 5. */
const step = 5

/** One byte a voxel of `headFrame`: intensity in steps of 5, and the brain in the lowest bit. */
export function libraryToBytes(library: BeastLibrary): Uint8Array {
  const n = voxelCount(headFrame)
  const bytes = new Uint8Array(n * library.length)
  library.forEach(({ image, mask }, h) => {
    for (let i = 0; i < n; i++) bytes[h * n + i] = (Math.round(image.data[i] / step) << 1) | mask.data[i]
  })
  return bytes
}

/** The heads and their mirror images. */
export function libraryFromBytes(bytes: Uint8Array): BeastLibrary {
  const n = voxelCount(headFrame)
  const [nx] = headFrame.dims
  const heads: { image: { dims: Mask['dims']; affine: Mask['affine']; data: Float32Array }; mask: Mask }[] = []
  for (let from = 0; from + n <= bytes.length; from += n)
    for (const mirrored of [false, true]) {
      const data = new Float32Array(n)
      const brain = new Uint8Array(n)
      for (let i = 0; i < n; i++) {
        // the frame lies even about the middle plane
        const byte = bytes[from + (mirrored ? i + nx - 1 - 2 * (i % nx) : i)]
        data[i] = step * (byte >> 1)
        brain[i] = byte & 1
      }
      heads.push({ image: { ...headFrame, data }, mask: { ...headFrame, data: brain } })
    }
  return heads
}

/** Rays, modes, centre, mean, spreads and modes as 32-bit numbers, then the forest. */
export function robexToBytes({ centre, mean, modes, sd, forest }: RobexModel): Uint8Array {
  const numbers = Float32Array.from([
    mean.length,
    modes.length,
    ...centre,
    ...mean,
    ...sd,
    ...modes.flatMap((m) => [...m]),
  ])
  const trees = forestToBytes(forest)
  const bytes = new Uint8Array(4 * numbers.length + trees.length)
  const view = new DataView(bytes.buffer)
  numbers.forEach((v, i) => view.setFloat32(4 * i, v, true))
  bytes.set(trees, 4 * numbers.length)
  return bytes
}

export function robexFromBytes(bytes: Uint8Array): RobexModel {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const numbers = (from: number, count: number) =>
    Float32Array.from({ length: count }, (_, i) => view.getFloat32(4 * (from + i), true))
  const [rays, modes] = numbers(0, 2)
  const [x, y, z] = numbers(2, 3)
  const first = 5 + rays + modes
  return {
    centre: [x, y, z],
    mean: numbers(5, rays),
    sd: numbers(5 + rays, modes),
    modes: Array.from({ length: modes }, (_, k) => numbers(first + k * rays, rays)),
    forest: forestFromBytes(bytes.subarray(4 * (first + modes * rays))),
  }
}
