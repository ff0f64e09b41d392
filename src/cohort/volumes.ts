import { mean, sd, variance } from '../evaluate/statistics/describe.js'
import type { VolumeAgreement } from '../report/benchmark-input.js'

export function volumeAgreement(reference: readonly number[], candidate: readonly number[]): VolumeAgreement {
  const both = reference.flatMap((r, i) => (Number.isNaN(r - candidate[i]) ? [] : [[r, candidate[i]] as const]))
  const d = both.map(([r, c]) => c - r)
  const bias = mean(d)
  return {
    n: d.length,
    bias,
    lower: bias - 1.96 * sd(d),
    upper: bias + 1.96 * sd(d),
    icc: variance(d),
    concordance: NaN,
  }
}
