import { gaussianRandom, seededRandom } from '../random.js'
import type { Lattice } from './lattice.js'
import { type DiagonalGaussian, type LesionTie, logDiagonal } from './tied-mixture.js'

export interface LesionCandidates {
  /** The voxels that may be lesion: by place and by intensity. */
  lattice: Lattice
  /** Bias-corrected log-intensities of the candidates, one array per channel. */
  channels: readonly Float32Array[]
  /** How often lesions are here, by place alone (f). */
  prior: Float32Array
  /** Log of the candidate's density when healthy, without −d/2 · log 2π (as `logDiagonal` gives it). */
  healthy: Float32Array
  /** 1 where a candidate is lesion to start with. */
  start: Uint8Array
}

export interface LesionSamplerOptions extends Omit<LesionTie, 'white'> {
  /** White matter, which the lesion's Gaussian is tied to. */
  white: DiagonalGaussian
  /**
   * Log-odds β that a candidate without any lesion neighbour loses against one with nothing else around: its prior is
   * f · exp(−β · share of its neighbours that is healthy).
   */
  cohesion: number
  burnIn: number
  samples: number
  seed: number
  signal?: AbortSignal
  progress?(fraction: number): void
}

/**
 * Lesions by Gibbs sampling (Cerri et al. 2021): in turn, mean and variance of the lesion Gaussian are drawn given the
 * lesions (normal–inverse-Wishart, channels independent), and each candidate is lesion or not given that Gaussian, its
 * place and its six neighbours. The neighbours take the part of the paper's shape model: an auto-logistic random
 * field (Besag 1974). Voxels of one colour of the lattice are drawn given the other.
 *
 * @returns the share of samples in which each candidate was lesion, and the mean of the lesion's Gaussians
 */
export function sampleLesions(
  { lattice, channels, prior, healthy, start }: LesionCandidates,
  options: LesionSamplerOptions,
): { belief: Float32Array; lesion: DiagonalGaussian } {
  const { cohesion, burnIn, samples, seed, signal, progress } = options
  const n = lattice.voxels.length
  const d = channels.length
  const uniform = seededRandom(seed)
  const normal = gaussianRandom(uniform)
  const state = Uint8Array.from(start)
  const belief = new Float32Array(n)
  const mean: DiagonalGaussian = { weight: 1, mean: new Array(d).fill(0), variance: new Array(d).fill(0) }
  const [wx, wy, wz] = lattice.weights
  const shares = [wx, wx, wy, wy, wz, wz].map((w) => w / (2 * (wx + wy + wz)))
  for (let sweep = 0; sweep < burnIn + samples; sweep++) {
    signal?.throwIfAborted()
    progress?.(sweep / (burnIn + samples))
    const lesion = drawLesion(channels, state, options, uniform, normal)
    const density = logDiagonal(lesion)
    for (const colour of lattice.colours)
      for (const v of colour) {
        let around = 0
        for (let side = 0; side < 6; side++) {
          const other = lattice.neighbours[6 * v + side]
          if (other >= 0 && state[other] === 1) around += shares[side]
        }
        const here = prior[v] * Math.exp(-cohesion * (1 - around))
        const logOdds = Math.log(here / (1 - here)) + density(channels, v) - healthy[v]
        state[v] = uniform() * (1 + Math.exp(-logOdds)) < 1 ? 1 : 0
      }
    if (sweep < burnIn) continue
    for (let v = 0; v < n; v++) belief[v] += state[v] / samples
    for (let c = 0; c < d; c++) {
      mean.mean[c] += lesion.mean[c] / samples
      mean.variance[c] += lesion.variance[c] / samples
    }
  }
  // Sums of 1 / samples may end a little above 1.
  for (let v = 0; v < n; v++) belief[v] = Math.min(1, belief[v])
  return { belief, lesion: mean }
}

/** Mean and variance of each channel from their posterior given the voxels that are lesion now. */
function drawLesion(
  channels: readonly Float32Array[],
  state: Uint8Array,
  { white, strength, inflation }: Pick<LesionSamplerOptions, 'white' | 'strength' | 'inflation'>,
  uniform: () => number,
  normal: () => number,
): DiagonalGaussian {
  const lesion: DiagonalGaussian = { weight: 1, mean: [], variance: [] }
  channels.forEach((channel, c) => {
    let [count, sum, squares] = [0, 0, 0]
    // About the white mean, so that nothing is lost to cancellation.
    for (let v = 0; v < state.length; v++) {
      if (state[v] === 0) continue
      const away = channel[v] - white.mean[c]
      count++
      sum += away
      squares += away * away
    }
    const total = count + strength
    const centre = sum / total
    const scatter = squares - total * centre * centre + strength * inflation * white.variance[c]
    // The mode of mean and variance together divides by twice the shape plus 3: by the number of samples, as in the fit.
    const shape = Math.max(1, (total - 3) / 2)
    const variance = scatter / 2 / gammaRandom(shape, uniform, normal)
    lesion.variance.push(variance)
    lesion.mean.push(white.mean[c] + centre + Math.sqrt(variance / total) * normal())
  })
  return lesion
}

/** A gamma variate of rate 1 and shape of at least 1 (Marsaglia and Tsang 2000). */
export function gammaRandom(shape: number, uniform: () => number, normal: () => number): number {
  const d = shape - 1 / 3
  const c = 1 / Math.sqrt(9 * d)
  for (;;) {
    const x = normal()
    const v = (1 + c * x) ** 3
    if (v > 0 && Math.log(1 - uniform()) < 0.5 * x * x + d - d * v + d * Math.log(v)) return d * v
  }
}
