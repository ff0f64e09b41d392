import { InputError } from '../../errors.js'
import type { IntensityProperties } from './plans.js'

const smallest = 1e-8

/**
 * A channel's intensities by one of nnU-Net's schemes.
 *
 * @param inside voxels that count where the z-score is taken within a mask; the others are left as they are
 * @param properties of the training data's foreground, for `CTNormalization`
 * @throws InputError for a scheme that nnU-Net does not have, or intensities that are no colours where these are meant
 */
export function normalise(
  scheme: string,
  data: Float32Array,
  inside: Uint8Array | undefined,
  properties: IntensityProperties | undefined,
  source: string,
): Float32Array {
  const scaled = (shift: number, scale: number) => data.map((value) => (value - shift) / scale)
  switch (scheme) {
    case 'ZScoreNormalization':
      return zScore(data, inside)
    case 'CTNormalization': {
      if (!properties) throw new InputError(source, 'the plans lack its intensities', 'give the plans unchanged')
      const { mean, std, percentile_00_5: low, percentile_99_5: high } = properties
      return data.map((value) => (Math.min(Math.max(value, low), high) - mean) / Math.max(std, smallest))
    }
    case 'NoNormalization':
      return data
    case 'RescaleTo01Normalization': {
      const [low, high] = range(data)
      return scaled(low, Math.max(high - low, smallest))
    }
    case 'RGBTo01Normalization': {
      const [low, high] = range(data)
      if (low < 0 || high > 255)
        throw new InputError(source, `holds values from ${low} to ${high}`, 'give colours between 0 and 255')
      return scaled(0, 255)
    }
    default:
      throw new InputError(
        source,
        `the plans normalise by ${scheme.slice(0, 60)}`,
        'only nnU-Net’s own schemes are known',
      )
  }
}

function zScore(data: Float32Array, inside: Uint8Array | undefined): Float32Array {
  let [n, sum] = [0, 0]
  for (let i = 0; i < data.length; i++)
    if (!inside || inside[i]) {
      n++
      sum += data[i]
    }
  const mean = n > 0 ? sum / n : 0
  let squares = 0
  for (let i = 0; i < data.length; i++) if (!inside || inside[i]) squares += (data[i] - mean) ** 2
  const scale = Math.max(Math.sqrt(n > 0 ? squares / n : 0), smallest)
  return data.map((value, i) => (!inside || inside[i] ? (value - mean) / scale : value))
}

function range(data: Float32Array): [low: number, high: number] {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  for (const value of data) {
    if (value < low) low = value
    if (value > high) high = value
  }
  return [low, high]
}
