import { z } from 'zod'
import { InputError } from '../errors.js'
import { readJson } from '../formats/json.js'
import { type Affine, compose, invert, scaling, type Vec3, voxelSizes } from '../volume/affine.js'
import { labelComponents } from '../volume/components.js'
import { boundingBox, crop } from '../volume/crop.js'
import { distanceTo } from '../volume/distance.js'
import { resampleMask } from '../volume/resample.js'
import { type Grid, type Mask, maskWhere, type Volume } from '../volume/volume.js'

/** One lesion's form: plain values that can be sent to a worker. */
export interface LesionShape {
  /** Voxels of 1 mm, with `shapeMargin` of them around the lesion. */
  dims: Vec3
  /** Depth below the surface in steps of `depthStep` mm, negative outside; x fastest. */
  depth: Int8Array
  /** Centre of mass, in voxels of this block. */
  centre: Vec3
  /** mm³. */
  volume: number
}

/** Forms of single lesions as patients have them: `drawShape` gives each as often as it is there. */
export interface LesionBank {
  /** By volume, the smallest first. */
  shapes: readonly LesionShape[]
}

export const shapeMargin = 3
/** Fine enough for partial volume; what lies deeper than 25 mm is taken as 25 mm deep. */
export const depthStep = 0.2

/**
 * A bank of the single lesions (18-connected) of lesion masks; masks of other voxel sizes are brought to 1 mm.
 *
 * @param options.minMm3 smaller ones are left out; default 3, of which fewer voxels make no form
 * @throws RangeError when no lesion is left
 */
export async function lesionBank(
  masks: readonly Mask[],
  { minMm3 = 3 }: { minMm3?: number } = {},
): Promise<LesionBank> {
  const shapes: LesionShape[] = []
  for (const mask of masks) {
    const box = boundingBox(mask, 2)
    if (!box) continue
    const fine = await atOneMillimetre(crop(mask, box))
    const { labels, count, sizes } = labelComponents(fine, 18)
    const boxes = componentBoxes(labels, count)
    for (let label = 1; label <= count; label++)
      if (sizes[label] >= minMm3) shapes.push(await shapeOf(labels, label, boxes[label]))
  }
  if (shapes.length === 0) throw new RangeError(`The masks hold no lesion of at least ${minMm3} mm³.`)
  return { shapes: shapes.sort((a, b) => a.volume - b.volume) }
}

/** A shape of a volume within the limits, all of them equally likely; the nearest in size where there is none. */
export function drawShape(
  { shapes }: LesionBank,
  random: () => number,
  { minMm3 = 0, maxMm3 = Infinity }: { minMm3?: number; maxMm3?: number } = {},
): LesionShape {
  const from = firstAtLeast(shapes, minMm3)
  const to = firstAtLeast(shapes, maxMm3 * (1 + 1e-9))
  if (to <= from) return shapes[Math.min(from, shapes.length - 1)]
  return shapes[from + Math.floor(random() * (to - from))]
}

/**
 * The masks of a packed collection: an index (JSON: `lesions` with origin, size, offset and bytes; bits of each block, x
 * fastest, the lowest bit first) and its bits. Each entry becomes a mask of its own block.
 *
 * @throws InputError when index and bits do not fit
 */
export function unpackMasks(index: string, bits: Uint8Array, source: string): Mask[] {
  const fix = 'give lesions.json as it came'
  const { lesions, affine } = readJson(index, packedMasks, { source, what: 'the index of packed masks', fix })
  const size = voxelSizes(affine.flat())
  return lesions.map(({ size: dims, offset, bytes }, n) => {
    const count = dims[0] * dims[1] * dims[2]
    if (count > 8 * bytes || offset + bytes > bits.length)
      throw new InputError(source, `the packed collection is shorter than entry ${n} says`, fix)
    const data = Uint8Array.from({ length: count }, (_, i) => (bits[offset + (i >> 3)] >> (i & 7)) & 1)
    return { dims, affine: scaling(size), data }
  })
}

const row = z.tuple([z.number(), z.number(), z.number(), z.number()])
const voxels = z.int().min(1)
const packedMasks = z.object({
  affine: z.tuple([row, row, row, row]),
  lesions: z.array(
    z.object({ size: z.tuple([voxels, voxels, voxels]), offset: z.int().min(0), bytes: z.int().min(1) }),
  ),
})

/**
 * Depth in mm below the surface of a turned and scaled shape, as a function of the place in mm from its centre.
 *
 * @param turn rotation as a 4×4 map
 */
export function shapeDepth(
  { dims, depth, centre }: LesionShape,
  turn: Affine,
  scale: number,
): (x: number, y: number, z: number) => number {
  const back = invert(compose(turn, scaling([scale, scale, scale])))
  const [a, b, c, , d, e, f, , g, h, l] = back
  const [nx, ny, nz] = dims
  const [cx, cy, cz] = centre
  const row = nx
  const slice = nx * ny
  const step = depthStep * scale
  return (px, py, pz) => {
    const x = a * px + b * py + c * pz + cx
    const y = d * px + e * py + f * pz + cy
    const z = g * px + h * py + l * pz + cz
    if (x < 0 || y < 0 || z < 0 || x >= nx - 1 || y >= ny - 1 || z >= nz - 1) return -shapeMargin * scale
    const i = x | 0
    const j = y | 0
    const k = z | 0
    const u = x - i
    const v = y - j
    const w = z - k
    const at = i + row * j + slice * k
    const p = depth[at] + (depth[at + 1] - depth[at]) * u
    const q = depth[at + row] + (depth[at + row + 1] - depth[at + row]) * u
    const r = depth[at + slice] + (depth[at + slice + 1] - depth[at + slice]) * u
    const s = depth[at + slice + row] + (depth[at + slice + row + 1] - depth[at + slice + row]) * u
    const near = p + (q - p) * v
    return step * (near + (r + (s - r) * v - near) * w)
  }
}

/** How far a shape reaches from its centre, mm, at scale 1. */
export const shapeReach = ({ dims, centre }: LesionShape): number =>
  Math.hypot(...dims.map((n, axis) => Math.max(centre[axis], n - 1 - centre[axis]) - shapeMargin + 0.5))

function firstAtLeast(shapes: readonly LesionShape[], volume: number): number {
  let [low, high] = [0, shapes.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (shapes[middle].volume >= volume) high = middle
    else low = middle + 1
  }
  return low
}

async function atOneMillimetre(mask: Mask): Promise<Mask> {
  const size = voxelSizes(mask.affine)
  if (size.every((mm) => Math.abs(mm - 1) < 0.01)) return mask
  const dims = mask.dims.map((n, axis) => Math.ceil(n * size[axis])) as unknown as Vec3
  const grid: Grid = { dims, affine: compose(mask.affine, scaling(size.map((mm) => 1 / mm) as unknown as Vec3)) }
  return await resampleMask(mask, grid, { method: 'linear' })
}

function componentBoxes(labels: Volume<Int32Array>, count: number): { low: number[]; high: number[] }[] {
  const [nx, ny, nz] = labels.dims
  const boxes = Array.from({ length: count + 1 }, () => ({ low: [nx, ny, nz], high: [-1, -1, -1] }))
  let at = 0
  for (let k = 0; k < nz; k++)
    for (let j = 0; j < ny; j++)
      for (let i = 0; i < nx; i++, at++) {
        if (labels.data[at] === 0) continue
        const { low, high } = boxes[labels.data[at]]
        for (const [axis, value] of [i, j, k].entries()) {
          if (value < low[axis]) low[axis] = value
          if (value > high[axis]) high[axis] = value
        }
      }
  return boxes
}

async function shapeOf(
  labels: Volume<Int32Array>,
  label: number,
  { low, high }: { low: number[]; high: number[] },
): Promise<LesionShape> {
  const [nx, ny] = labels.dims
  const inner = low.map((from, axis) => high[axis] - from + 1)
  const dims = inner.map((n) => n + 2 * shapeMargin) as unknown as Vec3
  const affine = scaling([1, 1, 1])
  const mask = { dims, affine, data: new Uint8Array(dims[0] * dims[1] * dims[2]) }
  const sum = [0, 0, 0]
  let volume = 0
  for (let k = 0; k < inner[2]; k++)
    for (let j = 0; j < inner[1]; j++)
      for (let i = 0; i < inner[0]; i++) {
        if (labels.data[low[0] + i + nx * (low[1] + j + ny * (low[2] + k))] !== label) continue
        const place = [i + shapeMargin, j + shapeMargin, k + shapeMargin]
        mask.data[place[0] + dims[0] * (place[1] + dims[1] * place[2])] = 1
        for (const axis of [0, 1, 2]) sum[axis] += place[axis]
        volume++
      }
  const outside = await distanceTo(mask)
  const inside = await distanceTo(maskWhere(mask, (value) => value === 0))
  const depth = new Int8Array(mask.data.length)
  for (let i = 0; i < depth.length; i++) {
    // Voxel centres lie half a voxel from the surface between them.
    const mm = mask.data[i] !== 0 ? inside.data[i] - 0.5 : 0.5 - outside.data[i]
    depth[i] = Math.max(-127, Math.min(127, Math.round(mm / depthStep)))
  }
  return { dims, depth, centre: sum.map((total) => total / volume) as unknown as Vec3, volume }
}
