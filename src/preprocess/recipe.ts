import { UsageError } from '../errors.js'

/**
 * What a preparation does, step by step. Each step can be switched off or done in another way:
 *
 * - `register`: rigid alignment of every contrast to the anchor (FLAIR, or T1 where there is none)
 * - `denoise`: in each image's own voxels, before any interpolation
 * - `brain`: brain extraction; without it the whole head takes its place
 * - `bias`: correction of the bias field
 * - `normalise`: intensities on a common scale
 * - `tissue`: cerebrospinal fluid, grey and white matter
 */
export type Recipe = { readonly [S in keyof typeof ways]: (typeof ways)[S][number] | 'none' }
export type Step = keyof Recipe

/** The ways of each step; the first is what the step's bare name means. */
export const ways = {
  register: ['rigid'],
  denoise: ['nlm', 'nlm-adaptive', 'diffusion', 'edge-diffusion', 'gaussian'],
  brain: ['surface', 'auto', 'bet', 'beast', 'robex'],
  bias: ['n4', 'n3', 'n4-lesions', 'n3-lesions'],
  normalise: ['zscore', 'zscore-robust', 'white-stripe', 'percentile', 'nyul'],
  tissue: ['mixture'],
} as const

/** What `preprocess` does when nothing else is asked for. */
export const usual: Recipe = {
  register: 'rigid',
  denoise: 'none',
  brain: 'surface',
  bias: 'n4',
  normalise: 'none',
  tissue: 'mixture',
}

/**
 * Reads a recipe. `bias,brain=bet` are all the steps that are done; `+denoise=nlm,-tissue` change the usual recipe.
 *
 * @throws UsageError naming what is not known, and what is
 */
export function readRecipe(text: string): Recipe {
  const parts = text
    .split(',')
    .map((part) => part.trim())
    .filter(Boolean)
  const changes = parts.filter((part) => /^[+-]/.test(part)).length
  if (parts.length === 0 || (changes > 0 && changes < parts.length))
    throw new UsageError(
      `--steps takes steps (bias,brain=bet) or changes to the usual ones (+denoise=nlm,-tissue), not "${text}"`,
    )
  const recipe: Record<string, string> = changes > 0 ? { ...usual } : Object.fromEntries(names.map((s) => [s, 'none']))
  for (const part of parts) {
    const off = part.startsWith('-')
    const [name, way] = part.replace(/^[+-]/, '').split('=')
    const known = (ways as Record<string, readonly string[]>)[name]
    if (!known) throw new UsageError(`--steps: there is no step "${name}"; the steps are ${names.join(', ')}`)
    if (way !== undefined && !known.includes(way))
      throw new UsageError(`--steps: ${name} cannot be "${way}"; it is one of ${known.join(', ')}`)
    recipe[name] = off ? 'none' : (way ?? known[0])
  }
  if (recipe.tissue !== 'none' && recipe.brain === 'none')
    throw new UsageError('--steps: tissue classes need the brain; add brain, or take tissue out')
  return recipe as Recipe
}

const names = Object.keys(ways) as Step[]
