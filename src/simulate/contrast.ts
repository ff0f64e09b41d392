import type { Atlas } from '../preprocess/atlas.js'
import { gaussian } from '../volume/filter.js'
import { resample } from '../volume/resample.js'
import type { Modality } from '../volume/study.js'
import { emptyImage, type Grid, type Image } from '../volume/volume.js'
import type { LesionLayers } from './synthesise.js'
import { enhancement, headContrast } from './tissue-contrast.js'

/** Mean intensities relative to white matter. */
export interface BrainLevels {
  csf: number
  gm: number
  deepGrey: number
  wm: number
  lesion: number
  core: number
  dirty: number
}

/**
 * Paints contrasts of the atlas's head on a grid of its space, white matter 1, without noise: tissue by its fractions,
 * lesions on top.
 */
export async function headPainter(
  atlas: Atlas,
  grid: Grid,
  random: () => number,
): Promise<(modality: Modality, levels: BrainLevels, lesions: LesionLayers) => Image> {
  const csf = await resample(atlas.csf, grid)
  const gm = await resample(atlas.gm, grid)
  const wm = await resample(atlas.wm, grid)
  const deep = await resample(atlas.deepGrey, grid)
  const template = await resample(atlas.t1, grid)
  const texture = emptyImage(grid)
  for (let i = 0; i < texture.data.length; i++) texture.data[i] = random() - 0.5
  // 1.2 mm: about 1.6 % of unevenness within a tissue.
  texture.data.set((await gaussian(texture, 1.2)).data)
  return (modality, levels, { fraction, core, dirty, contrast, enhancing }) => {
    const { csf: fluid, gm: grey, deepGrey, wm: white, lesion } = levels
    const { gain, power } = headContrast[modality]
    const out = emptyImage(grid)
    for (let i = 0; i < out.data.length; i++) {
      const inBrain = csf.data[i] + gm.data[i] + wm.data[i]
      let value = inBrain < 1 ? (1 - inBrain) * Math.min(1.6, gain * template.data[i] ** power) : 0
      if (inBrain > 0) {
        // Probabilities of a mean brain are soft; one head is crisper.
        const a = csf.data[i] ** 2
        const b = gm.data[i] ** 2
        const c = wm.data[i] ** 2
        let tissue = (a * fluid + b * (grey + deep.data[i] * (deepGrey - grey)) + c * white) / (a + b + c)
        if (dirty) tissue += dirty[i] * (levels.dirty - white)
        let own = contrast ? (contrast[i] - 1) * (lesion - white) : 0
        if (core) own += core[i] * (levels.core - lesion - own)
        if (enhancing && modality === 't1gd') own += enhancing[i] * (enhancement - lesion - own)
        value += inBrain * (tissue + fraction[i] * (lesion - tissue + own))
      }
      out.data[i] = value * (1 + 0.5 * texture.data[i])
    }
    return out
  }
}
