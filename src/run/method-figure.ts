import { setThreads } from '../kernels/index.js'
import { loadMethod, methodEntry } from '../methods/registry.js'
import { coreCount } from '../platform/index.js'
import { prepare, prepareWeight } from '../preprocess/pipeline.js'
import { usual } from '../preprocess/recipe.js'
import { Stages } from '../preprocess/stages.js'
import { stepsFigure } from '../report/steps-figure.js'
import { simulateStudy } from '../simulate/study.js'
import type { Image, Mask } from '../volume/volume.js'

/**
 * Runs a method on a simulated patient and draws its steps, as SVG.
 * @throws UsageError when there is no such method
 */
export async function methodFigure(id: string, threads = coreCount()): Promise<string> {
  const { needs } = methodEntry(id)
  setThreads(threads)
  const signal = new AbortController().signal
  const { flair, t1, truth } = await simulateStudy({ seed: 3, pixelMm: 1, sliceMm: 2, lesionMl: 14 })
  const { study, toNative } = await prepare(
    { flair, t1 },
    {
      stages: new Stages(prepareWeight(1), signal, () => {}),
      recipe: { ...usual, bias: needs.bias },
      grid: needs.grid,
      seed: 1,
      onFlag: () => {},
    },
  )
  const method = await loadMethod(id)
  const steps: { name: string; map: Image | Mask }[] = []
  const { mask, probability } = await method.segment(study, method.params.parse({}), {
    progress: () => {},
    show: (name, map) => steps.push({ name, map }),
    signal,
    seed: 1,
    threads,
    device: 'cpu',
  })
  if (probability) steps.push({ name: 'Probability', map: probability })
  return stepsFigure({
    flair,
    brain: await toNative.mask(study.brain),
    steps: await Promise.all(
      steps.map(async ({ name, map }) => ({
        name,
        map: await toNative.image({ ...map, data: Float32Array.from(map.data) }),
      })),
    ),
    mask: await toNative.mask(mask),
    truth,
  })
}
