import { withArena } from '../../kernels/index.js'
import { gridOf, type Image, type Mask } from '../../volume/volume.js'
import { controlLines, type Lattice, type Places } from './lattice.js'

/** Evaluates the field from its control points on the full grid and divides the image by it; means in the mask are kept. */
export async function applied(
  image: Image,
  mask: Mask,
  lattice: Lattice,
  places: Places,
  signal?: AbortSignal,
): Promise<{ corrected: Image; logField: Image }> {
  const { lines, basis, width } = controlLines(lattice, places)
  const [nx, ny, nz] = image.dims
  return await withArena(
    async (arena) => {
      const source = arena.float32(image.data)
      const [log, corrected] = [arena.float32(source.length), arena.float32(source.length)]
      const inside = arena.uint8(mask.data)
      const sums = arena.float64(3 * ny * nz)
      const tables = [arena.float32(lines).ptr, arena.float32(basis).ptr, lattice.mesh + 3, width, nx]
      const volumes = [source.ptr, inside.ptr, log.ptr, corrected.ptr]
      await arena.run('biasApply', ny * nz, 64, ...volumes, ...tables, sums.ptr)
      let [voxels, fields, before, after] = [0, 0, 0, 0]
      for (let i = 0; i < mask.data.length; i++) if (mask.data[i] !== 0) voxels++
      const rows = sums.view()
      for (let r = 0; r < rows.length; r += 3) {
        fields += rows[r]
        before += rows[r + 1]
        after += rows[r + 2]
      }
      const scale = after > 0 ? before / after : 1
      await arena.run('biasCentre', source.length, 1 << 18, log.ptr, corrected.ptr, fields / voxels, scale)
      return {
        corrected: { ...gridOf(image), data: corrected.copy() },
        logField: { ...gridOf(image), data: log.copy() },
      }
    },
    { signal },
  )
}
