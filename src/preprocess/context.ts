import type { Flag } from '../errors.js'
import type { Modality } from '../volume/study.js'
import type { NyulScale } from './normalise.js'
import type { Recipe } from './recipe.js'
import type { Stages } from './stages.js'
import { type StepStore, Steps } from './store.js'

/** What the steps of a preparation get from their surroundings. */
export interface Preparing {
  readonly recipe: Recipe
  readonly stages: Stages
  readonly steps: Steps
  readonly seed: number
  /** All flags raised so far. */
  readonly flags: Flag[]
  flag(one: Flag): void
  /** Nyúl's scale of each contrast, for `normalise: 'nyul'`. */
  readonly scales?: Partial<Record<Modality, NyulScale>>
  /** Names an input in the keys of the store. */
  keyOf(role: Modality | 'brain'): string
}

export interface PreparingOptions {
  recipe: Recipe
  stages: Stages
  /** sha256 of each input's bytes, for the store's keys. */
  inputKeys?: Partial<Record<Modality | 'brain', string>>
  store?: StepStore
  scales?: Partial<Record<Modality, NyulScale>>
  seed: number
  onFlag(flag: Flag): void
}

export function preparing({ recipe, stages, inputKeys, store, scales, seed, onFlag }: PreparingOptions): Preparing {
  const flags: Flag[] = []
  return {
    recipe,
    stages,
    steps: new Steps(store),
    seed,
    flags,
    ...(scales ? { scales } : {}),
    flag(one) {
      flags.push(one)
      onFlag(one)
    },
    keyOf: (role) => inputKeys?.[role] ?? role,
  }
}

/** How the contrasts are written for people. */
export const contrastName = (modality: Modality): string =>
  ({ flair: 'FLAIR', t1: 'T1', t2: 'T2', pd: 'PD', t1gd: 'T1+Gd' })[modality]
