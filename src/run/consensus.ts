import { type Flag, InputError, UsageError } from '../errors.js'
import type { LopStapleOptions } from '../evaluate/consensus/lop-staple.js'
import type { Tie } from '../evaluate/consensus/majority.js'
import type { Msseg2Consensus } from '../evaluate/consensus/msseg2.js'
import { asLabels, type Consensus, type RaterPerformance } from '../evaluate/consensus/types.js'
import { type ConsensusMethod, type ConsensusOptions, consensus, consensusMethods } from '../evaluate/consensus.js'
import { type RaterAgreement, raterAgreement } from '../evaluate/raters.js'
import { writeNifti } from '../formats/nifti.js'
import { setThreads } from '../kernels/index.js'
import { coreCount, gunzip, now } from '../platform/index.js'
import { labelComponents } from '../volume/components.js'
import { countVoxels, maskWhere, volumeMl } from '../volume/volume.js'
import type { MaskChoice } from './masks.js'
import type { Progress } from './options.js'
import { judgeOutput, writeWhole } from './output-file.js'
import { type RaterKind, readRaters } from './rater-files.js'

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

/** What `--json` prints; NaN becomes null there. */
export interface ConsensusResult {
  schemaVersion: 1
  method: ConsensusMethod
  iterations: number
  converged: boolean
  /** Lesions are 18-connected, of any size. */
  consensus: { volumeMl: number; lesions: number; connectivity: 18 }
  /** In the order given: the mask's volume, and how it stands to the consensus. */
  raters: ({ file: string; volumeMl: number } & RaterPerformance)[]
  agreement: Omit<RaterAgreement, 'volumesMl'>
  /** MSSEG-2: lesions that too few raters drew. */
  review?: { lesions: number; volumeMl: number }
  flags: Flag[]
  /** Time for reading and writing is apart. */
  seconds: { total: number; consensus: number; agreement: number }
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

/**
 * Makes one mask of what several raters drew, and tells how they agree.
 *
 * @throws UsageError, InputError, RunError. A file that is there stays as it was when anything is thrown.
 */
export async function consensusFiles(options: ConsensusFilesOptions): Promise<ConsensusResult> {
  const clock = now()
  const { masks, method = 'staple', signal } = options
  await judgeArguments(options, method)
  setThreads(options.threads ?? coreCount())
  const flags: Flag[] = []
  const flag = (one: Flag) => {
    flags.push(one)
    options.onFlag?.(one)
  }
  const kind: RaterKind = options.soft ? 'probability' : options.labels ? 'labels' : 'mask'
  const { label, anyLabel, threshold } = options
  const read = await readRaters(masks, {
    kind,
    choice: { label, anyLabel, threshold },
    resampled: options.resample === true,
  })
  read.flags.forEach(flag)
  signal?.throwIfAborted()

  options.onProgress?.({ stage: 'Making the consensus', fraction: 0.3 })
  const began = now()
  const made = attempt(masks[0], () => consensus(method, read.maps, optionsOf(options)))
  const between = now()
  options.onProgress?.({ stage: 'Comparing the raters', fraction: 0.6 })
  const drawn = read.maps.map((map) => asLabels(map, threshold))
  const { volumesMl, ...agreement } = raterAgreement(drawn, { dilation: options.maskDil })
  const done = now()
  for (const one of doubts(made, method, options, volumesMl)) flag(one)
  signal?.throwIfAborted()

  const files = new Map<string, Uint8Array>()
  const like = { like: read.header }
  if (options.out !== undefined) files.set(options.out, await packed(options.out, await writeNifti(made.labels, like)))
  if (options.probability !== undefined)
    files.set(options.probability, await packed(options.probability, await writeNifti(made.probability, like)))
  signal?.throwIfAborted()
  await writeWhole(files)

  const seconds = (from: number, to: number) => Number(((to - from) / 1000).toFixed(3))
  const lesions = maskWhere(made.labels, (value) => value !== 0)
  return {
    schemaVersion: 1,
    method,
    iterations: made.iterations,
    converged: made.converged,
    consensus: { volumeMl: volumeMl(lesions), lesions: labelComponents(lesions, 18).count, connectivity: 18 },
    raters: made.raters.map((one, i) => ({ file: masks[i], volumeMl: volumesMl[i], ...one })),
    agreement,
    ...reviewOf(made),
    flags,
    seconds: { total: seconds(clock, now()), consensus: seconds(began, between), agreement: seconds(between, done) },
  }
}

async function judgeArguments(options: ConsensusFilesOptions, method: ConsensusMethod): Promise<void> {
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
function optionsOf(options: ConsensusFilesOptions): ConsensusOptions {
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

/** A consensus that cannot be made of these files, although each of them is sound. */
function attempt(source: string, make: () => Consensus): Consensus {
  try {
    return make()
  } catch (cause) {
    if (!(cause instanceof RangeError) || /memory|allocation|array length/i.test(cause.message)) throw cause
    throw new InputError(source, `no consensus can be made of these files (${cause.message})`, 'give other masks', {
      cause,
    })
  }
}

function* doubts(
  made: Consensus,
  method: ConsensusMethod,
  { masks, soft, threshold = 0.5, doubtful = 'drop' }: ConsensusFilesOptions,
  volumesMl: readonly number[],
): Generator<Flag> {
  if (!made.converged)
    yield {
      code: 'not-converged',
      severity: 'info',
      message: `The raters' performance was still moving after ${made.iterations} rounds; more are had with --iterations.`,
    }
  if (soft && method !== 'majority' && method !== 'lop-staple')
    yield {
      code: 'probabilities-cut',
      severity: 'info',
      message: `${method} takes masks: voxels of a probability of at least ${threshold} count as drawn.`,
    }
  if (countVoxels(made.labels) === 0 && volumesMl.some((ml) => ml > 0))
    yield {
      code: 'empty-consensus',
      severity: 'warning',
      message: 'Lesions were drawn, but the raters agree on none of them: the consensus is empty.',
    }
  const review = reviewOf(made).review
  if (review && review.lesions > 0)
    yield {
      code: 'lesions-to-review',
      severity: 'warning',
      message: `${review.lesions} lesions (${review.volumeMl.toFixed(2)} ml) were drawn by too few raters; another expert should judge them. They are ${{ drop: 'left out', keep: 'kept', mark: 'marked with 2' }[doubtful]}.`,
    }
  const out = masks.filter((_, i) => made.raters[i].kept === false)
  if (out.length > 0)
    yield {
      code: 'raters-left-out',
      severity: 'warning',
      message: `${out.join(' and ')} ${out.length > 1 ? 'are' : 'is'} far from what the others drew and ${out.length > 1 ? 'were' : 'was'} left out.`,
    }
}

function reviewOf(made: Consensus): Pick<ConsensusResult, 'review'> {
  if (!('review' in made)) return {}
  const { review, lesions } = made as Msseg2Consensus
  return { review: { lesions: lesions.filter(({ kept }) => !kept).length, volumeMl: volumeMl(review) } }
}

const packed = async (path: string, zipped: Uint8Array): Promise<Uint8Array> =>
  /\.gz$/i.test(path) ? zipped : await gunzip(zipped)
