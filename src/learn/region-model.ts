import { Density, weightedGaussian } from './density.js'
import { fitLogistic, type LogisticModel, logistic, predictLogistic } from './logistic.js'
import type { Region } from './region-field.js'

/**
 * Two Gaussians of one covariance: the log of their ratio is linear. With two covariances the wider one would win far
 * from both, and what is brighter than any lesion that was seen would be none.
 */
interface Pair {
  /** Of other regions, then of lesions. */
  means: [number[], number[]]
  covariance: number[]
}

/** What tells regions that are lesion from those that are not. Plain numbers: it is stored. */
export interface RegionModel {
  intensity: Pair
  texture: Pair
  /** P(class of a neighbour | other region), then | lesion. */
  around: [number[], number[]]
  /** Log-odds of lesion from the logs of the ratios of the three, lesions and others being as common. */
  odds: LogisticModel
  /** P(an adjacent region is lesion | other region), then | lesion. */
  adjacent: [number, number]
}

export interface JudgedRegion extends Region {
  lesion: 0 | 1
}

/**
 * Fits the model of the regions of several images.
 * @param images the regions of one image each
 * @returns undefined with fewer than `least` of either kind
 */
export function fitRegionModel(images: readonly (readonly JudgedRegion[])[], least = 8): RegionModel | undefined {
  const all = images.flat()
  const kinds = [0, 1].map((kind) => all.filter(({ lesion }) => lesion === kind))
  if (kinds.some(({ length }) => length < least)) return undefined
  const pair = (of: (region: Region) => number[]): Pair => {
    const fitted = kinds.map((regions) => {
      const rows = regions.map(of)
      const channels = rows[0].map((_, c) => rows.map((row) => row[c]))
      return weightedGaussian(channels, new Float32Array(rows.length).fill(1), 1e-3)!
    })
    return {
      means: [fitted[0].mean.map(rounded), fitted[1].mean.map(rounded)],
      covariance: fitted[0].covariance.map((v, i) => rounded((v + fitted[1].covariance[i]) / 2)),
    }
  }
  const shares = kinds.map((regions) => {
    const sum = regions[0].around.map((_, c) => regions.reduce((total, { around }) => total + around[c], 0))
    return sum.map((s) => (s + 1) / (regions.length + sum.length))
  }) as [number[], number[]]
  const adjacent = [0, 1].map((kind) => {
    let [lesions, pairs] = [1, 2]
    for (const regions of images)
      for (const region of regions)
        if (region.lesion === kind)
          for (const other of region.adjacent) {
            pairs++
            lesions += regions[other].lesion
          }
    return lesions / pairs
  }) as [number, number]
  const model: RegionModel = {
    intensity: pair(({ intensity }) => intensity),
    texture: pair(({ texture }) => texture),
    around: shares,
    odds: { mean: [], deviation: [], weights: [] },
    adjacent,
  }
  const judge = judgeOf(model)
  model.odds = fitLogistic(
    all.map(judge),
    all.map(({ lesion }) => lesion),
    // The voxels' prior says how rare lesions are: the region level is not to say it again.
    { importance: all.map(({ lesion }) => all.length / 2 / kinds[lesion].length), ridge: 0.1 },
  )
  return model
}

/**
 * Probability that each region is lesion, by mean field over the regions: φ = P(intensity | C) · P(texture | C) ·
 * Π P(C of a neighbour | C), each factor to a power that was fitted, because the three are not independent.
 *
 * @param before log-odds of each region from elsewhere, e.g. from an earlier round; default 0
 */
export function regionField(
  regions: readonly Region[],
  model: RegionModel,
  { rounds = 10, before }: { rounds?: number; before?: ArrayLike<number> } = {},
): Float64Array {
  const judge = judgeOf(model)
  const own = regions.map((region, r) => {
    const p = Math.min(1 - 1e-9, Math.max(1e-9, predictLogistic(model.odds, judge(region))))
    return Math.log(p / (1 - p)) + (before?.[r] ?? 0)
  })
  const belief = Float64Array.from(own, logistic)
  const [other, lesion] = model.adjacent
  const gain = [Math.log((1 - lesion) / (1 - other)), Math.log(lesion / other)]
  for (let round = 0; round < rounds; round++)
    regions.forEach(({ adjacent }, r) => {
      let odds = own[r]
      for (const to of adjacent) odds += ((1 - belief[to]) * gain[0] + belief[to] * gain[1]) / adjacent.length
      belief[r] = logistic(odds)
    })
  return belief
}

/** Logs of the ratios lesion : other of intensity, texture and surroundings. */
function judgeOf(model: RegionModel): (region: Region) => number[] {
  const densities = ({ means, covariance }: Pair) => means.map((mean) => new Density({ mean, covariance }))
  const intensity = densities(model.intensity)
  const texture = densities(model.texture)
  const ratio = ([other, lesion]: Density[], values: readonly number[]) => {
    const sample = values.map((v) => [v])
    return Math.max(-10, Math.min(10, lesion.log(sample, 0) - other.log(sample, 0)))
  }
  return (region) => [
    ratio(intensity, region.intensity),
    ratio(texture, region.texture),
    region.around.reduce((sum, share, c) => sum + share * Math.log(model.around[1][c] / model.around[0][c]), 0),
  ]
}

/** Six figures are as many as the scans bear, and keep the stored model small. */
export const rounded = (value: number): number => Number(value.toPrecision(6))
