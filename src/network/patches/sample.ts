import { type ChannelRoles, type Variation, vary } from '../augment.js'
import { type CropShares, type LabelledScan, ScanPool } from '../scan.js'

/** Training samples of a 3-D network: cubes of 1 mm voxels, turned, scaled and mirrored by one interpolation. */

export interface CubeOptions extends Variation, CropShares {
  /** Voxels of the cube's edge. */
  size: number
  /** Share of samples averaged to slices of 2–8 mm. */
  thick: number
}

export class CubePool {
  readonly #scans: ScanPool

  constructor(
    scans: readonly LabelledScan[],
    readonly roles: ChannelRoles,
    readonly options: CubeOptions,
  ) {
    this.#scans = new ScanPool(scans, roles.flair[0])
  }

  /** Writes one sample: `image` is `[channels, size, size, size]` (z, y, x), `truth` `[size, size, size]`. */
  draw(random: () => number, image: Float32Array, truth: Float32Array): void {
    const { size, thick } = this.options
    const { scan, voxel } = this.#scans.voxel(this.options, random)
    const read = cubeReader(scan, voxel, size, random)
    const count = size ** 3
    scan.channels.forEach((volume, c) => {
      read(volume, image.subarray(c * count, (c + 1) * count))
    })
    read(scan.truth, truth)
    if (random() < thick) {
      const axis = Math.floor(3 * random())
      const slices = 2 + Math.floor(7 * random())
      const first = Math.floor(slices * random())
      for (let c = 0; c < scan.channels.length; c++)
        thicken(image.subarray(c * count, (c + 1) * count), size, axis, slices, first)
      thicken(truth, size, axis, slices, first)
    }
    for (let i = 0; i < count; i++) truth[i] = truth[i] >= 0.5 ? 1 : 0
    vary({ shape: [size, size, size], image, truth, ...this.roles }, this.options, random)
  }
}

/** Reads volumes of a scan in a cube around a voxel, turned up to 17° about each axis, ±20 % in size, mirrored or not. */
function cubeReader({ dims, spacing }: LabelledScan, voxel: number, size: number, random: () => number) {
  const [nx, ny] = dims
  const centre = [voxel % nx, Math.floor(voxel / nx) % ny, Math.floor(voxel / (nx * ny))]
  const angle = () => (random() - 0.5) * 0.6
  const scale = Math.exp((random() - 0.5) * 0.4)
  const mirror = random() < 0.5 ? -1 : 1
  const turn = rotation(angle(), angle(), angle())
  const shift = [0, 1, 2].map(() => (random() - 0.5) * size * 0.5)
  // Columns: steps in voxels of the scan for one voxel of the cube along x, y and z.
  const along = [0, 1, 2].map((axis) =>
    turn.map((row, a) => (row[axis] * scale * (axis === 0 ? mirror : 1)) / spacing[a]),
  )
  const start = centre.map((c, a) => c + along.reduce((sum, step, axis) => sum + step[a] * (shift[axis] - size / 2), 0))
  return (volume: ArrayLike<number>, out: Float32Array): void => {
    for (let k = 0, to = 0; k < size; k++)
      for (let j = 0; j < size; j++)
        for (let i = 0; i < size; i++, to++)
          out[to] = trilinear(
            volume,
            dims,
            start[0] + i * along[0][0] + j * along[1][0] + k * along[2][0],
            start[1] + i * along[0][1] + j * along[1][1] + k * along[2][1],
            start[2] + i * along[0][2] + j * along[1][2] + k * along[2][2],
          )
  }
}

function rotation(a: number, b: number, c: number): number[][] {
  const [ca, sa, cb, sb, cc, sc] = [Math.cos(a), Math.sin(a), Math.cos(b), Math.sin(b), Math.cos(c), Math.sin(c)]
  return [
    [cb * cc, sa * sb * cc - ca * sc, ca * sb * cc + sa * sc],
    [cb * sc, sa * sb * sc + ca * cc, ca * sb * sc - sa * cc],
    [-sb, sa * cb, ca * cb],
  ]
}

/** Zero outside. */
function trilinear(v: ArrayLike<number>, [nx, ny, nz]: readonly number[], x: number, y: number, z: number): number {
  const [i, j, k] = [Math.floor(x), Math.floor(y), Math.floor(z)]
  if (i < 0 || j < 0 || k < 0 || i >= nx - 1 || j >= ny - 1 || k >= nz - 1) return 0
  const [a, b, c] = [x - i, y - j, z - k]
  const at = (k * ny + j) * nx + i
  const up = at + nx * ny
  const low = (v[at] * (1 - a) + v[at + 1] * a) * (1 - b) + (v[at + nx] * (1 - a) + v[at + nx + 1] * a) * b
  const high = (v[up] * (1 - a) + v[up + 1] * a) * (1 - b) + (v[up + nx] * (1 - a) + v[up + nx + 1] * a) * b
  return low * (1 - c) + high * c
}

/** Every `slices` voxels along an axis get their mean, as a thick slice brought to thin voxels has it. */
function thicken(values: Float32Array, size: number, axis: number, slices: number, first: number): void {
  const step = size ** axis
  for (let row = 0; row < size * size; row++) {
    const start = (row % step) + Math.floor(row / step) * step * size
    for (let from = first - slices; from < size; from += slices) {
      const [low, high] = [Math.max(0, from), Math.min(size, from + slices)]
      let sum = 0
      for (let i = low; i < high; i++) sum += values[start + i * step]
      for (let i = low; i < high; i++) values[start + i * step] = sum / (high - low)
    }
  }
}
