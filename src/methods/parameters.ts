import { z } from 'zod'

/** Parameters that several methods have, each with the default that suits it. */

export const smallestLesion = (mm3: number) =>
  z.number().min(0).max(1000).default(mm3).describe('smallest lesion kept, mm³')

export const whiteAsked = (probability: number) =>
  z
    .number()
    .min(0)
    .max(1)
    .default(probability)
    .describe('smoothed white-matter probability of the atlas asked of a lesion voxel; 0 looks in the whole brain')

export const whiteSigma = (mm: number) =>
  z.number().min(0).max(10).default(mm).describe('smoothing of the white-matter probability, mm (Gaussian σ)')

export const flairSmoothing = (mm: number) =>
  z.number().min(0).max(5).default(mm).describe('smoothing of FLAIR, mm (Gaussian σ); not across thick slices')
