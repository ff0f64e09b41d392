import { type Flag, UsageError } from '../errors.js'
import type { LopStapleOptions } from '../evaluate/consensus/lop-staple.js'
import type { Tie } from '../evaluate/consensus/majority.js'
import { type ConsensusMethod, type ConsensusOptions, consensusMethods } from '../evaluate/consensus.js'
import type { MaskChoice } from './masks.js'
import type { Progress } from './options.js'
import { judgeOutput } from './output-file.js'

export interface ConsensusFilesOptions extends Pick<MaskChoice, 'label' | 'anyLabel'> {
  /** The raters' files, two or more: masks, label maps or maps of probability, NIfTI. */
  masks: readonly string[]
  /** File for the consensus, .nii or .nii.gz; left out, nothing is written. */
  out?: string
  /** File for the probability of lesion. */
  probability?: string
  /** Default `staple`. */
  method?: ConsensusMethod
  /** Keep the labels of label maps apart. Not with `msseg2`. */
  labels?: boolean
  /** The files are maps of probability, 0–1. `majority` and `lop-staple` take them as they are, the others cut them. */
  soft?: boolean
  /** With `soft` the cut of methods that need one (default 0.5); without, maps of probability are cut to masks first. */
  threshold?: number
  /** Bring files on another grid onto that of the first, by nearest voxel. */
  resample?: boolean
  /** Radius in voxels by which the union of all masks is grown to be the region; 0: the whole image. Default 2. */
  maskDil?: number
  /** STAPLE: priors on the raters' performance. Default none. */
  priorMap?: 'none' | 'diagonal' | 'full'
  /** STAPLE and LOP-STAPLE: most rounds. Default 100. */
  iterations?: number
  /** Majority and SIMPLE: who wins where votes are equal. Default background. */
  tie?: Tie
  /** LOP-STAPLE: how much each rater counts. Default estimated. */
  weights?: 'estimated' | 'equal' | readonly number[]
  /** LOP-STAPLE: as how many independent raters the pool counts. Default 1. */
  strength?: number
  /** MSSEG-2: so many raters make a lesion. Default more than half. */
  quorum?: number
  /** MSSEG-2: what is done with lesions that fewer drew. Default drop. */
  doubtful?: 'drop' | 'keep' | 'mark'
  threads?: number
  signal?: AbortSignal
  onProgress?(event: Progress): void
  onFlag?(flag: Flag): void
}

/** Which methods know an option: one that would change nothing is refused rather than ignored. */
const known: Partial<Record<keyof ConsensusFilesOptions, readonly ConsensusMethod[]>> = {
  priorMap: ['staple'],
  iterations: ['staple', 'lop-staple'],
  tie: ['majority', 'simple'],
  weights: ['lop-staple'],
  strength: ['lop-staple'],
  quorum: ['msseg2'],
  doubtful: ['msseg2'],
  labels: ['staple', 'majority', 'lop-staple', 'simple'],
}

/** @throws UsageError for options that do not go together, and for an output that is an input or a folder */
export async function judgeArguments(options: ConsensusFilesOptions, method: ConsensusMethod): Promise<void> {
  const { masks, out, probability } = options
  if (!consensusMethods.includes(method))
    throw new UsageError(`there is no consensus method "${method}"; there are ${consensusMethods.join(', ')}`)
  if (masks.length < 2) throw new UsageError(`a consensus needs at least two masks, and ${masks.length} is given`)
  for (const [name, methods] of Object.entries(known))
    if (options[name as keyof ConsensusFilesOptions] !== undefined && !methods.includes(method))
      throw new UsageError(`${dashed(name)} is for ${methods.join(', ')}, and the method is ${method}; leave it out`)
  if (options.labels && options.soft) throw new UsageError('--labels and --soft exclude each other; give one')
  if (options.soft && (options.label !== undefined || options.anyLabel))
    throw new UsageError('--soft files have no labels; leave out --label and --any-label')
  if (options.labels && (options.label !== undefined || options.anyLabel || options.threshold !== undefined))
    throw new UsageError('--labels keeps every label; leave out --label, --any-label and --threshold')
  const { quorum, weights } = options
  if (quorum !== undefined && !(Number.isInteger(quorum) && quorum >= 1 && quorum <= masks.length))
    throw new UsageError(`--quorum ${quorum} does not go with ${masks.length} raters; give 1 to ${masks.length}`)
  if (typeof weights === 'object' && weights.length !== masks.length)
    throw new UsageError(`--weights has ${weights.length} numbers for ${masks.length} raters; give one for each`)
  for (const [path, option] of [
    [out, '--out'],
    [probability, '--probability'],
  ] as const) {
    if (path === undefined) continue
    if (!/\.nii(\.gz)?$/i.test(path)) throw new UsageError(`${option} ${path} has to end in .nii.gz or .nii`)
    await judgeOutput(path, option, masks)
  }
  if (out !== undefined && out === probability)
    throw new UsageError('--out and --probability are one file; give two names')
}

const dashed = (name: string): string => `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`

/** What is given of the options, under the names that the methods have for them. */
export function optionsOf(options: ConsensusFilesOptions): ConsensusOptions {
  const { maskDil, priorMap, iterations, tie, weights, strength, quorum, doubtful, threshold } = options
  return {
    dilation: maskDil,
    ...(priorMap ? { prior: { kind: priorMap } } : {}),
    maximumIterations: iterations,
    tie,
    weights: weights as LopStapleOptions['weights'],
    strength,
    quorum,
    doubtful,
    threshold,
  }
}
