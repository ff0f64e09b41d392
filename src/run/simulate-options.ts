import { readdir } from 'node:fs/promises'
import { UsageError } from '../errors.js'
import type { SynthesisedContrast } from '../simulate/synthesise.js'
import { modalities } from '../volume/study.js'
import type { Progress } from './options.js'

export type LabelSet = 'tissue' | 'freesurfer'

export interface SimulateFilesOptions {
  /** Folder for the data set; it must be new or empty. */
  out: string
  /** Default 1. */
  subjects?: number
  /** Default 1. */
  visits?: number
  seed?: number
  /** Default FLAIR and T1. */
  contrasts?: readonly SynthesisedContrast[]
  /** Slice thickness in mm. */
  sliceThickness?: number
  /** Pixel size in mm. */
  spacing?: number
  /** Lesion load in ml; default: 2 to 30 from patient to patient, small loads more often. */
  lesionMl?: number
  /** Mean number of new lesions at each later visit. Default 2. */
  newLesions?: number
  /** How far the ventricles' walls move from visit to visit, mm. Default 0.3. */
  atrophy?: number
  noise?: number
  bias?: number
  ghosting?: number
  aligned?: boolean
  /** Label maps, taken in turn; default: the built-in anatomy. */
  labels?: readonly string[]
  labelSet?: LabelSet
  /** Lesion masks whose shapes are used, or the index of a packed collection (.json with its .bin.gz beside it). */
  lesionBank?: readonly string[]
  threads?: number
  signal?: AbortSignal
  onProgress?(event: Progress): void
}

/** @throws UsageError for what no data set can be made of */
export async function judgeSimulation(options: SimulateFilesOptions): Promise<void> {
  const { contrasts = ['flair'], labels } = options
  const within = (name: string, value: number | undefined, low: number, high: number, whole = false) => {
    if (value === undefined) return
    if (!(value >= low && value <= high) || (whole && !Number.isInteger(value)))
      throw new UsageError(`--${name} is ${value}; give a ${whole ? 'whole ' : ''}number from ${low} to ${high}`)
  }
  within('subjects', options.subjects, 1, 9999, true)
  within('visits', options.visits, 1, 99, true)
  within('slice-thickness', options.sliceThickness, 0.5, 20)
  within('spacing', options.spacing, 0.5, 5)
  within('lesion-ml', options.lesionMl, 0, 100)
  within('new-lesions', options.newLesions, 0, 100)
  within('atrophy', options.atrophy, 0, 2)
  within('noise', options.noise, 0, 1)
  within('bias', options.bias, 0, 1)
  within('ghosting', options.ghosting, 0, 1)
  const names: readonly string[] = [...modalities, 'random']
  if (contrasts.length === 0) throw new UsageError(`--contrasts is empty; give some of ${names.join(', ')}`)
  for (const [n, name] of contrasts.entries()) {
    if (!names.includes(name))
      throw new UsageError(`--contrasts: "${name}" is none; the contrasts are ${names.join(', ')}`)
    if (contrasts.indexOf(name) !== n) throw new UsageError(`--contrasts names ${name} twice; name it once`)
  }
  if (contrasts.includes('random') && !labels?.length)
    throw new UsageError('--contrasts random draws a mean for every label, so it needs --labels')
  const there = await readdir(options.out).catch(() => [])
  if (there.some((name) => !name.startsWith('.lesionwise-')))
    throw new UsageError(`--out ${options.out} holds files already; give a new or an empty folder, nothing is replaced`)
}
