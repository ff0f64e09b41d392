import type { Affine } from '../../volume/affine.js'
import type { Mask } from '../../volume/volume.js'
import type { SimilarityKind } from './joint.js'
import type { Freedom } from './transform.js'

export interface RegisterOptions {
  /** 6: rigid, for images of one person; 7: similarity, with one scale; 9: a scale for each axis; 12: affine, for a template. */
  dof: Freedom
  /** What is maximised; `ncc` for images of one contrast. Default `nmi`. */
  similarity?: SimilarityKind
  /** Points drawn at the finest level at most, fewer at coarser ones; `full`: every voxel of every level. Default 150 000. */
  sampling?: 'full' | number
  /**
   * Where to start: `near` the headers, the centres of mass and the other ways axes can have been named; `wide` from any
   * rotation about the centres of mass. Default `auto`: near, and for a rigid map that is not to be trusted also wide,
   * of which the more trustworthy counts.
   */
  search?: 'near' | 'wide' | 'auto'
  /** Only points inside count; on any grid of the fixed image's space. */
  fixedMask?: Mask
  /** Only what lies inside counts; on any grid of the moving image's space. */
  movingMask?: Mask
  /** A map to start from instead of a search. */
  initial?: Affine
  seed?: number
  signal?: AbortSignal
  progress?: (fraction: number) => void
}

export interface Registration {
  /** World map: fixed RAS mm → moving RAS mm. `resample(moving, fixedGrid, { map })` brings the moving image over. */
  map: Affine
  /** Normalised mutual information at the end (Studholme 1999), 1 none – 2 full. */
  similarity: number
  /** Mutual information at the end, nats. */
  mutualInformation: number
  /** Correlation of the intensities at the end, −1 – 1. */
  correlation: number
  evaluations: number
}
