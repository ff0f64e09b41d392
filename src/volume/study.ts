import type { Flag } from '../errors.js'
import type { Affine } from './affine.js'
import type { Grid, Image, Mask } from './volume.js'

/** The contrasts the field works with; others go by their name (`dir`, `swi`, `t2star`, …). */
export type Modality = 'flair' | 't1' | 't2' | 'pd' | 't1gd'
export const modalities: readonly Modality[] = ['flair', 't1', 't2', 'pd', 't1gd']

/** The images of one subject at one time point, each on its own grid as the scanner gave it. */
export type Study = Partial<Record<Modality, Image>>

/** What a preparation step did, in plain values: kept in `provenance.json`. */
export interface StepRecord {
  step: string
  version: number
  params: Record<string, unknown>
  /** Figures worth keeping, e.g. the final mutual information. */
  result?: Record<string, unknown>
  seconds: number
  cached?: boolean
}

/** Atlas maps resampled onto a study's working grid. Probabilities are 0–1. */
export interface AtlasMaps {
  csf: Image
  gm: Image
  wm: Image
  /** Lateral and third ventricles (label 1), fourth ventricle (2). */
  ventricles: Mask
  /** Brainstem and cerebellum. */
  infratentorial: Mask
  /** Thalamus, caudate, putamen, pallidum. */
  deepGrey: Mask
  /** Cortical grey-matter probability: `gm` without deep grey matter and infratentorial parts. */
  cortex: Image
  /** How often MS lesions of other patients lie here, 0–1 (relative frequency, smoothed). */
  lesionPrior: Image
}

/** Posterior tissue probabilities, 0–1, summing to at most 1 inside the brain. */
export interface TissueMaps {
  csf: Image
  gm: Image
  wm: Image
}

/**
 * A study ready for a method: every image on one grid (the FLAIR's own, with its axes turned towards RAS+), bias
 * corrected, with brain mask, tissue classes and atlas maps.
 */
export interface PreparedStudy {
  readonly grid: Grid
  readonly images: Partial<Record<Modality, Image>>
  readonly brain: Mask
  readonly tissue: TissueMaps
  readonly atlas: AtlasMaps
  /** World map from this study's RAS mm to the atlas (MNI152) RAS mm. */
  readonly toAtlas: Affine
  readonly flags: readonly Flag[]
  readonly records: readonly StepRecord[]
}

/** What a segmentation method returns, on the grid of its PreparedStudy. */
export interface LesionMap {
  mask: Mask
  /** Belief that a voxel is lesion, 0–1, where the method has one. */
  probability?: Image
  /** How unsure that is, 0–1. */
  uncertainty?: Image
  /** Further maps, by name: tissue structures, the masks of a consensus' methods. */
  maps?: Readonly<Record<string, Image | Mask>>
  /** Figures for the report, e.g. the threshold that was used, in the image's units. */
  figures?: Record<string, number>
  flags?: Flag[]
}
