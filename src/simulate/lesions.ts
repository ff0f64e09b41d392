import type { Atlas } from '../preprocess/atlas.js'
import { apply, invert, type Vec3 } from '../volume/affine.js'
import { resample } from '../volume/resample.js'
import { emptyImage, type Grid, type Image, voxelCount } from '../volume/volume.js'

/** A lesion that was put into a simulated head, in the atlas's space. */
export interface SimulatedLesion {
  /** Centre, RAS mm. */
  centre: Vec3
  /** Half axes of the ellipsoid it was made from, mm. */
  radii: Vec3
}

/**
 * Lesions where patients have them: centres drawn from the atlas's lesion frequency within white matter, sizes from many
 * small to a few large, shapes ellipsoids with an uneven border.
 *
 * @param grid atlas-space grid of the result
 * @returns lesion fraction of each voxel, 0–1, and what was put where
 */
export async function drawLesions(
  atlas: Atlas,
  grid: Grid,
  { lesionMl, random }: { lesionMl: number; random: () => number },
): Promise<{ fraction: Image; lesions: SimulatedLesion[] }> {
  const prior = await resample(atlas.lesionPrior, grid)
  const white = await resample(atlas.wm, grid)
  const stem = await resample(atlas.infratentorial, grid)
  const fraction = emptyImage(grid)
  // Cumulative weights over voxels: one binary search a draw. The prior is a square root; brainstem lesions are rarer in
  // it than in patients' reports, so they are drawn more often.
  const cumulative = new Float64Array(voxelCount(grid))
  let total = 0
  for (let i = 0; i < cumulative.length; i++) {
    if (white.data[i] > 0.6) total += prior.data[i] ** 2 * (stem.data[i] > 0.5 ? 4 : 1)
    cumulative[i] = total
  }
  const lesions: SimulatedLesion[] = []
  let volume = 0
  while (volume < lesionMl * 1000 && lesions.length < 400) {
    const at = search(cumulative, random() * total)
    const [nx, ny] = grid.dims
    const centre = apply(grid.affine, [at % nx, Math.floor(at / nx) % ny, Math.floor(at / (nx * ny))])
    // Many small lesions, few large: the mean radius falls off as a power of a uniform number.
    const size = 2 + 5 * random() ** 3
    const radii = [0, 1, 2].map(() => size * (0.7 + 0.6 * random())) as unknown as Vec3
    volume += paint(fraction, white, centre, radii, random)
    lesions.push({ centre, radii })
  }
  return { fraction, lesions }
}

/** Adds one lesion with a border of about a millimetre; returns the volume it added in mm³ (1 mm voxels or others). */
function paint(fraction: Image, white: Image, centre: Vec3, radii: Vec3, random: () => number): number {
  const [nx, ny, nz] = fraction.dims
  const toIndex = invert(fraction.affine)
  const at = apply(toIndex, centre).map(Math.round)
  const reach = Math.ceil(Math.max(...radii) * 1.4) + 1
  const waves = Array.from({ length: 3 }, () => [
    0.3 + 0.5 * random(),
    2 * Math.PI * random(),
    Math.floor(3 * random()),
  ])
  let added = 0
  for (let k = Math.max(0, at[2] - reach); k <= Math.min(nz - 1, at[2] + reach); k++)
    for (let j = Math.max(0, at[1] - reach); j <= Math.min(ny - 1, at[1] + reach); j++)
      for (let i = Math.max(0, at[0] - reach); i <= Math.min(nx - 1, at[0] + reach); i++) {
        const p = apply(fraction.affine, [i, j, k])
        const d = [0, 1, 2].map((axis) => p[axis] - centre[axis])
        const bump = waves.reduce(
          (sum, [frequency, phase, axis]) => sum + 0.09 * Math.sin(frequency * d[axis] + phase),
          0,
        )
        const distance = Math.hypot(d[0] / radii[0], d[1] / radii[1], d[2] / radii[2]) + bump
        const depth = (1 - distance) * Math.min(...radii)
        const index = i + nx * (j + ny * k)
        // Lesions stop at the ventricles and thin out in grey matter.
        const value = Math.min(1, Math.max(0, 0.5 + depth)) * Math.min(1, 1.4 * white.data[index])
        if (value > fraction.data[index]) {
          added += value - fraction.data[index]
          fraction.data[index] = value
        }
      }
  return added
}

/** Index of the first entry above `value` in an ascending array. */
function search(ascending: Float64Array, value: number): number {
  let [low, high] = [0, ascending.length - 1]
  while (low < high) {
    const middle = (low + high) >> 1
    if (ascending[middle] > value) high = middle
    else low = middle + 1
  }
  return low
}
