import type { Lesion, Location } from '../lesions/types.js'

/**
 * The brain regions of the McDonald criteria of 2017 (Thompson et al., Lancet Neurol 2018;17:162–173) and 2024 (Montalban et
 * al., Lancet Neurol 2025;24:850–865). The other two, spinal cord and optic nerve, are not on a FLAIR of the brain; deep and
 * subcortical white matter is no region of theirs.
 */
export const criteriaRegions = ['periventricular', 'juxtacortical', 'infratentorial'] as const satisfies Location[]
export type CriteriaRegion = (typeof criteriaRegions)[number]

/** A lesion counts from this long axis on, in mm. */
export const criteriaAxisMm = 3

export interface RegionCount {
  region: CriteriaRegion
  /** Lesions of this region that are long enough. */
  lesions: number
  /** The longest axis of any lesion of this region, mm; NaN without lesions. */
  longestAxisMm: number
}

/** How many lesions that are long enough each region holds: a fact about what was found, no diagnosis. */
export const countByRegion = (lesions: readonly Lesion[]): RegionCount[] =>
  criteriaRegions.map((region) => {
    const axes = lesions.filter(({ location }) => location === region).map(({ longestAxisMm }) => longestAxisMm)
    return {
      region,
      // A file holds four decimals.
      lesions: axes.filter((mm) => mm >= criteriaAxisMm - 1e-4).length,
      longestAxisMm: axes.length > 0 ? Math.max(...axes) : Number.NaN,
    }
  })

export const criteriaReferences: readonly string[] = [
  'Thompson AJ, Banwell BL, Barkhof F, et al. Diagnosis of multiple sclerosis: 2017 revisions of the McDonald criteria. Lancet Neurol 2018;17:162–173. doi:10.1016/S1474-4422(17)30470-2',
  'Montalban X, Lebrun-Frénay C, Oh J, et al. Diagnosis of multiple sclerosis: 2024 revisions of the McDonald criteria. Lancet Neurol 2025;24:850–865.',
]
