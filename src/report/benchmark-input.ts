import type { VolumeAgreement } from '../evaluate/agreement.js'
import type { Measure, Ranking, Scores } from '../evaluate/protocol.js'

/** All that the benchmark's page shows. Figures that are not defined are NaN. */
export interface BenchmarkInput {
  software: { name: string; version: string }
  date: string
  machine: string
  /** Settings worth telling, by name. */
  settings: Record<string, string | number>
  protocol: { id: string; title: string; citation: string }
  measures: readonly Measure[]
  methods: readonly BenchmarkMethod[]
  cases: readonly BenchmarkCase[]
  runs: readonly BenchmarkRun[]
  /** What was found in the data set but could not be scored. */
  leftOut: readonly { id: string; reason: string }[]
  analysis: Analysis
  pictures: readonly Picture[]
}

export interface BenchmarkMethod {
  id: string
  title: string
  citation: string
  params: Record<string, unknown>
  /** What each parameter is. */
  notes: Record<string, string>
}

export interface BenchmarkCase {
  id: string
  group: string
  referenceMl: number
  referenceLesions: number
}

/** One method on one case: how it ended. */
export interface RunOutcome {
  method: string
  case: string
  /** From 1. */
  repeat: number
  status: 'done' | 'failed'
  /** Why it failed, in one line. */
  reason?: string
  /** Of the process that failed; absent when a signal ended it. */
  exitCode?: number
  /** Preparation from the raw images; the method alone; from the raw images to the report. */
  seconds?: { prepare: number; method: number; total: number }
  /** Highest memory of the preparing process, and of the one that ran the method. */
  peakMegabytes?: { prepare: number; run: number }
  /** Which contrast took the place of one that the method asks for and was not given, or was done without. */
  standIns?: readonly StandIn[]
}

/** `flair` for `t2`; `nothing` where the method ran without. */
export interface StandIn {
  given: string
  for: string
}

export interface BenchmarkRun extends RunOutcome {
  scores?: Scores
  /** The run's own report, as an address relative to the page. */
  report?: string
}

/** Best and worst cases of a method with the outlines of both masks. */
export interface Picture {
  method: string
  case: string
  dice: number
  which: 'best' | 'worst'
  png: Uint8Array
}

export interface Analysis {
  /** The measures by which methods are ranked and compared, the most important first. */
  primary: readonly string[]
  /** Cases that count: at least one method gave a result. */
  cases: readonly string[]
  groups: number
  methods: readonly MethodAnalysis[]
  /** Each pair of methods on each primary measure. */
  comparisons: readonly Comparison[]
  /** By primary measure; why there is none where there is none. */
  criticalDifferences: readonly (CriticalDifference | { measure: string; reason: string })[]
  /** As the protocol's organisers rank. */
  rankings: readonly Ranking[]
}

export interface Estimate {
  mean: number
  /** Ends of the 95 % confidence interval of the mean. */
  low: number
  high: number
  median: number
  /** Cases with a value. */
  n: number
}

export interface MethodAnalysis {
  id: string
  /** By primary measure; methods that tie share the mean of their places. */
  places: Record<string, number>
  /** By primary measure: in which share of the resampled data sets no other method is better. */
  first: Record<string, number>
  /** By key of measure. */
  estimates: Record<string, Estimate>
  /** Figures of the protocol over all cases. */
  overall: Scores
  /** Runs that failed on cases that count. */
  failed: number
  /** Medians over the runs. */
  seconds: { prepare: number; method: number; total: number }
  /** The highest of any run. */
  peakMegabytes: number
  /** Method against reference, ml. */
  volume: VolumeAgreement
  bySize: readonly DetectionBySize[]
  /** True when repeats gave the same masks, false when not; absent without repeats. */
  repeatable?: boolean
}

/** Lesions of one class of size: how many the reference has and how many of them were found; and the other way round. */
export interface DetectionBySize {
  /** mm³, from this … */
  from: number
  /** … to below this; absent for the largest. */
  to?: number
  reference: number
  detected: number
  candidate: number
  confirmed: number
}

/** Two methods on one measure, group by group. */
export interface Comparison {
  measure: string
  better: string
  other: string
  /** Groups that both have. */
  n: number
  /** Mean of the differences, better − other, with its 95 % interval. */
  difference: number
  low: number
  high: number
  /** Two-sided, Wilcoxon signed-rank over groups. */
  p: number
  /** After Holm, over all comparisons of this measure. */
  adjusted: number
}

export interface CriticalDifference {
  measure: string
  /** Mean rank over groups, 1 is best. */
  ranks: readonly { method: string; rank: number }[]
  /** Runs of methods, best first, of which no two differ. */
  alike: readonly (readonly string[])[]
  /** Mean ranks further apart than this differ (Nemenyi, 5 %). */
  difference: number
  n: number
  /** Friedman's test: that all methods are alike. */
  p: number
}
