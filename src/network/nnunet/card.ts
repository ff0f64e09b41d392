import { z } from 'zod'
import { InputError } from '../../errors.js'
import { readJson } from '../../formats/json.js'
import { readSafetensors, writeSafetensors } from '../../formats/safetensors.js'
import { readLocal, sha256 } from '../../platform/index.js'
import { modelCard } from '../model.js'
import { architectureLayers, type NnunetNetwork } from './architecture.js'
import { datasetSchema } from './dataset.js'
import { modelOf, type NnunetModel, type NnunetWeight } from './import.js'
import { plansSchema } from './plans.js'

/** `model.json` of an nnU-Net that was brought over or trained here: all but the weights, which lie beside it, one file for each fold. */
export const nnunetCard = z.object({
  format: z.literal('lesionwise-model'),
  formatVersion: z.literal(1),
  name: z.string(),
  describe: z.string(),
  network: z.object({
    kind: z.literal('nnunet'),
    /** Name of the configuration that `plans` holds. */
    configuration: z.string(),
    trainer: z.string(),
    mirrorAxes: z.array(z.union([z.literal(0), z.literal(1), z.literal(2)])),
    plans: plansSchema,
    dataset: datasetSchema,
  }),
  weights: z.array(z.object({ file: z.string(), sha256: z.string(), fold: z.string() })).min(1),
  /** Groups of labels of which only the largest component is kept, in order. */
  postprocessing: z.array(z.array(z.number().int())).default([]),
  /** Of those trained here: on what, and how they did on scans left out. */
  training: modelCard.shape.training.optional(),
  validation: modelCard.shape.validation.default([]),
})

export type NnunetCard = z.output<typeof nnunetCard>

/** The card of a model: of its plans the one configuration, of its dataset what running it takes. */
export function cardOf(model: Omit<NnunetModel, 'folds'>, weights: NnunetCard['weights']): NnunetCard {
  const { name, configuration, plans, dataset, mirrorAxes, trainer } = model
  const { channel_names, modality, labels, regions_class_order, numTraining, file_ending } = dataset
  const folds = `${weights.length} fold${weights.length === 1 ? '' : 's'}`
  return {
    format: 'lesionwise-model',
    formatVersion: 1,
    name: `${plans.dataset_name} ${name}`,
    describe: `nnU-Net v2, ${plans.plans_name}, ${trainer}, configuration ${name}, ${folds}`,
    network: {
      kind: 'nnunet',
      configuration: name,
      trainer,
      mirrorAxes: mirrorAxes as NnunetCard['network']['mirrorAxes'],
      // What it inherited is in it.
      plans: { ...plans, configurations: { [name]: { ...configuration, inherits_from: undefined } } },
      dataset: { channel_names, modality, labels, regions_class_order, numTraining, file_ending },
    },
    weights,
    postprocessing: [],
    validation: [],
  }
}

export const foldFile = (weights: ReadonlyMap<string, NnunetWeight>): Uint8Array =>
  writeSafetensors(weights, { software: 'lesionwise' })

/**
 * A model from the folder that `lesionwise import-model` or `lesionwise train` wrote.
 * @throws InputError when a file is missing, damaged, or does not belong to the others
 */
export async function loadNnunet(folder: string): Promise<NnunetModel & Pick<NnunetCard, 'postprocessing'>> {
  const read = (file: string) =>
    readLocal(`${folder}/${file}`).catch((cause) => {
      throw new InputError(`${folder}/${file}`, 'cannot be read', importAgain, { cause })
    })
  const source = `${folder}/model.json`
  const { network, weights, postprocessing } = cardFrom(await read('model.json'), source)
  const { plans, dataset, configuration, trainer } = network
  const model = modelOf(plans, dataset, configuration, source, source)
  const folds = new Map<string, ReadonlyMap<string, NnunetWeight>>()
  for (const { file, sha256: expected, fold } of weights) {
    const bytes = await read(file)
    if ((await sha256(bytes)) !== expected)
      throw new InputError(
        `${folder}/${file}`,
        'is not the file that model.json describes (its sha256 differs)',
        importAgain,
      )
    folds.set(fold, weightsFrom(bytes, model.network, `${folder}/${file}`))
  }
  return { ...model, mirrorAxes: network.mirrorAxes, trainer, folds, postprocessing }
}

const importAgain = 'give a folder that `lesionwise import-model` wrote, or write it again'

function cardFrom(bytes: Uint8Array, source: string): NnunetCard {
  return readJson(bytes, nnunetCard, { source, what: 'the card of an nnU-Net', fix: importAgain })
}

function weightsFrom(bytes: Uint8Array, network: NnunetNetwork, source: string): ReadonlyMap<string, NnunetWeight> {
  const { tensors } = readSafetensors(bytes, source)
  const expected = architectureLayers(network).flatMap(({ parameters }) => parameters)
  for (const { name, shape } of expected) {
    const there = tensors.get(name)?.shape
    if (there?.join() !== shape.join())
      throw new InputError(
        source,
        `its weight "${name}" is ${there ? there.join(' × ') : 'missing'}, and the network's is ${shape.join(' × ')}`,
        importAgain,
      )
  }
  return tensors
}
