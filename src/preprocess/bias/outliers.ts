import type { Sharpener } from './sharpen.js'

/**
 * Confidence in each value where lesions are bright: 1 up to a blur's width above the brightest tissue of the sharpened
 * histogram, then falling like a Gaussian of a fifth of that width, to 2 % at least. Without this the field takes large lesions for shading.
 */
export function withoutBright(
  sharpener: Sharpener,
  logs: Float64Array,
  field: Float64Array,
  weights: Float64Array,
): Float64Array {
  const brightest = sharpener.brightestTissue(logs, field, weights)
  if (brightest === undefined) return weights
  const limit = brightest + sharpener.fwhm
  return weights.map((weight, i) => {
    const beyond = logs[i] - field[i] - limit
    return beyond > 0 ? weight * Math.max(0.02, Math.exp(-0.5 * (beyond / (0.2 * sharpener.fwhm)) ** 2)) : weight
  })
}
