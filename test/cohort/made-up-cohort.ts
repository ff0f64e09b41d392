import { seededRandom } from '../../src/random.js'
import type { CohortVisit } from '../../src/report/cohort-input.js'

/** A visit that was never made. */
export function madeUpVisit(subject: string, visit: number, ml: number, over: Partial<CohortVisit> = {}): CohortVisit {
  const count = Math.round(3 * ml)
  return {
    id: `sub-${subject}_ses-${visit}`,
    subject,
    session: String(visit),
    status: 'done',
    method: 'roura2015',
    lesionCount: count,
    lesionMl: ml,
    percentOfBrain: ml / 14,
    brainMl: 1400,
    byLocation: {
      periventricular: { count: Math.round(count / 2), volumeMl: 0.7 * ml },
      juxtacortical: { count: Math.round(count / 6), volumeMl: 0.1 * ml },
      infratentorial: { count: 0, volumeMl: 0 },
      subcortical: { count: Math.round(count / 3), volumeMl: 0.2 * ml },
    },
    doubts: [],
    months: 6 * (visit - 1),
    visit,
    covariates: {},
    minutes: 0.3,
    peakMegabytes: 600,
    report: `sub-${subject}/ses-${visit}/sub-${subject}_ses-${visit}_report.html`,
    ...over,
  }
}

/** People of two groups, one with twice the load of the other at the same age, some with several visits. */
export function madeUpCohort(people = 40): CohortVisit[] {
  const random = seededRandom(4)
  return Array.from({ length: people }, (_, n) => {
    const subject = String(n + 1).padStart(3, '0')
    const age = 20 + Math.round(40 * random())
    const group = n % 2 === 0 ? 'RRMS' : 'SPMS'
    const ml = (group === 'SPMS' ? 8 : 4) * Math.exp(0.02 * (age - 40) + 0.6 * (random() - 0.5))
    const brainMl = 1500 - 3 * (age - 20) + 80 * (random() - 0.5)
    const covariates = { age: String(age), sex: random() < 0.7 ? 'F' : 'M' }
    return Array.from({ length: n % 3 === 0 ? 4 : 1 }, (_, v) =>
      madeUpVisit(subject, v + 1, ml * (1 + 0.08 * v + 0.06 * (random() - 0.5)), {
        ...{ group, covariates, brainMl: brainMl * (1 - 0.002 * v) },
        percentOfBrain: (100 * ml) / brainMl,
      }),
    )
  }).flat()
}
