import { type Flag, InputError } from '../errors.js'
import type { MethodEntry } from '../methods/define.js'
import { NoBrain, type Preparation, prepare } from '../preprocess/pipeline.js'
import { type Recipe, usual } from '../preprocess/recipe.js'
import type { Stages } from '../preprocess/stages.js'
import type { Modality, Study } from '../volume/study.js'
import type { Image, Mask } from '../volume/volume.js'
import { diskStore } from './cache.js'
import type { Input } from './inputs.js'
import type { SegmentOptions } from './options.js'

/** Prepares a visit for a method. @throws InputError where no brain is to be found */
export async function prepareOrExplain(
  study: Study & { flair: Image },
  options: SegmentOptions,
  inputs: { [role: string]: { sha256: string } | undefined } & { brain?: Input<Mask> },
  needs: Partial<MethodEntry['needs']> | undefined,
  stages: Stages,
  onFlag: (flag: Flag) => void,
): Promise<Preparation> {
  const keys = Object.fromEntries(Object.entries(inputs).map(([role, input]) => [role, input?.sha256])) as Partial<
    Record<Modality | 'brain', string>
  >
  try {
    return await prepare(study, {
      stages,
      recipe: recipeOf(options, needs),
      grid: needs?.grid ?? 'native',
      ...(inputs.brain ? { brainMask: inputs.brain.image } : {}),
      inputKeys: keys,
      ...(options.work ? { store: diskStore(options.work) } : {}),
      seed: options.seed ?? 1,
      onFlag,
    })
  } catch (cause) {
    if (!(cause instanceof NoBrain)) throw cause
    const source = typeof options.flair === 'string' ? options.flair : 'FLAIR'
    throw new InputError(source, 'no brain was found in it', 'check that it shows a head, or give --brain-mask', {
      cause,
    })
  }
}

/** Of the contrasts given, those that a run with this method reads (without a method: those that preparation uses). */
export const contrastsUsed = (entry: MethodEntry | undefined, given: readonly Modality[]): Modality[] =>
  // T1 helps to find the atlas and the tissue, whatever the method itself looks at.
  given.filter(
    (modality) =>
      modality === 'flair' || modality === 't1' || entry?.needs.contrasts.some((set) => set.includes(modality)),
  )

/** What a method needs, less what was done to the images before. */
const recipeOf = (
  { register = true, prepared }: SegmentOptions,
  needs: Partial<MethodEntry['needs']> | undefined,
): Recipe => ({
  ...usual,
  register: register && prepared === undefined ? 'rigid' : 'none',
  bias: prepared === undefined ? (needs?.bias ?? 'n4') : 'none',
})
