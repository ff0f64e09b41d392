import type { Image } from '../../volume/volume.js'

/** Intensities in units of the median where the atlas is surest of white matter: a histogram's mode is no such thing. */
export function scaledByWhiteMatter({ data }: Image, voxels: Uint32Array, wm: Float32Array) {
  let most = 0
  for (const p of wm) if (p > most) most = p
  const sure = middle(sortedSample(voxels.length, (v) => (wm[v] >= 0.95 * most ? data[voxels[v]] : Number.NaN)))
  const overall = middle(sortedSample(voxels.length, (v) => Math.abs(data[voxels[v]])))
  // an image of negative and positive values (z-scores) has no such median: its spread is as good
  const scale = sure > 0.05 * overall ? sure : overall > 0 ? overall : 1
  const missing = emptyValue(data, voxels)
  const scaled = new Float32Array(voxels.length)
  for (let v = 0; v < scaled.length; v++) {
    const value = data[voxels[v]]
    scaled[v] = value === missing ? Number.NaN : value / scale
  }
  return { data: scaled, scale }
}

/**
 * FLAIR intensity from which a voxel is too bright for tissue: in the brighter of grey and white matter (as the atlas
 * sees them), three standard deviations above the median, these taken from the quarter above the median, where neither
 * fluid nor the few lesions are. With a prior that prefers neither, all of the brain stands for them.
 */
export function brightFrom(flair: Float32Array, priors: Float32Array[]): number {
  const limitWhere = (inside: (v: number) => boolean) => {
    const sorted = sortedSample(flair.length, (v) => (inside(v) ? flair[v] : Number.NaN))
    const at = (p: number) => sorted[Math.floor(p * (sorted.length - 1))]
    return sorted.length < 20 ? Number.NEGATIVE_INFINITY : at(0.5) + (3 * (at(0.75) - at(0.5))) / 0.6745
  }
  const limit = Math.max(...[1, 2].map((k) => limitWhere((v) => priors[k][v] > 0.5)))
  if (limit > Number.NEGATIVE_INFINITY) return limit
  const overall = limitWhere(() => true)
  return overall > Number.NEGATIVE_INFINITY ? overall : Infinity
}

/** The value of voxels of the brain that the image does not show: its least one, if many share exactly that. */
function emptyValue(data: Float32Array, voxels: Uint32Array): number {
  let least = Infinity
  let count = 0
  for (const at of voxels) {
    if (data[at] < least) {
      least = data[at]
      count = 0
    }
    if (data[at] === least) count++
  }
  return count > 0.002 * voxels.length ? least : Number.NaN
}

/** The finite ones of n values in order; of many every n-th: 100 000 tell a percentile well enough. */
function sortedSample(n: number, value: (v: number) => number): Float32Array {
  const all = new Float32Array(n)
  let found = 0
  for (let v = 0; v < n; v++) {
    const one = value(v)
    if (Number.isFinite(one)) all[found++] = one
  }
  const every = Math.ceil(found / 100_000)
  if (every <= 1) return all.subarray(0, found).sort()
  const sample = new Float32Array(Math.floor((found - 1) / every) + 1)
  for (let i = 0; i < sample.length; i++) sample[i] = all[i * every]
  return sample.sort()
}

const middle = (sorted: Float32Array): number => sorted[sorted.length >> 1] ?? Number.NaN
