import type { z } from 'zod'
import type { LesionMap, Modality, PreparedStudy } from '../volume/study.js'
import type { Image, Mask } from '../volume/volume.js'

/** What a running method gets from its surroundings. */
export interface MethodContext {
  /** Say how far the work is: a stage in a few words, and the fraction done of that stage (0–1). */
  progress(stage: string, fraction: number): void
  /** Offers a map of an inner step, on the study's grid, to whoever draws how the method works. */
  show?(step: string, map: Image | Mask): void
  /** Aborted when the user cancels: long loops call `signal.throwIfAborted()`. */
  readonly signal: AbortSignal
  readonly seed: number
  readonly threads: number
  readonly device: 'cpu' | 'webgpu' | 'cuda'
}

export interface Citation {
  /** Authors year, journal: as the field cites it. */
  text: string
  doi?: string
}

/** The survey's columns, and what the code needs. */
export interface MethodMetadata {
  id: string
  title: string
  /** What it does, in one to five sentences. */
  describe: string
  /** When to use it, and when not: a sentence each. */
  use: { for: string; not: string }
  citation: Citation
  supervision: 'unsupervised' | 'supervised' | 'semi-supervised'
  strategy: 'statistical' | 'deep'
  handling: '2d' | '2.5d' | '3d'
  /** The survey's column: what the paper used. */
  modalities: readonly string[]
  classifier: string
  needs: {
    /** Sets of contrasts it can run with, best first. */
    contrasts: readonly (readonly Modality[])[]
    /** Working grid: the FLAIR's own voxels, or 1 mm isotropic. */
    grid: 'native' | 'isotropic-1mm'
    bias: 'n4' | 'none'
    /** It runs only with a model that the user gives: the parameter `model`. */
    model?: true
  }
}

/** What a listing says of a parameter: a part of its JSON schema. */
export interface ParameterEntry {
  description?: string
  default?: unknown
  minimum?: number
  maximum?: number
  enum?: readonly unknown[]
  [more: string]: unknown
}

/** A method as the registry lists it: metadata and parameters as a JSON schema, without loading its code. */
export interface MethodEntry extends MethodMetadata {
  parameters: { properties?: Record<string, ParameterEntry>; [more: string]: unknown }
}

/** A study whose contrasts are known: `needs.contrasts` decides which are always there and which may be missing. */
type Given<C extends readonly (readonly Modality[])[]> = C[number][number]
type Always<C extends readonly (readonly Modality[])[]> = {
  [M in Given<C>]: C[number] extends infer S
    ? S extends readonly Modality[]
      ? M extends S[number]
        ? never
        : S
      : never
    : never
} extends infer Missing
  ? { [M in keyof Missing]: [Missing[M]] extends [never] ? M : never }[keyof Missing]
  : never
export type StudyWith<C extends readonly (readonly Modality[])[]> = Omit<PreparedStudy, 'images'> & {
  readonly images: { readonly [M in Extract<Always<C>, Modality>]: Image } & { readonly [M in Given<C>]?: Image }
}

export interface SegmentationMethod<
  C extends readonly (readonly Modality[])[] = readonly (readonly Modality[])[],
  P extends z.ZodObject = z.ZodObject,
> extends MethodMetadata {
  needs: MethodMetadata['needs'] & { contrasts: C }
  /** Parameters with range, default, unit and source; help, catalogue and error messages are printed from it. */
  params: P
  segment(study: StudyWith<C>, params: z.output<P>, context: MethodContext): Promise<LesionMap>
}

/** A method of any contrasts and parameters, as the registry hands it out: parameters are parsed by its schema. */
export interface AnySegmentationMethod extends MethodMetadata {
  params: z.ZodObject
  segment(study: PreparedStudy, params: Record<string, unknown>, context: MethodContext): Promise<LesionMap>
}

/**
 * Defines a segmentation method: one file, one export. The types make the contrasts of `needs.contrasts` present.
 *
 * @example
 * export const mine2026 = defineMethod({ id: 'mine2026', …, needs: { contrasts: [['flair', 't1'], ['flair']], … },
 *   params: z.object({ k: z.number().default(3).describe('threshold above the mode, in standard deviations') }),
 *   async segment({ images, brain }, { k }, context) { … return { mask } } })
 */
export function defineMethod<const C extends readonly (readonly Modality[])[], P extends z.ZodObject>(
  method: SegmentationMethod<C, P>,
): AnySegmentationMethod {
  return method as unknown as AnySegmentationMethod
}
