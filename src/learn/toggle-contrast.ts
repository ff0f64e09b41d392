import { voxelSizes } from '../volume/affine.js'
import { thickSlice } from '../volume/filter.js'
import { emptyImage, type Image, type Volume } from '../volume/volume.js'

/**
 * Morphological toggle contrast (Kramer and Bruckner 1975; Meyer and Serra 1989): every voxel takes the greatest or the least value
 * within one voxel of it, whichever is nearer to its own, so that blurred edges become steps. The ball of one voxel
 * holds the six neighbours; across slices of 2.5 mm and more nothing is compared. Outside the volume there is nothing.
 */
export function toggleContrast(image: Volume): Image {
  const [nx, ny, nz] = image.dims
  const [alongX, alongY, alongZ] = voxelSizes(image.affine).map((mm) => mm < thickSlice)
  const { data } = image
  const out = emptyImage(image)
  for (let k = 0, at = 0; k < nz; k++)
    for (let j = 0; j < ny; j++)
      for (let i = 0; i < nx; i++, at++) {
        const own = data[at]
        let [low, high] = [own, own]
        const compare = (value: number) => {
          if (value < low) low = value
          else if (value > high) high = value
        }
        if (alongX && i > 0) compare(data[at - 1])
        if (alongX && i < nx - 1) compare(data[at + 1])
        if (alongY && j > 0) compare(data[at - nx])
        if (alongY && j < ny - 1) compare(data[at + nx])
        if (alongZ && k > 0) compare(data[at - nx * ny])
        if (alongZ && k < nz - 1) compare(data[at + nx * ny])
        out.data[at] = high - own <= own - low ? high : low
      }
  return out
}
