import type { ChannelRoles } from '../augment.js'

/** A lesion's cross-section, 0–1 on pixels of 1 mm, its middle in the middle. */
export interface Shape2d {
  size: number
  mask: Float32Array
}

/** A crop in the making. */
export interface Anatomy extends ChannelRoles {
  size: number
  /** `[channels, size, size]` */
  image: Float32Array
  truth: Float32Array
}

/**
 * Pastes lesions into white matter that has none: the shapes of others, turned, scaled and blurred at the edge, brighter
 * than their surroundings on FLAIR by a random amount and darker on T1 by another. Texture and noise of the scan stay.
 */
export function paste(anatomy: Anatomy, shapes: readonly Shape2d[], random: () => number): void {
  const { size, image, truth, flair, t1, white } = anatomy
  const area = size * size
  const wm = image.subarray(white * area, (white + 1) * area)
  const places: number[] = []
  for (let i = 0; i < area; i++) if (wm[i] > 0.55 && !truth[i] && image[flair[0] * area + i] !== 0) places.push(i)
  if (places.length === 0) return
  const contrast = 1.2 + 3.5 * random() * random() + random()
  const dark = random() < 0.7 ? 0.9 * random() : 0
  for (const shape of shapes.slice(0, 1 + Math.floor(random() * shapes.length))) {
    const at = places[Math.floor(random() * places.length)]
    const own = contrast * (0.7 + 0.6 * random())
    stamp(shape, size, at, random, (i, amount) => {
      // Fluid is no place for a lesion.
      const share = amount * Math.min(1, 2 * wm[i])
      if (share < 0.05) return
      for (const c of flair) if (image[c * area + i] !== 0) image[c * area + i] += own * share
      for (const c of t1) if (image[c * area + i] !== 0) image[c * area + i] -= dark * share
      if (share >= 0.5) truth[i] = 1
    })
  }
}

function stamp(
  shape: Shape2d,
  size: number,
  at: number,
  random: () => number,
  put: (i: number, amount: number) => void,
): void {
  const turn = random() * 2 * Math.PI
  const scale = Math.exp((random() - 0.6) * 0.9)
  const [cos, sin] = [Math.cos(turn) / scale, Math.sin(turn) / scale]
  const [cx, cy] = [at % size, Math.floor(at / size)]
  const reach = Math.ceil(shape.size * 0.5 * scale)
  for (let y = Math.max(0, cy - reach); y < Math.min(size, cy + reach); y++) {
    for (let x = Math.max(0, cx - reach); x < Math.min(size, cx + reach); x++) {
      const u = cos * (x - cx) - sin * (y - cy) + shape.size / 2
      const v = sin * (x - cx) + cos * (y - cy) + shape.size / 2
      const amount = smooth(shape, u, v)
      if (amount > 0) put(y * size + x, amount)
    }
  }
}

/** Mean of four bilinear reads around: a soft edge. */
function smooth({ size, mask }: Shape2d, u: number, v: number): number {
  let sum = 0
  for (const [du, dv] of [
    [-0.5, -0.5],
    [0.5, -0.5],
    [-0.5, 0.5],
    [0.5, 0.5],
  ]) {
    const i = Math.round(u + du)
    const j = Math.round(v + dv)
    if (i >= 0 && j >= 0 && i < size && j < size) sum += mask[j * size + i] > 0.5 ? 1 : 0
  }
  return sum / 4
}
