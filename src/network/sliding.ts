import type { Shape3 } from './nnunet/crop.js'
import { product, roundHalfEven } from './nnunet/rules.js'

/** Runs a network over overlapping windows of an image and blends the outputs. */

export interface SlidingOptions {
  /** Step between windows as a share of the patch. */
  step?: number
  /** Average over the mirror images along all axes that the model was trained for. */
  mirror?: boolean
  /** Share of the work that is done, 0–1. */
  progress?: (fraction: number) => void
  signal?: AbortSignal
}

export interface SlidingImage {
  /** z, y, x */
  shape: Shape3
  /** One volume each, x fastest. */
  channels: readonly Float32Array[]
}

export interface WindowPlan {
  /** (z,) y, x; two numbers are a window of one slice. */
  patch: readonly number[]
  /** Of the patch's axes. */
  mirrorAxes: readonly number[]
  /** Factor of all that is added. */
  share?: number
}

/**
 * Adds to `sums` the outputs of `run` over overlapping windows, Gaussian weights (σ an eighth of the patch) normalised so
 * that they sum to `share` at every voxel. An image smaller than the patch is centred among zeros.
 * nnU-Net itself keeps weights and sums in half precision: its labels differ from these at a few voxels where two are
 * about as likely.
 *
 * @param run takes a window `[channels, …patch]` and gives `[sums, …patch]`; both arrays may be used again
 * @throws the signal's reason when aborted
 */
export async function slideWindows(
  { shape, channels }: SlidingImage,
  { patch, mirrorAxes, share = 1 }: WindowPlan,
  run: (window: Float32Array) => Promise<Float32Array>,
  sums: readonly Float32Array[],
  { step = 0.5, mirror = true, progress, signal }: SlidingOptions = {},
): Promise<void> {
  const flat = 3 - patch.length
  const size = [...Array<number>(flat).fill(1), ...patch]
  const tiles = shape.map((n, axis) => axisTiles(n, size[axis], axis < flat ? 1 : step))
  const mirrors = mirror ? subsets(mirrorAxes.map((axis) => axis + flat)) : [[]]
  const window = new Float32Array(channels.length * product(size))
  const total = product(tiles.map((axis) => axis.length)) * mirrors.length
  let done = 0
  for (const z of tiles[0])
    for (const y of tiles[1])
      for (const x of tiles[2])
        for (const flipped of mirrors) {
          signal?.throwIfAborted()
          const place = [z, y, x].map((tile, axis) => (flipped.includes(axis) ? reversed(tile) : tile))
          cut(channels, shape, place, window)
          addWindow(await run(window), place, shape, sums, share / mirrors.length)
          progress?.(++done / total)
        }
}

/** One window's extent along an axis. */
export interface Tile {
  /** Voxel of the image under each of the window's, −1 outside. */
  readonly at: Int32Array
  /** Weight of each of the window's voxels; over all windows they sum to 1 at every voxel of the image. */
  readonly weight: Float64Array
}

/**
 * Windows along one axis, evenly spaced, at most `step` patches apart. The weights of windows on a grid are products over
 * the axes, so each axis is normalised by itself.
 */
export function axisTiles(size: number, patch: number, step: number): Tile[] {
  const padded = Math.max(size, patch)
  const before = Math.floor((padded - size) / 2)
  const count = Math.ceil((padded - patch) / (patch * step)) + 1
  const starts = Array.from({ length: count }, (_, i) =>
    count === 1 ? 0 : roundHalfEven((i * (padded - patch)) / (count - 1)),
  )
  const gaussian = Float64Array.from({ length: patch }, (_, i) =>
    Math.exp(-0.5 * ((i - Math.floor(patch / 2)) / (patch / 8)) ** 2),
  )
  const totals = new Float64Array(padded)
  for (const start of starts) for (let i = 0; i < patch; i++) totals[start + i] += gaussian[i]
  return starts.map((start) => {
    const inside = (i: number) => start + i >= before && start + i < before + size
    return {
      at: Int32Array.from({ length: patch }, (_, i) => (inside(i) ? start + i - before : -1)),
      weight: gaussian.map((value, i) => value / totals[start + i]),
    }
  })
}

const reversed = ({ at, weight }: Tile): Tile => ({ at: at.slice().reverse(), weight: weight.slice().reverse() })

const subsets = (axes: readonly number[]): number[][] =>
  axes.reduce<number[][]>((all, axis) => all.concat(all.map((set) => set.concat(axis))), [[]])

/** Whether a tile is a stretch of the image, in its order. */
const isRow = ({ at }: Tile): boolean => at[0] >= 0 && at[at.length - 1] - at[0] === at.length - 1

function cut(channels: readonly Float32Array[], shape: Shape3, [z, y, x]: readonly Tile[], out: Float32Array): void {
  let i = 0
  const inside = isRow(x)
  for (const data of channels)
    for (const k of z.at)
      for (const j of y.at) {
        const row = (k * shape[1] + j) * shape[2]
        const outside = k < 0 || j < 0
        if (inside && !outside) {
          out.set(data.subarray(row + x.at[0], row + x.at[0] + x.at.length), i)
          i += x.at.length
        } else for (const column of x.at) out[i++] = outside || column < 0 ? 0 : data[row + column]
      }
}

function addWindow(
  values: Float32Array,
  [z, y, x]: readonly Tile[],
  shape: Shape3,
  sums: readonly Float32Array[],
  share: number,
): void {
  let from = 0
  const inside = isRow(x)
  for (const sum of sums)
    for (const [a, k] of z.at.entries())
      for (const [b, j] of y.at.entries()) {
        const row = (k * shape[1] + j) * shape[2]
        const weight = share * z.weight[a] * y.weight[b]
        if (inside && k >= 0 && j >= 0)
          for (let c = 0, to = row + x.at[0]; c < x.at.length; c++) sum[to++] += weight * x.weight[c] * values[from + c]
        else if (k >= 0 && j >= 0)
          for (let c = 0; c < x.at.length; c++) {
            const column = x.at[c]
            if (column >= 0) sum[row + column] += weight * x.weight[c] * values[from + c]
          }
        from += x.at.length
      }
}
