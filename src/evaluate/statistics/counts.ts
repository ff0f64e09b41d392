import { gaussianRandom } from '../../random.js'

/**
 * Random lesion counts: negative binomial with this mean and variance mean + dispersion · mean², as a Poisson count
 * whose own mean is gamma distributed (Greenwood & Yule 1920). Dispersion 0 is Poisson.
 */
export function negativeBinomialRandom(mean: number, dispersion: number, uniform: () => number): () => number {
  if (!(mean >= 0 && dispersion >= 0)) throw new RangeError('mean and dispersion are 0 or more')
  if (dispersion === 0) return () => poisson(mean, uniform)
  const gamma = gammaRandom(1 / dispersion, uniform)
  return () => poisson(mean * dispersion * gamma(), uniform)
}

/** Gamma numbers of scale 1 (Marsaglia & Tsang 2000, ACM TOMS 26:363; shapes below 1 by their boost). */
function gammaRandom(shape: number, uniform: () => number): () => number {
  const gaussian = gaussianRandom(uniform)
  const d = (shape < 1 ? shape + 1 : shape) - 1 / 3
  const c = 1 / Math.sqrt(9 * d)
  return () => {
    for (;;) {
      const x = gaussian()
      const v = (1 + c * x) ** 3
      if (v <= 0 || Math.log(1 - uniform()) >= 0.5 * x * x + d - d * v + d * Math.log(v)) continue
      return shape < 1 ? d * v * (1 - uniform()) ** (1 / shape) : d * v
    }
  }
}

/** By multiplying uniform numbers (Knuth), in parts of at most 30 so that the product does not vanish. */
function poisson(mean: number, uniform: () => number): number {
  let count = 0
  for (let rest = mean; rest > 0; rest -= 30) {
    const floor = Math.exp(-Math.min(rest, 30))
    for (let product = 1 - uniform(); product > floor; product *= 1 - uniform()) count++
  }
  return count
}
