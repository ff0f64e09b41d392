import type { Atlas } from '../preprocess/atlas.js'
import { gaussian } from '../volume/filter.js'
import { resample } from '../volume/resample.js'
import { emptyImage, type Grid, type Image } from '../volume/volume.js'
import type { LesionPlan, PaintedLesions } from './lesions.js'

/**
 * Intensities relative to white matter; the head around the brain follows the T1 template t (white matter 0.76, fat
 * 0.75–0.8): `gain` · t ^ `power`, 1.6 at most. Fat is brighter than the brain in both, muscle is dark in FLAIR.
 */
const contrasts = {
  flair: { csf: 0.2, gm: 1.22, wm: 1, lesion: 1.9, gain: 1.9, power: 1.5 },
  t1: { csf: 0.28, gm: 0.72, wm: 1, lesion: 0.68, gain: 1.45, power: 1.1 },
} as const

/** FLAIR and T1 of a head in atlas space, white matter 1, without noise: tissue by its fractions, lesions on top. */
export async function paintContrasts(
  atlas: Atlas,
  grid: Grid,
  { fraction, owner }: PaintedLesions,
  plans: readonly LesionPlan[],
  random: () => number,
): Promise<{ flair: Image; t1: Image }> {
  const csf = await resample(atlas.csf, grid)
  const gm = await resample(atlas.gm, grid)
  const wm = await resample(atlas.wm, grid)
  const template = await resample(atlas.t1, grid)
  const texture = emptyImage(grid)
  for (let i = 0; i < texture.data.length; i++) texture.data[i] = random() - 0.5
  // 1.2 mm: about 1.6 % of unevenness within a tissue.
  texture.data.set((await gaussian(texture, 1.2)).data)
  const paint = ({
    csf: fluid,
    gm: grey,
    wm: white,
    lesion,
    gain,
    power,
  }: (typeof contrasts)['flair' | 't1']): Image => {
    const out = emptyImage(grid)
    for (let i = 0; i < out.data.length; i++) {
      const inBrain = csf.data[i] + gm.data[i] + wm.data[i]
      let value = inBrain < 1 ? (1 - inBrain) * Math.min(1.6, gain * template.data[i] ** power) : 0
      if (inBrain > 0) {
        // Probabilities of a mean brain are soft; one head is crisper.
        const a = csf.data[i] ** 2
        const b = gm.data[i] ** 2
        const c = wm.data[i] ** 2
        const tissue = (a * fluid + b * grey + c * white) / (a + b + c)
        const mean = tissue + fraction.data[i] * (lesion - tissue)
        const own =
          owner.data[i] > 0 ? fraction.data[i] * (plans[owner.data[i] - 1].contrast - 1) * (lesion - white) : 0
        value += inBrain * (mean + own)
      }
      out.data[i] = value * (1 + 0.5 * texture.data[i])
    }
    return out
  }
  return { flair: paint(contrasts.flair), t1: paint(contrasts.t1) }
}
