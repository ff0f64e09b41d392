import type { Vec3 } from '../../volume/affine.js'
import { gaussian } from '../../volume/filter.js'
import type { Image, Mask } from '../../volume/volume.js'

/** How far along a ray the features look inwards (−) and outwards, mm. */
const looks = [-12, -8, -5, -3, -1.5, 1.5, 3, 5, 8, 12]
const sigmas = [2, 4, 8]

/** Image, three blurred copies, their slope along the ray, ten places along it, its direction, distance from the mean. */
export const featureCount = 1 + 2 * sigmas.length + looks.length + 3 + 1

/** An image with its blurred copies, as the features need them. */
export interface RayImage {
  image: Image
  blurred: Image[]
}

export async function rayImage(image: Image): Promise<RayImage> {
  const blurred: Image[] = []
  for (const sigma of sigmas) blurred.push(await gaussian(image, sigma))
  return { image, blurred }
}

/** Writes the features of the place `radius` mm from the centre in direction u into `row` from `at`. */
export function rayFeatures(
  { image, blurred }: RayImage,
  centre: Vec3,
  u: Vec3,
  radius: number,
  meanRadius: number,
  row: Float32Array,
  at: number,
): void {
  const value = (from: Image, r: number) =>
    valueAt(from, centre[0] + r * u[0], centre[1] + r * u[1], centre[2] + r * u[2])
  let to = at
  row[to++] = value(image, radius)
  for (const copy of blurred) {
    row[to++] = value(copy, radius)
    row[to++] = value(copy, radius + 2) - value(copy, radius - 2)
  }
  for (const mm of looks) row[to++] = value(image, radius + mm)
  row[to++] = u[0]
  row[to++] = u[1]
  row[to++] = u[2]
  row[to] = radius - meanRadius
}

/** Linear interpolation on a grid without turns; 0 outside. */
export function valueAt({ dims: [nx, ny, nz], affine, data }: Image | Mask, x: number, y: number, z: number): number {
  const [fx, fy, fz] = [(x - affine[3]) / affine[0], (y - affine[7]) / affine[5], (z - affine[11]) / affine[10]]
  const [i, j, k] = [Math.floor(fx), Math.floor(fy), Math.floor(fz)]
  if (i < 0 || j < 0 || k < 0 || i >= nx - 1 || j >= ny - 1 || k >= nz - 1) return 0
  const [a, b, c] = [fx - i, fy - j, fz - k]
  const at = i + nx * (j + ny * k)
  const up = at + nx * ny
  const low = (data[at] * (1 - a) + data[at + 1] * a) * (1 - b) + (data[at + nx] * (1 - a) + data[at + nx + 1] * a) * b
  const high = (data[up] * (1 - a) + data[up + 1] * a) * (1 - b) + (data[up + nx] * (1 - a) + data[up + nx + 1] * a) * b
  return low * (1 - c) + high * c
}

/** Distance of the outermost place in the mask along each direction, mm. */
export function radiiOf(mask: Mask, centre: Vec3, directions: Float64Array, most = 130): Float32Array {
  return Float32Array.from({ length: directions.length / 3 }, (_, v) => {
    const [x, y, z] = [directions[3 * v], directions[3 * v + 1], directions[3 * v + 2]]
    for (let r = most; r > 0; r -= 0.5)
      if (valueAt(mask, centre[0] + r * x, centre[1] + r * y, centre[2] + r * z) >= 0.5) return r
    return 0
  })
}
