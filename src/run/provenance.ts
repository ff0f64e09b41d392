import { z } from 'zod'
import type { StepRecord } from '../volume/study.js'

/** `provenance.json`: what a result was made from and how, and where the run's time and memory went. */
export interface Provenance {
  schemaVersion: 1
  software: { name: 'lesionwise'; version: string; node: string }
  method: { id: string; params: Record<string, unknown>; citation?: string }
  options: Record<string, unknown>
  inputs: {
    role: string
    sha256?: string
    dims: readonly number[]
    voxelSizeMm: readonly number[]
    orientation: string
    path?: string
  }[]
  steps: StepRecord[]
  stages: { stage: string; seconds: number; peakMegabytes: number }[]
  started: string
  finished: string
  seconds: number
  peakMegabytes: number
}

const values = z.record(z.string(), z.unknown())

/** `provenance.json` as it is read again; what a later version adds is let through. */
export const provenanceSchema = z.looseObject({
  schemaVersion: z.literal(1),
  software: z.looseObject({ name: z.literal('lesionwise'), version: z.string(), node: z.string() }),
  method: z.looseObject({ id: z.string(), params: values, citation: z.string().optional() }),
  options: values,
  inputs: z.array(
    z.looseObject({
      role: z.string(),
      sha256: z.string().optional(),
      dims: z.array(z.number()),
      voxelSizeMm: z.array(z.number()),
      orientation: z.string(),
      path: z.string().optional(),
    }),
  ),
  steps: z.array(
    z.looseObject({
      step: z.string(),
      version: z.number(),
      params: values,
      result: values.optional(),
      seconds: z.number(),
      cached: z.boolean().optional(),
    }),
  ),
  stages: z.array(z.looseObject({ stage: z.string(), seconds: z.number(), peakMegabytes: z.number() })),
  started: z.string(),
  finished: z.string(),
  seconds: z.number(),
  peakMegabytes: z.number(),
}) satisfies z.ZodType<Provenance>
