import type { Arena } from '../../kernels/index.js'
import type { Level } from './levels.js'

/** Half the side of the cubes of the local correlation, voxels. */
const radius = 2
/** Variance (of intensities 0–1) below which a cube is flat and says nothing. */
const flat = 1e-3

/**
 * Local correlation of the two images of a level after displacements (three planes each, voxels; address 0: none for the
 * fixed image), and how either should move for it to grow, into `moveFixed` and `moveMoving`.
 */
export type Correlation = (toFixed: number, toMoving: number, moveFixed: number, moveMoving: number) => Promise<number>

export function correlationOf(arena: Arena, level: Level): Correlation {
  const [nx, ny, nz] = level.grid.dims
  const n = nx * ny * nz
  const rows = ny * nz
  const chunk = 64
  const fixed = arena.float32(level.fixed.data)
  const moving = arena.float32(level.moving.data)
  const weight = level.weight && arena.float32(level.weight.data)
  const [f, m, w] = [arena.float32(n), arena.float32(n), weight && arena.float32(n)]
  const [sums, spare] = [arena.float32(5 * n), arena.float32(5 * n)]
  const totals = arena.float64(2 * Math.ceil(rows / chunk))
  const warp = (source: number, field: number, to: number) =>
    arena.run('warpRows', rows, chunk, source, field, to, nx, ny, nz)

  return async (toFixed, toMoving, moveFixed, moveMoving) => {
    await warp(moving.ptr, toMoving, m.ptr)
    if (toFixed !== 0) await warp(fixed.ptr, toFixed, f.ptr)
    if (weight && toFixed !== 0) await warp(weight.ptr, toFixed, w!.ptr)
    const [still, inside] = toFixed !== 0 ? [f.ptr, w?.ptr ?? 0] : [fixed.ptr, weight?.ptr ?? 0]
    await arena.run('lnccX', rows, chunk, still, m.ptr, sums.ptr, nx, n, radius)
    await arena.run('lnccY', 5 * nz, 4, sums.ptr, spare.ptr, nx, ny, radius)
    await arena.run('lnccZ', 5 * ny, 4, spare.ptr, sums.ptr, nx, ny, nz, radius)
    const out = [moveFixed, moveMoving, nx, ny, nz, radius, flat, totals.ptr, chunk]
    await arena.run('lnccForce', rows, chunk, still, m.ptr, sums.ptr, inside, ...out)
    const parts = totals.view()
    let [sum, count] = [0, 0]
    for (let i = 0; i < parts.length; i += 2) {
      sum += parts[i]
      count += parts[i + 1]
    }
    return count > 0 ? sum / count : 0
  }
}
