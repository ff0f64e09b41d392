import type { Arena, Block } from '../kernels/index.js'
import type { Vec3 } from './affine.js'

/** First input, number of taps and weights of each output, as the kernels take them. */
export type Band = readonly [first: number, taps: number, weights: number]

/**
 * A banded matrix along one axis, put into an arena: output `o` is the sum over `taps` inputs from `first` on, each times
 * its weight. Entries beyond the input count as 0.
 *
 * @param entry the first input of an output, and the weight of an input by its index
 */
export function bandOf(
  arena: Arena,
  outputs: number,
  taps: number,
  entry: (output: number) => [first: number, weight: (input: number) => number],
): Band {
  const firsts = new Int32Array(outputs)
  const weights = new Float32Array(outputs * taps)
  for (let o = 0; o < outputs; o++) {
    const [first, weight] = entry(o)
    firsts[o] = first
    for (let t = 0; t < taps; t++) weights[o * taps + t] = weight(first + t)
  }
  return [arena.int32(firsts).ptr, taps, arena.float32(weights).ptr]
}

/** `from`, of `dims`, with its `axis` turned into `outputs` values by a band: a new block. */
export async function bandAlong(
  arena: Arena,
  from: Block<Float32Array>,
  dims: Vec3,
  axis: 0 | 1 | 2,
  outputs: number,
  band: Band,
): Promise<Block<Float32Array>> {
  const [nx, ny, nz] = dims
  const to = arena.float32((from.length / dims[axis]) * outputs)
  if (axis === 0) await arena.run('bandX', ny * nz, 64, from.ptr, to.ptr, nx, outputs, ...band)
  else if (axis === 1) await arena.run('bandAcross', outputs * nz, 64, from.ptr, to.ptr, nx, ny, outputs, ...band)
  else await arena.run('bandAcross', outputs, 4, from.ptr, to.ptr, nx * ny, nz, outputs, ...band)
  return to
}
