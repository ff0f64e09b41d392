import { fillHoles, largestComponent } from '../../volume/components.js'
import { percentiles } from '../../volume/histogram.js'
import { type Image, type Mask, maskWhere } from '../../volume/volume.js'

/** What is not air: the whole head, or what is left of it. For work that does without the brain. */
export function headMask(image: Image): Mask {
  const [low, high] = percentiles(image, [1, 99.5])
  const level = low + 0.1 * (high - low)
  return fillHoles(
    largestComponent(
      maskWhere(image, (value) => value > level),
      6,
    ),
  )
}
