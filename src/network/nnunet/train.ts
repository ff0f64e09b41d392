import { inverseReorientation, reorient, towardsRas } from '../../volume/orient.js'
import type { Grid, Volume } from '../../volume/volume.js'
import type { TrainingConfig } from '../config.js'
import type { Weights } from '../initialise.js'
import type { NetworkKind } from '../kinds.js'
import { deepSupervision, diceAndCrossEntropy } from '../losses.js'
import { nnunet, nnunetHeads } from '../networks/nnunet.js'
import { softmax } from '../operators/index.js'
import { type LabelledScan, type NetworkScan, places } from '../scan.js'
import { polynomial } from '../schedules.js'
import { drawBatch, runRecipe, type TrainingRun } from '../training.js'
import { architectureLayers } from './architecture.js'
import { type NnunetImage, nnunetImage } from './crop.js'
import type { NnunetDataset } from './dataset.js'
import { caseFingerprint, datasetFingerprint } from './fingerprint.js'
import { modelOf, type NnunetModel } from './import.js'
import { plan } from './plan.js'
import { segmentNnunet } from './predict.js'
import { prepareImage, prepareLabels } from './prepare.js'
import { product } from './rules.js'
import { drawPatch, type PreparedCase } from './sample.js'

/** An nnU-Net that plans itself on scans and is trained on them (Isensee et al. 2021). */

/** A scan with its place in the world, so that axes can be turned to RAS. */
interface Placed {
  grid: Grid
}

export interface PlannedNnunet extends NetworkKind {
  model: Omit<NnunetModel, 'folds'>
}

/**
 * nnU-Net's plan for these scans, as a kind of network: `channels` of a scan are its images as they came.
 *
 * @param names of the channels, such as FLAIR and T1w
 * @throws InputError when no scan has a lesion
 */
export function plannedNnunet(
  scans: readonly (LabelledScan & Placed)[],
  names: readonly string[],
  config: TrainingConfig,
  source: string,
): PlannedNnunet {
  const dataset: NnunetDataset = {
    channel_names: Object.fromEntries(names.map((name, i) => [String(i), name])),
    labels: { background: 0, lesion: 1 },
    numTraining: scans.length,
    file_ending: '.nii.gz',
  }
  // A tenth of the voxels that nnU-Net draws: percentiles of so many are known well enough.
  const samples = Math.floor(10e6 / scans.length)
  const fingerprints = scans.map((scan) => caseFingerprint(imageOf(scan), labelsOf(scan), samples, scan.id))
  const plans = plan(
    datasetFingerprint(fingerprints, source),
    { name: 'Dataset001_lesions', cases: scans.length, dataset },
    { gigabytes: config.gigabytes },
  )
  const described = modelOf(plans, dataset, config.configuration, 'the plan', 'the data set')
  const axes = described.configuration.patch_size.map((_, axis) => axis)
  const model = { ...described, mirrorAxes: axes, trainer: 'lesionwise' }
  // A scan is in most folds: it is prepared once.
  const prepared = new Map<LabelledScan, PreparedCase>()
  const caseOf = (scan: LabelledScan & Placed): PreparedCase => {
    const known = prepared.get(scan) ?? preparedCase(scan, model)
    prepared.set(scan, known)
    return known
  }
  const { patch_size: patch } = model.configuration
  return {
    model,
    title: 'nnU-Net',
    method: 'nnunet',
    grid: 'native',
    channels: [],
    outputs: (graph) => ({
      probability: softmax(
        graph,
        nnunet(model.network)(graph, graph.input('image', [1, model.network.inputChannels, ...patch])),
        1,
      ),
    }),
    train: async (training: readonly (LabelledScan & Placed)[], run) =>
      await trainNnunet(training.map(caseOf), model, run),
    predict: async (scan: NetworkScan & Placed, { weights, features: _, ...run }) => {
      const folds = new Map(weights.map((member, i) => [String(i), withShapes(model, member)]))
      const images = scan.channels.map((data) => toRas(data, scan))
      const image = nnunetImage(images)
      const found = await segmentNnunet(image, { ...model, folds }, 'scan', { ...run, probabilities: true })
      const back = inverseReorientation(towardsRas(scan.grid.affine))
      return reorient({ ...images[0], data: found.probabilities![1] }, back).data
    },
  }
}

/** Weights as the layers of the network list them. */
export const withShapes = ({ network }: Pick<NnunetModel, 'network'>, weights: Weights) =>
  new Map(
    architectureLayers(network).flatMap(({ parameters }) =>
      parameters.flatMap(({ name, shape }) => {
        // Heads of the coarser stages are there in training only; nnU-Net's files have them all.
        const data = weights.get(name) ?? new Float32Array(product(shape))
        return [[name, { shape, data }] as const]
      }),
    ),
  )

/**
 * SGD with Nesterov's momentum of 0.99, the rate falling as a polynomial; cross-entropy and Dice at every resolution; a
 * third of each batch around lesions.
 */
async function trainNnunet(
  cases: readonly PreparedCase[],
  model: Omit<NnunetModel, 'folds'>,
  run: TrainingRun,
): Promise<Weights> {
  const { config, seed } = run
  const { patch_size: patch, batch_size, batch_dice } = model.configuration
  const { network } = model
  const count = product(patch)
  const batch = config.batch > 0 ? config.batch : batch_size
  const forced = Math.ceil(batch * config.foreground)
  const loss = diceAndCrossEntropy({ batch: batch_dice ?? true })
  return await runRecipe(
    {
      objective: {
        inputs: { image: [batch, network.inputChannels, ...patch], truth: [batch, 2, ...patch] },
        build: (graph, { image, truth }) => ({
          loss: deepSupervision(
            graph,
            nnunetHeads(graph, image, network, { deepSupervision: true, recompute: config.recompute }),
            truth,
            loss,
          ),
        }),
      },
      optimiser: { kind: 'sgd', momentum: 0.99, nesterov: true, weightDecay: config.weightDecay, clip: config.clip },
      steps: config.steps,
      rate: polynomial(config.rate, config.steps),
      batch: (step) =>
        drawBatch(`${seed}/${step}`, batch, [network.inputChannels * count, 2 * count], (b, ...sample) =>
          drawPatch(cases, { patch, intensity: config.intensity }, b >= batch - forced, ...sample),
        ),
    },
    run,
  )
}

function preparedCase(scan: LabelledScan & Placed, model: Omit<NnunetModel, 'folds'>): PreparedCase {
  const prepared = prepareImage(imageOf(scan), model, scan.id)
  const labels = prepareLabels(labelsOf(scan), prepared, model)
  return { ...prepared, labels, foreground: places(Uint8Array.from(labels)) }
}

const toRas = <T extends Float32Array | Uint8Array>(data: T, { grid }: Placed): Volume<T> =>
  reorient({ ...grid, data }, towardsRas(grid.affine))

const imageOf = (scan: NetworkScan & Placed): NnunetImage => nnunetImage(scan.channels.map((data) => toRas(data, scan)))

const labelsOf = (scan: LabelledScan & Placed): Uint8Array => toRas(scan.truth, scan).data
