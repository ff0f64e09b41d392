import type { Vec3 } from '../volume/affine.js'

/** The axis of a volume that stands still in a plane: 0 sagittal, 1 coronal, 2 axial in RAS. */
export type Plane = 0 | 1 | 2

/** The two axes that a plane's picture runs along. */
export const across = (plane: Plane): Plane[] => ([0, 1, 2] as const).filter((axis) => axis !== plane)

export const planeNames = ['sagittal', 'coronal', 'axial'] as const

/** A plane of a volume as a picture: u runs along the first of the two other axes, v along the second. */
export function planesOf(
  dims: Vec3,
  plane: Plane,
  slice: number,
): { width: number; height: number; index(u: number, v: number): number } {
  const stride = [1, dims[0], dims[0] * dims[1]]
  const [a, b] = across(plane)
  const start = slice * stride[plane]
  return { width: dims[a], height: dims[b], index: (u, v) => start + u * stride[a] + v * stride[b] }
}

/**
 * The pixels of a picture that a flood reaches from some of them through open ones, over edges or over corners too.
 *
 * @returns 1 for each of them
 */
export function flood(
  { width, height }: { width: number; height: number },
  from: Iterable<number>,
  open: (pixel: number) => boolean,
  overCorners = false,
): Uint8Array {
  const reached = new Uint8Array(width * height)
  const queue: number[] = []
  const visit = (pixel: number) => {
    if (reached[pixel] !== 0 || !open(pixel)) return
    reached[pixel] = 1
    queue.push(pixel)
  }
  for (const pixel of from) visit(pixel)
  for (let pixel = queue.pop(); pixel !== undefined; pixel = queue.pop()) {
    const [u, v] = [pixel % width, Math.floor(pixel / width)]
    for (let dv = -1; dv <= 1; dv++)
      for (let du = -1; du <= 1; du++) {
        if (!overCorners && du !== 0 && dv !== 0) continue
        if (u + du >= 0 && u + du < width && v + dv >= 0 && v + dv < height) visit(pixel + du + width * dv)
      }
  }
  return reached
}

/** The pixels at the edge of a picture. */
export function* edgeOf({ width, height }: { width: number; height: number }): Generator<number> {
  for (let u = 0; u < width; u++) yield* [u, u + width * (height - 1)]
  for (let v = 0; v < height; v++) yield* [width * v, width - 1 + width * v]
}

/** The connected part of a flat mask that is nearest to a point, which lies in it or not. */
export function nearestPart(
  mask: Uint8Array,
  { width, height }: { width: number; height: number },
  [u, v]: readonly [number, number],
  [sizeU, sizeV]: readonly [number, number],
): Uint8Array {
  let [nearest, least] = [-1, Number.POSITIVE_INFINITY]
  for (let p = 0; p < mask.length; p++) {
    if (mask[p] === 0) continue
    const far = Math.hypot(((p % width) - u) * sizeU, (Math.floor(p / width) - v) * sizeV)
    if (far < least) [nearest, least] = [p, far]
  }
  return flood({ width, height }, nearest < 0 ? [] : [nearest], (p) => mask[p] !== 0, true)
}

/**
 * Exact distance to the border of a flat mask, negative inside, in mm (Felzenszwalb & Huttenlocher 2012). The border lies
 * half-way between a voxel of the mask and its neighbour.
 */
export function signedDistance2d(
  mask: Uint8Array,
  width: number,
  height: number,
  sizeU: number,
  sizeV: number,
): Float32Array {
  const outside = distance2d(mask, width, height, sizeU, sizeV, 1)
  const inside = distance2d(mask, width, height, sizeU, sizeV, 0)
  const half = Math.min(sizeU, sizeV) / 2
  return outside.map((far, p) => (mask[p] !== 0 ? half - inside[p] : far - half))
}

/** Distance of each voxel to the nearest of value `to` (0 or not 0); far beyond the plane where there is none. */
function distance2d(mask: Uint8Array, width: number, height: number, sizeU: number, sizeV: number, to: 0 | 1) {
  const far = 1e12
  const squared = Float64Array.from(mask, (v) => ((v !== 0 ? 1 : 0) === to ? 0 : far))
  for (let v = 0; v < height; v++) alongLine(squared, v * width, 1, width, sizeU)
  for (let u = 0; u < width; u++) alongLine(squared, u, width, height, sizeV)
  return Float32Array.from(squared, (d) => Math.sqrt(Math.min(d, 1e8)))
}

/** Lower envelope of parabolas along one line, in place. */
function alongLine(values: Float64Array, start: number, step: number, n: number, size: number): void {
  const f = Float64Array.from({ length: n }, (_, i) => values[start + i * step])
  const roots = new Int32Array(n)
  const bounds = new Float64Array(n + 1)
  const w = size * size
  let k = 0
  bounds[0] = Number.NEGATIVE_INFINITY
  bounds[1] = Number.POSITIVE_INFINITY
  for (let q = 1; q < n; q++) {
    const meets = () => (f[q] + w * q * q - (f[roots[k]] + w * roots[k] * roots[k])) / (2 * w * (q - roots[k]))
    let s = meets()
    while (s <= bounds[k] && k > 0) {
      k--
      s = meets()
    }
    if (s <= bounds[k]) roots[k] = q
    else {
      k++
      roots[k] = q
      bounds[k] = s
    }
    bounds[k + 1] = Number.POSITIVE_INFINITY
  }
  k = 0
  for (let q = 0; q < n; q++) {
    while (bounds[k + 1] < q) k++
    values[start + q * step] = f[roots[k]] + w * (q - roots[k]) ** 2
  }
}
