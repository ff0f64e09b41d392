import { InputError } from '../../errors.js'
import { readJson } from '../../formats/json.js'
import type { PickleValue } from '../../formats/pickle.js'
import { readTorchCheckpoint, TorchTensor } from '../../formats/torch-checkpoint.js'
import { architectureLayers, type LayerParameter, type NnunetNetwork } from './architecture.js'
import { configurationOf, networkOf } from './configuration.js'
import { channelNames, datasetSchema, labelsOf, type NnunetDataset, type NnunetLabels } from './dataset.js'
import { type NnunetConfiguration, type NnunetPlans, plansSchema } from './plans.js'

/** A weight by its name in the checkpoint; row-major. */
export interface NnunetWeight {
  readonly shape: readonly number[]
  readonly data: Float32Array
}

/** The files of a result folder of nnU-Net v2, as they lie. */
export interface NnunetFolder {
  /** `plans.json` */
  readonly plans: Uint8Array
  /** `dataset.json` */
  readonly dataset: Uint8Array
  /** `checkpoint_final.pth` (or another) by the fold's name, e.g. `fold_0`. */
  readonly folds: ReadonlyMap<string, Uint8Array>
}

/** A trained nnU-Net v2 as plain data: all that running it needs. */
export interface NnunetModel {
  /** Name of the configuration, e.g. `3d_fullres`. */
  readonly name: string
  readonly configuration: NnunetConfiguration
  readonly plans: NnunetPlans
  readonly dataset: NnunetDataset
  /** Channels in the order the network takes them; a cascade's second stage takes the labels of the first after them. */
  readonly channels: readonly string[]
  readonly labels: NnunetLabels
  readonly network: NnunetNetwork
  /** Axes of the (transposed) image along which predictions may be mirrored. */
  readonly mirrorAxes: readonly number[]
  readonly trainer: string
  /** Weights of each fold by name, in the order of `architectureLayers`. */
  readonly folds: ReadonlyMap<string, ReadonlyMap<string, NnunetWeight>>
}

/**
 * Reads a result folder of nnU-Net v2 (Isensee et al. 2021) without PyTorch; nothing in it is executed.
 *
 * @param source how errors name the folder
 * @throws InputError when a file is not what nnU-Net writes, the network is none of its two, the folds are of different
 *   configurations, or a checkpoint's weights are not those of the network that the plans describe
 */
export function importNnunet(folder: NnunetFolder, source: string): NnunetModel {
  const files = folder.folds
  const [first] = files.keys()
  if (first === undefined)
    throw new InputError(source, 'holds no fold with a checkpoint', 'give the folder that has fold_0 … fold_4 in it')
  const plansName = `${source}/plans.json`
  const datasetName = `${source}/dataset.json`
  const fix = 'give the file from the result folder unchanged'
  const plans = readJson(folder.plans, plansSchema, { source: plansName, what: 'a plan of nnU-Net v2', fix })
  const described = { source: datasetName, what: 'a data set of nnU-Net v2', fix }
  const dataset = readJson(folder.dataset, datasetSchema, described)
  let common: Omit<NnunetModel, 'folds'> | undefined
  const folds = new Map<string, ReadonlyMap<string, NnunetWeight>>()
  for (const [fold, bytes] of files) {
    const file = `${source}/${fold}`
    const checkpoint = checkpointOf(bytes, file)
    if (common === undefined) {
      const { trainer, mirrorAxes, configuration } = checkpoint
      common = { ...modelOf(plans, dataset, configuration, plansName, datasetName), mirrorAxes, trainer }
    } else if (checkpoint.configuration !== common.name)
      throw new InputError(
        file,
        `was trained for ${checkpoint.configuration}, and ${first} for ${common.name}`,
        'give the folds of one training',
      )
    folds.set(fold, weightsOf(checkpoint.weights, common.network, file))
  }
  return { ...common!, folds }
}

/**
 * What plans and dataset say of a model, for one configuration.
 * @throws InputError when they do not fit together
 */
export function modelOf(
  plans: NnunetPlans,
  dataset: NnunetDataset,
  name: string,
  plansName: string,
  datasetName: string,
): Omit<NnunetModel, 'folds' | 'mirrorAxes' | 'trainer'> {
  const channels = channelNames(dataset, datasetName)
  const labels = labelsOf(dataset, datasetName)
  const configuration = configurationOf(plans, name, plansName)
  if (configuration.normalization_schemes.length !== channels.length)
    throw new InputError(
      plansName,
      `normalises ${configuration.normalization_schemes.length} channels, and dataset.json names ${channels.length}`,
      'give the two files of one training',
    )
  const previous = configuration.previous_stage === undefined ? 0 : labels.values.length - 1
  const network = networkOf(configuration.architecture, channels.length + previous, labels.heads, plansName)
  return { name, configuration, plans, dataset, channels, labels, network }
}

interface Checkpoint {
  configuration: string
  trainer: string
  mirrorAxes: number[]
  weights: Map<string, TorchTensor>
}

function checkpointOf(bytes: Uint8Array, source: string): Checkpoint {
  const root = readTorchCheckpoint(bytes, source)
  const foreign = (what: string) =>
    new InputError(source, `is no checkpoint of nnU-Net v2: ${what}`, 'give a checkpoint_final.pth')
  const field = (of: PickleValue | undefined, name: string) => (of instanceof Map ? of.get(name) : undefined)
  const state = field(root, 'network_weights')
  if (!(state instanceof Map)) throw foreign('there are no "network_weights"')
  const configuration = field(field(root, 'init_args'), 'configuration')
  if (typeof configuration !== 'string') throw foreign('it does not say which configuration it was trained for')
  const trainer = field(root, 'trainer_name')
  const mirrored = field(root, 'inference_allowed_mirroring_axes') ?? []
  if (!Array.isArray(mirrored) || !mirrored.every((axis) => axis === 0 || axis === 1 || axis === 2))
    throw foreign('its mirror axes are not axes')
  const weights = new Map<string, TorchTensor>()
  for (const [name, tensor] of state) {
    if (typeof name !== 'string' || !(tensor instanceof TorchTensor)) throw foreign('its weights are not named tensors')
    // Left there by training on several GPUs.
    weights.set(name.replace(/^(module|_orig_mod)\./, ''), tensor)
  }
  return { configuration, trainer: String(trainer), mirrorAxes: mirrored as number[], weights }
}

/** Names under which PyTorch lists a weight again: the block's sequence, and the encoder that the decoder knows. */
const alias = /^decoder\.encoder\.|\.all_modules\.\d+\.(weight|bias)$/

/** The weights that the network's layers have, each once. @throws InputError at the first that is missing, odd or too many */
function weightsOf(
  state: ReadonlyMap<string, TorchTensor>,
  network: NnunetNetwork,
  source: string,
): ReadonlyMap<string, NnunetWeight> {
  const expected = architectureLayers(network).flatMap(({ parameters }) => parameters)
  const weights = new Map(expected.map((parameter) => [parameter.name, weightOf(state, parameter, source)]))
  const extra = [...state.keys()].find((name) => !weights.has(name) && !alias.test(name))
  if (extra !== undefined)
    throw new InputError(source, `has a weight "${extra.slice(0, 120)}" that the planned network lacks`, otherPlans)
  return weights
}

const otherPlans = 'give the plans.json that the network was trained with, and a trainer of nnU-Net’s own networks'

function weightOf(state: ReadonlyMap<string, TorchTensor>, { name, shape }: LayerParameter, source: string) {
  const tensor = state.get(name)
  if (!tensor) throw new InputError(source, `lacks the weight "${name}" of the planned network`, otherPlans)
  if (tensor.shape.length !== shape.length || tensor.shape.some((n, axis) => n !== shape[axis]))
    throw new InputError(
      source,
      `its weight "${name}" is ${tensor.shape.join(' × ')}, and the planned network's is ${shape.join(' × ')}`,
      otherPlans,
    )
  const data = tensor.values()
  let sum = 0
  for (let i = 0; i < data.length; i++) sum += 0 * data[i]
  if (sum !== 0)
    throw new InputError(source, `its weight "${name}" is not finite`, 'give a training that did not diverge')
  return { shape, data }
}
