import { percentiles } from '../volume/histogram.js'
import { type Image, type Mask, maskWhere, type Volume } from '../volume/volume.js'
import { curvesFigure, density } from './curves.js'
import { type Html, trusted } from './html.js'
import type { Words } from './words/en.js'

/** Intensities of the brain and of the lesions as an SVG, each scaled to its own peak, with the method's threshold. */
export async function histogramFigure(
  image: Image,
  brain: Mask,
  labels: Volume<Int16Array>,
  threshold: number | undefined,
  words: Words['intensities'],
): Promise<Html> {
  const [least, most] = percentiles(image, [0.1, 99.95], brain)
  const lesions = maskWhere(labels, (id) => id !== 0)
  const [brightest] = percentiles(image, [99.5], lesions)
  const high = Math.max(most, threshold ?? most, Number.isFinite(brightest) ? brightest : most)
  if (!(high > least)) return trusted('')
  const range = [least, high] as const
  return await curvesFigure({
    range,
    label: words.axis,
    curves: [
      { colour: 'var(--brain)', heights: density(image, range, (i) => brain.data[i] !== 0 && labels.data[i] === 0) },
      { colour: 'var(--lesion)', heights: density(image, range, (i) => labels.data[i] !== 0) },
    ],
    mark: threshold === undefined ? undefined : { at: threshold, text: words.mark },
  })
}
