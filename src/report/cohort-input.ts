import type { Location } from '../lesions/types.js'

/** One visit, as the page of a cohort needs it. Figures are NaN where there is no result. */
export interface CohortVisit {
  id: string
  subject: string
  session?: string
  status: 'done' | 'failed' | 'left out' | 'not run'
  reason?: string
  method?: string
  lesionCount: number
  lesionMl: number
  percentOfBrain: number
  brainMl: number
  byLocation: Partial<Record<Location, { count: number; volumeMl: number }>>
  /** Doubts of the run: their words. */
  doubts: readonly string[]
  /** Months since the subject's first visit, where the data set tells the time. */
  months: number
  /** Place among the visits of the subject, from 1. */
  visit: number
  group?: string
  /** Of the subject, by the name of the column. */
  covariates: Readonly<Record<string, string>>
  minutes: number
  peakMegabytes: number
  /** Address of its own page, relative to that of the cohort. */
  report?: string
}

/** A figure of a visit that is looked at over the cohort. */
export type CohortFigure = 'lesionMl' | 'lesionCount' | 'percentOfBrain' | 'brainMl'

export interface Outlier {
  id: string
  /** What is unusual, in a sentence. */
  why: string
}

/** One group against the reference, adjusted for covariates. */
export interface GroupDifference {
  figure: CohortFigure
  group: string
  reference: string
  /** For lesion figures the ratio of geometric means (1 ml, 1 lesion or 0.1 % added), for the brain the difference in ml. */
  estimate: number
  low: number
  high: number
  p: number
  /** After Holm, over all differences shown. */
  adjusted: number
  /** Of the same model on ranks, which no single value can bend. */
  rankP: number
  n: number
}

export interface GroupComparison {
  column: string
  groups: { name: string; n: number }[]
  covariates: readonly string[]
  differences: GroupDifference[]
  /** Whether all groups together differ in a figure (F test of the group's columns). */
  joint: { figure: CohortFigure; f: number; df1: number; df2: number; p: number }[]
  /** Subjects without group or covariates. */
  leftOut: number
  /** Why nothing was compared. */
  none?: string
}

export interface CohortInput {
  software: { name: string; version: string }
  date: string
  dataset?: string
  visits: readonly CohortVisit[]
  outliers: readonly Outlier[]
  comparison: GroupComparison
  problems: readonly { file: string; problem: string }[]
  /** What differs among the settings of the visits; empty when all were made alike. */
  mixed: readonly string[]
  methods: readonly { id: string; citation?: string; n: number }[]
}

export const figureNames: Readonly<Record<CohortFigure, string>> = {
  lesionMl: 'Lesion volume, ml',
  lesionCount: 'Lesions',
  percentOfBrain: 'Lesions, % of the brain',
  brainMl: 'Brain, ml',
}
