import type { Modality } from '../volume/study.js'
import type { Image } from '../volume/volume.js'
import { contrastName, type Preparing } from './context.js'
import { anisotropicDiffusion, edgeEnhancingDiffusion, gaussian, nonLocalMeans } from './denoise.js'
import type { Recipe } from './recipe.js'

/** Weight of the stage for one image, about its seconds. */
export const denoiseWeight = 5

/** An image without its noise, in its own voxels, by the recipe's way; the image itself where none is asked for. */
export async function denoised(
  image: Image,
  modality: Modality,
  { recipe, stages, steps, keyOf }: Preparing,
): Promise<{ image: Image; key: string }> {
  const way = recipe.denoise
  if (way === 'none') return { image, key: keyOf(modality) }
  const { value, key } = await stages.run(`Denoising ${contrastName(modality)}`, denoiseWeight, () =>
    steps.run(
      { name: `denoise-${modality}`, version: 2, params: { way }, inputs: [keyOf(modality)] },
      async () => await ways[way](image, stages.signal),
      ({ sigma }) => (sigma === undefined ? {} : { noiseSd: sigma }),
    ),
  )
  return { image: value.image, key }
}

type Way = (image: Image, signal: AbortSignal) => Promise<{ image: Image; sigma?: number }>

const nlm =
  (adaptive: boolean): Way =>
  async (image, signal) => {
    const { denoised: out, sigma } = await nonLocalMeans(image, { adaptive, signal })
    return { image: out, ...(typeof sigma === 'number' ? { sigma } : {}) }
  }

const ways: Record<Exclude<Recipe['denoise'], 'none'>, Way> = {
  nlm: nlm(false),
  'nlm-adaptive': nlm(true),
  diffusion: async (image, signal) => ({ image: await anisotropicDiffusion(image, { signal }) }),
  'edge-diffusion': async (image, signal) => ({ image: await edgeEnhancingDiffusion(image, { signal }) }),
  // About what Knight and Khademi (2016) smooth a FLAIR by: lesions of 3 mm keep their contrast.
  gaussian: async (image) => ({ image: await gaussian(image, { sigmaMm: 0.7 }) }),
}
