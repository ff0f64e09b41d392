import { median } from '../evaluate/statistics/describe.js'
import { type Column, jointTest, linearModel } from '../evaluate/statistics/linear.js'
import { holm } from '../evaluate/statistics/multiple.js'
import { midRanks } from '../evaluate/statistics/ranks.js'
import {
  type CohortFigure,
  type CohortVisit,
  figureNames,
  type GroupComparison,
  type Outlier,
} from '../report/cohort-input.js'
import { figure } from '../report/words.js'

const figures: readonly CohortFigure[] = ['lesionMl', 'lesionCount', 'percentOfBrain', 'brainMl']

/** What is added before the logarithm, about the same load in each figure: loads are skewed and may be 0. */
const added: Readonly<Partial<Record<CohortFigure, number>>> = { lesionMl: 1, lesionCount: 1, percentOfBrain: 0.1 }

/** Loads as logarithms; the brain's volume as it is. */
function onScale(name: CohortFigure, value: number): number {
  const offset = added[name]
  return offset === undefined ? value : Math.log(value + offset)
}

/** How far from the others a value may lie, in robust standard deviations (Iglewicz & Hoaglin 1993). */
const farAway = 3.5

/**
 * Visits to look at: a figure far from the cohort's median in robust standard deviations (1.4826 × the median absolute
 * deviation; of loads the logarithm), a leap since the person's visit before, and what the run itself had doubts about.
 */
export function findOutliers(visits: readonly CohortVisit[]): Outlier[] {
  const done = visits.filter(({ status }) => status === 'done')
  const found: Outlier[] = []
  for (const name of figures) {
    const values = done.map((visit) => onScale(name, visit[name]))
    const centre = median(values)
    const spread = 1.4826 * median(values.map((value) => Math.abs(value - centre)))
    if (done.length < 5 || !(spread > 0)) continue
    for (const [i, visit] of done.entries()) {
      const z = (values[i] - centre) / spread
      if (!(Math.abs(z) > farAway)) continue
      const others = figure(median(done.map((one) => one[name])))
      found.push({
        id: visit.id,
        why: `${figureNames[name]}: ${figure(visit[name])}, the others' median is ${others} (robust z ${figure(z, 1).replace('-', '−')}).`,
      })
    }
  }
  for (const visit of done) {
    const before = done.filter((one) => one.subject === visit.subject && one.visit < visit.visit).at(-1)
    if (before) found.push(...leaps(before, visit))
    for (const doubt of visit.doubts) found.push({ id: visit.id, why: doubt })
  }
  return found
}

/** Changes between visits that no disease makes: rather another scan protocol, or a failed step. */
function leaps(before: CohortVisit, now: CohortVisit): Outlier[] {
  const found: Outlier[] = []
  const brain = (100 * (now.brainMl - before.brainMl)) / before.brainMl
  if (Math.abs(brain) > 5)
    found.push({
      id: now.id,
      why: `The brain is ${figure(Math.abs(brain), 0)} % ${brain > 0 ? 'larger' : 'smaller'} than at ${before.id}: another protocol, or a brain mask that failed.`,
    })
  const [low, high] = [before.lesionMl, now.lesionMl].sort((a, b) => a - b)
  if (high - low > 2 && high > 2 * low)
    found.push({
      id: now.id,
      why: `Lesion volume ${figure(now.lesionMl)} ml, at ${before.id} ${figure(before.lesionMl)} ml: more than doubled or halved.`,
    })
  return found
}

/**
 * Compares groups at the first visit of each person that has a result, adjusted for covariates: a linear model for each
 * figure with a column for each group but the first (the most frequent), numbers as they are and words as classes. Holm's
 * correction over all differences; the same model on ranks beside it.
 */
export function compareGroups(
  visits: readonly CohortVisit[],
  column: string,
  covariates: readonly string[],
): GroupComparison {
  const first = firstVisits(visits)
  const whole = first.filter(
    ({ group, covariates: of }) => group !== undefined && covariates.every((name) => of[name] !== undefined),
  )
  const sizes = new Map<string, number>()
  for (const { group } of whole) sizes.set(group as string, (sizes.get(group as string) ?? 0) + 1)
  const groups = [...sizes].map(([name, n]) => ({ name, n })).sort((a, b) => b.n - a.n || (a.name < b.name ? -1 : 1))
  const result: GroupComparison = {
    column,
    groups,
    covariates,
    differences: [],
    joint: [],
    leftOut: first.length - whole.length,
  }
  if (first.every(({ group }) => group === undefined))
    return { ...result, none: `participants.tsv has no column "${column}" with values for people with a result` }
  if (groups.length < 2) return { ...result, none: `all people with a result and covariates are of one ${column}` }
  const small = groups.find(({ n }) => n < 3)
  if (small)
    return {
      ...result,
      none: `${small.name} has ${small.n === 1 ? '1 person' : `${small.n} people`}; three are the least`,
    }

  const [reference, ...others] = groups
  const design: Column[] = [
    { name: 'intercept', values: whole.map(() => 1) },
    ...others.map(({ name }) => ({ name, values: whole.map(({ group }) => (group === name ? 1 : 0)) })),
    ...covariates.flatMap((name) => covariateColumns(name, whole)),
  ]
  const tested = new Set(others.map((one) => one.name))
  try {
    for (const name of figures) {
      const values = whole.map((visit) => onScale(name, visit[name]))
      const model = linearModel(values, design)
      const { f, df1, df2, p: jointP } = jointTest(values, design, tested)
      result.joint.push({ figure: name, f, df1, df2, p: jointP })
      const ranked = linearModel(midRanks(values).ranks, design)
      for (const [i, { name: group }] of others.entries()) {
        const { estimate, low, high, p } = model.coefficients[i + 1]
        const back = name === 'brainMl' ? (value: number) => value : Math.exp
        result.differences.push({
          ...{ figure: name, group, reference: reference.name, n: model.n, adjusted: Number.NaN },
          ...{ estimate: back(estimate), low: back(low), high: back(high), p, rankP: ranked.coefficients[i + 1].p },
        })
      }
    }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    return { ...result, differences: [], joint: [], none: error.message }
  }
  const adjusted = holm(result.differences.map(({ p }) => p))
  for (const [i, one] of result.differences.entries()) one.adjusted = adjusted[i]
  return result
}

function firstVisits(visits: readonly CohortVisit[]): CohortVisit[] {
  const first = new Map<string, CohortVisit>()
  for (const visit of visits) if (visit.status === 'done' && !first.has(visit.subject)) first.set(visit.subject, visit)
  return [...first.values()]
}

/** A column of numbers, or one for each class but the first; none where all are alike. */
function covariateColumns(name: string, visits: readonly CohortVisit[]): Column[] {
  const texts = visits.map(({ covariates }) => covariates[name])
  if (new Set(texts).size < 2) return []
  if (texts.every((text) => text.trim() !== '' && Number.isFinite(Number(text))))
    return [{ name, values: texts.map(Number) }]
  const classes = [...new Set(texts)].sort()
  return classes
    .slice(1)
    .map((one) => ({ name: `${name} ${one}`, values: texts.map((text) => (text === one ? 1 : 0)) }))
}
