import type { Image } from '../../volume/volume.js'

/**
 * The image after the piecewise-linear function that takes `from[i]` to `to[i]` and goes on with its end slopes. Equal
 * landmarks of `from` (images of few grey levels) are one, at the mean of their targets. Undefined where fewer than two
 * landmarks are left.
 */
export function piecewiseLinear(image: Image, from: readonly number[], to: readonly number[]): Image | undefined {
  const [xs, ys] = distinct(from, to)
  if (xs.length < 2) return undefined
  const slopes = xs.slice(1).map((x, i) => (ys[i + 1] - ys[i]) / (x - xs[i]))
  const data = image.data.map((value) => {
    let at = 0
    while (at < slopes.length - 1 && value >= xs[at + 1]) at++
    return ys[at] + slopes[at] * (value - xs[at])
  })
  return { dims: image.dims, affine: image.affine, data }
}

function distinct(from: readonly number[], to: readonly number[]): [number[], number[]] {
  const xs: number[] = []
  const groups: number[][] = []
  from.forEach((x, i) => {
    if (xs.length > 0 && x <= xs[xs.length - 1]) groups[groups.length - 1].push(to[i])
    else {
      xs.push(x)
      groups.push([to[i]])
    }
  })
  return [xs, groups.map((group) => group.reduce((sum, y) => sum + y, 0) / group.length)]
}
