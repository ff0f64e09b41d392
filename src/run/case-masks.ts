import { type Flag, UsageError } from '../errors.js'
import type { Protocol } from '../evaluate/protocol.js'
import { voxelSizes } from '../volume/affine.js'
import type { Mask } from '../volume/volume.js'
import { type LesionMask, type MaskChoice, ontoReference, readLesionMask } from './masks.js'
import type { Provenance } from './provenance.js'
import type { PlannedCase, ScorePlan } from './score-plan.js'

export type Side = 'reference' | 'candidate'
export type Sided<T> = T | Partial<Record<Side, T>>

/** What is lesion in files that are not simply masks; one for the reference, one for the candidate, or one for both. */
export interface MaskChoices {
  label?: Sided<number>
  anyLabel?: Sided<boolean>
  threshold?: Sided<number>
}

export function choiceOf({ label, anyLabel, threshold }: MaskChoices, side: Side): MaskChoice {
  const of = <T>(sided: Sided<T> | undefined): T | undefined =>
    typeof sided === 'object' && sided !== null ? (sided as Partial<Record<Side, T>>)[side] : (sided as T | undefined)
  const choice: MaskChoice = {}
  if (of(label) !== undefined) choice.label = of(label)
  if (of(anyLabel)) choice.anyLabel = true
  if (of(threshold) !== undefined) choice.threshold = of(threshold)
  if (Object.keys(choice).length > 1)
    throw new UsageError(
      `of --label, --any-label and --threshold only one can say what is lesion in the ${side}; give one`,
    )
  if (choice.threshold !== undefined && !(choice.threshold > 0))
    throw new UsageError(`--threshold ${choice.threshold} would make every voxel a lesion; give a number above 0`)
  if (choice.label !== undefined && (!Number.isInteger(choice.label) || choice.label === 0))
    throw new UsageError(`--label ${choice.label} is not the number of a label; give a whole number other than 0`)
  return choice
}

export type JudgedInputs = (Omit<Provenance['inputs'][number], 'orientation'> & { case: string })[]

/** What the judged masks may take in memory; beyond it they are read again when they are scored. */
const memoryBytes = 512e6

/** The masks of a plan: judged first, then handed out for scoring. */
export class CaseMasks {
  readonly #kept = new Map<string, Mask>()
  #bytes = 0

  constructor(
    readonly plan: ScorePlan,
    readonly protocol: Protocol,
    readonly choices: Record<Side, MaskChoice>,
    readonly resample: boolean,
  ) {}

  /** Reads every mask once. @throws InputError for the first that will not do */
  async judgeAll(signal?: AbortSignal): Promise<{ flags: Flag[]; inputs: JudgedInputs }> {
    const flags = [...this.plan.flags]
    const inputs: JudgedInputs = []
    const note = (one: PlannedCase, role: string, path: string, read: LesionMask) => {
      flags.push(...read.flags)
      const { dims, affine } = read.mask
      const voxelSizeMm = voxelSizes(affine).map((mm) => Number(mm.toFixed(4)))
      inputs.push({ case: one.id, role, sha256: read.sha256, dims, voxelSizeMm, path })
    }
    for (const one of this.plan.cases) {
      signal?.throwIfAborted()
      const references: Mask[] = []
      for (const [r, path] of one.references.entries()) {
        const read = await this.#reference(one, r, references[0])
        note(one, one.references.length > 1 ? `reference ${r + 1}` : 'reference', path, read)
        references.push(read.mask)
      }
      for (const [t, path] of one.candidates.entries())
        if (path !== undefined) note(one, this.plan.teams[t], path, await this.#candidate(one, t, references[0]))
    }
    return { flags: condensed(flags), inputs }
  }

  async references(one: PlannedCase): Promise<Mask[]> {
    const masks: Mask[] = []
    for (const [r, path] of one.references.entries())
      masks.push(this.#take(`r${r} ${path}`) ?? (await this.#reference(one, r, masks[0])).mask)
    return masks
  }

  async candidate(one: PlannedCase, team: number, reference: Mask): Promise<Mask> {
    return this.#take(`c${team} ${one.candidates[team]}`) ?? (await this.#candidate(one, team, reference)).mask
  }

  async #reference(one: PlannedCase, r: number, first: Mask | undefined): Promise<LesionMask> {
    const path = one.references[r]
    const name = `${one.id}, ${one.references.length > 1 ? `reference ${r + 1}` : 'reference'}`
    const keep = this.protocol.keptLabels
    const read = await readLesionMask(path, name, keep ? { ...this.choices.reference, keep } : this.choices.reference)
    return this.#keep(`r${r} ${path}`, await this.#onto(read, first, path, one.references[0], name))
  }

  async #candidate(one: PlannedCase, t: number, reference: Mask): Promise<LesionMask> {
    const path = one.candidates[t]!
    const name = `${one.id}, ${this.plan.teams[t]}`
    const read = await readLesionMask(path, name, this.choices.candidate)
    return this.#keep(`c${t} ${path}`, await this.#onto(read, reference, path, one.references[0], name))
  }

  async #onto(read: LesionMask, reference: Mask | undefined, path: string, referencePath: string, name: string) {
    if (!reference) return read
    const placed = await ontoReference(read.mask, reference, { path, referencePath, name, resample: this.resample })
    return { ...read, mask: placed.mask, flags: [...read.flags, ...placed.flags] }
  }

  #keep(key: string, read: LesionMask): LesionMask {
    if (this.#bytes + read.mask.data.length <= memoryBytes) {
      this.#bytes += read.mask.data.length
      this.#kept.set(key, read.mask)
    }
    return read
  }

  /** Each mask is scored once: what is taken is given free. */
  #take(key: string): Mask | undefined {
    const mask = this.#kept.get(key)
    this.#kept.delete(key)
    return mask
  }
}

/** Of many alike one: a folder of two hundred masks would say the same two hundred times. */
function condensed(flags: readonly Flag[]): Flag[] {
  const alike = new Map<string, Flag[]>()
  for (const flag of flags) alike.set(flag.code, [...(alike.get(flag.code) ?? []), flag])
  return [...alike.values()].flatMap((group) =>
    group.length <= 3
      ? group
      : [{ ...group[0], message: `${group[0].message} (${group.length - 1} more masks raise the same doubt.)` }],
  )
}
