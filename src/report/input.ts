import type { Summary } from '../lesions/summary.js'
import type { Lesion } from '../lesions/types.js'
import type { Citation } from '../methods/define.js'
import type { Modality } from '../volume/study.js'
import type { Image, Mask, Volume } from '../volume/volume.js'
import type { Language } from './words/languages.js'

/** All that a report is made of. Volumes are on one grid, that of the FLAIR as it was given, axes in any order. */
export interface ReportInput {
  /** What the visit is called, where that is a label and no name: `sub-01_ses-1`. */
  visitLabel?: string
  /** The FLAIR as the scanner gave it: the pictures show this. Without it there are none. */
  flair?: Image
  /** The FLAIR that the method saw, bias corrected: the histogram is of this. Left out, `flair` is used. */
  analysed?: Image
  /** Lesion ids. */
  labels: Volume<Int16Array>
  lesions: readonly Lesion[]
  /** Counts, volumes and flags. */
  summary: Summary
  brain?: Mask
  /** Belief that a voxel is lesion, 0–1. */
  probability?: Image
  /** The T1 brought onto the FLAIR's grid, for the picture that shows whether the two fit. */
  t1?: Image
  /** Trust in that registration, 0–1 (registrationCheck). */
  registrationTrust?: number
  /** Contrasts that were used. */
  contrasts: readonly Modality[]
  method: { id: string; title: string; describe: string; citation?: Citation }
  /** The method's parameters and what they mean. */
  params?: Record<string, unknown>
  paramNotes?: Record<string, string>
  /** Settings around the method; the smallest lesion in mm³ and the connectivity are in the summary. */
  settings?: { minimumVoxels?: number; locationRule?: string; probabilityCut?: number }
  /** Intensity of `analysed` above which the method called tissue lesion, where it has one. */
  threshold?: number
  /** The lesions come from a mask the user gave; no segmentation was done. */
  maskGiven?: boolean
  stages: readonly { stage: string; seconds: number; peakMegabytes?: number }[]
  /** Of the whole run, in seconds. */
  seconds?: number
  /** What found the lesions. */
  software: { name: string; version: string; runtime?: string }
  /** The version that writes the report, where it is another. */
  reportVersion?: string
  /** Date of the analysis, e.g. 2026-05-04. */
  date?: string
  /** Date of the visit, as it is to be printed. */
  visitDate?: string
  /** The result of an earlier visit of the same person. */
  earlier?: EarlierResult
  /** Default: English. */
  language?: Language
}

/** What is compared with the result of an earlier visit: counts and volumes, never single lesions. */
export interface EarlierResult {
  summary: Summary
  /** Volume of the brain mask. */
  brainMl?: number
  visitDate?: string
  /** In what the two results were not made alike. */
  differences: readonly Difference[]
}

export type Difference =
  | 'method'
  | 'params'
  | 'version'
  | 'connectivity'
  | 'minimumSize'
  | 'locationRule'
  | 'contrasts'
  | 'grid'
