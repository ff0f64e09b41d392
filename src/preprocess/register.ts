import { invert } from '../volume/affine.js'
import type { Image } from '../volume/volume.js'
import { align } from './registration/align.js'
import { notZero, onlyStripped } from './registration/mixed.js'
import type { RegisterOptions, Registration } from './registration/options.js'

export { registrationCheck, trustThreshold, trustworthy } from './registration/check.js'
export type { SimilarityKind } from './registration/joint.js'
export type { RegisterOptions, Registration } from './registration/options.js'

/**
 * Rigid to affine registration by normalised mutual information (Studholme et al. 1999; Parzen windows of Mattes et al.
 * 2003), plain mutual information, or correlation, coarse to fine, by its gradient. At 8 mm several starts are followed
 * (the headers' alignment, the centres of mass, the best of a net of turns and shifts) and the best is kept; with more
 * freedom than a rigid map it then gains a common scale, three scales and shears one after the other. A rigid result
 * that does not look right is tried again from anywhere. Deterministic by seed; the same bits for any number of threads.
 *
 * Images may have any spacing and obliqueness, thick slices, the head whole or stripped, and need not cover the same.
 * When only one of them is stripped, its brain alone counts.
 */
export async function register(fixed: Image, moving: Image, options: RegisterOptions): Promise<Registration> {
  const given = options.fixedMask || options.movingMask
  const only = given ? undefined : onlyStripped(fixed, moving)
  if (!only) return await align(fixed, moving, options)
  if (only === 'fixed') return await align(fixed, moving, { ...options, fixedMask: notZero(fixed) })
  // Points are drawn from the brain, so the stripped image takes the part of the fixed one.
  const initial = options.initial && invert(options.initial)
  const back = await align(moving, fixed, { ...options, initial, fixedMask: notZero(moving) })
  return { ...back, map: invert(back.map) }
}
