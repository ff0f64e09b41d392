import type { Image, Mask } from '../src/volume/volume.js'

/**
 * Mean structural similarity (Wang et al. 2004) of two images inside a mask, over boxes of 7³ voxels on every second voxel
 * of each axis, for intensities up to `top`.
 */
export function structuralSimilarity(a: Image, b: Image, mask: Mask, top: number): number {
  const [nx, ny, nz] = a.dims
  const [c1, c2] = [(0.01 * top) ** 2, (0.03 * top) ** 2]
  let [n, total] = [0, 0]
  for (let k = 3; k < nz - 3; k += 2)
    for (let j = 3; j < ny - 3; j += 2)
      for (let i = 3; i < nx - 3; i += 2) {
        if (mask.data[i + nx * (j + ny * k)] === 0) continue
        let [x, y, xx, yy, xy] = [0, 0, 0, 0, 0]
        for (let c = -3; c <= 3; c++)
          for (let r = -3; r <= 3; r++) {
            const row = i + nx * (j + r + ny * (k + c))
            for (let at = row - 3; at <= row + 3; at++) {
              const [u, v] = [a.data[at], b.data[at]]
              x += u
              y += v
              xx += u * u
              yy += v * v
              xy += u * v
            }
          }
        const [mx, my] = [x / 343, y / 343]
        const [vx, vy, cov] = [xx / 343 - mx * mx, yy / 343 - my * my, xy / 343 - mx * my]
        total += ((2 * mx * my + c1) * (2 * cov + c2)) / ((mx * mx + my * my + c1) * (vx + vy + c2))
        n++
      }
  return total / n
}
