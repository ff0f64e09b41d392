import { Graph } from '../graph/graph.js'
import type { Weights } from '../initialise.js'
import { nnunet } from '../networks/nnunet.js'
import { openSession, type SessionOptions } from '../runtime.js'
import { type SlidingOptions, slideWindows } from '../sliding.js'
import type { NnunetImage } from './crop.js'
import type { NnunetModel } from './import.js'
import { type ExportedPrediction, exportLogits, type PreparedImage, prepareImage } from './prepare.js'
import { product } from './rules.js'

/** What running a model needs of it. */
export type RunnableModel = Pick<
  NnunetModel,
  'plans' | 'configuration' | 'labels' | 'network' | 'mirrorAxes' | 'folds' | 'channels'
>

export type PredictOptions = SlidingOptions & SessionOptions

/**
 * A case segmented as nnU-Net v2 does (Isensee et al. 2021): prepared, logits averaged over windows, mirror images and
 * folds, resampled back.
 *
 * @param source how errors name the case
 * @throws InputError when the channels do not fit the model; the signal's reason when aborted
 */
export async function segmentNnunet(
  image: NnunetImage,
  model: RunnableModel,
  source: string,
  options: PredictOptions & { probabilities?: boolean } = {},
): Promise<ExportedPrediction> {
  const prepared = prepareImage(image, model, source)
  const logits = await predictLogits(prepared, model, options)
  return exportLogits(logits, prepared, model, options)
}

/** Logits of each head on the prepared grid. Holds one fold's network at a time, one sum per head and one window. */
export async function predictLogits(
  image: Pick<PreparedImage, 'shape' | 'channels'>,
  { network, configuration, mirrorAxes, folds }: Omit<RunnableModel, 'plans' | 'labels' | 'channels'>,
  options: PredictOptions = {},
): Promise<Float32Array[]> {
  const { progress, device, threads } = options
  const patch = configuration.patch_size
  const heads = network.outputChannels
  const sums = Array.from({ length: heads }, () => new Float32Array(product(image.shape)))
  const graph = new Graph(false)
  const inputShape = [1, network.inputChannels, ...patch]
  const outputs = { logits: nnunet(network)(graph, graph.input('image', inputShape)) }
  let done = 0
  for (const fold of folds.values()) {
    const weights: Weights = new Map([...fold].map(([name, { data }]) => [name, data]))
    const session = await openSession(graph.model(outputs, weights), { device, threads })
    const into = { logits: { data: new Float32Array(heads * product(patch)), shape: [1, heads, ...patch] } }
    try {
      await slideWindows(
        image,
        { patch, mirrorAxes, share: 1 / folds.size },
        async (window) => (await session.run({ image: { data: window, shape: inputShape } }, into)).logits,
        sums,
        { ...options, progress: (fraction) => progress?.((done + fraction) / folds.size) },
      )
    } finally {
      await session.close()
    }
    done++
  }
  return sums
}
