import { z } from 'zod'
import { InputError } from '../errors.js'
import { readJson } from '../formats/json.js'
import { type NamedTensor, readSafetensors, type TensorPrecision, writeSafetensors } from '../formats/safetensors.js'
import { readAsset, readLocal, sha256 } from '../platform/index.js'
import { keepTouching } from '../volume/components.js'
import { type Image, type Mask, maskWhere } from '../volume/volume.js'
import { trainingConfig } from './config.js'
import type { Graph } from './graph/graph.js'
import type { Weights } from './initialise.js'
import { declared, networkKinds } from './kinds.js'

/**
 * A trained model is data: a folder with `model.json`, its card, and one safetensors file of weights for each member of
 * the ensemble. The card says what the network is, what it was trained on and how well it did on what it had not seen.
 */

const scores = z.object({ scans: z.number(), dice: z.number(), lesionF1: z.number() })

export const modelCard = z.object({
  format: z.literal('lesionwise-model'),
  formatVersion: z.literal(1),
  name: z.string(),
  describe: z.string(),
  network: z.object({
    kind: trainingConfig.shape.network.removeDefault().exclude(['nnunet']),
    features: z.array(z.number().int().positive()).min(2),
    channels: z.array(z.string()).min(1),
  }),
  /** Probability from which a voxel is lesion, chosen on scans that the judged network had not seen. */
  threshold: z.number().min(0).max(1),
  /** Probability that a finding must reach somewhere to be kept. */
  certain: z.number().min(0).max(1),
  /** Weight of the belief of `roura2015`, a threshold on FLAIR that needs no training, beside the network's. */
  thresholdShare: z.number().min(0).max(1).default(0),
  /** That belief must reach this somewhere in a finding; 0 asks nothing. */
  bright: z.number().min(0).max(1).default(0),
  weights: z.array(z.object({ file: z.string(), sha256: z.string(), seed: z.number() })).min(1),
  training: z.object({
    data: z.string(),
    licence: z.string(),
    scans: z.number(),
    steps: z.number(),
    version: z.string(),
  }),
  /** Of voxels of scans left out whose probability lies from `low` to `high`: its mean, and the share that is lesion. */
  calibration: z
    .array(z.object({ low: z.number(), high: z.number(), mean: z.number(), observed: z.number() }))
    .default([]),
  /** What it is known to get wrong. */
  failures: z.array(z.string()).default([]),
  /** Scores of scans left out, by how they were left out. */
  validation: z.array(
    z.object({ split: z.string(), seeds: z.array(z.number()), overall: scores, centres: z.record(z.string(), scores) }),
  ),
})

export type ModelCard = z.output<typeof modelCard>

/**
 * Voxels from the threshold on, in findings (18-connected) that reach `certain` somewhere.
 * @param belief of the threshold method, which must reach `bright` somewhere in them
 */
export function lesionsOf(
  probability: Image,
  { threshold, certain, bright = 0 }: Pick<ModelCard, 'threshold' | 'certain'> & { bright?: number },
  belief?: Image,
): Mask {
  const from = (image: Image, least: number) => maskWhere(image, (p) => p >= least)
  const found = from(probability, threshold)
  const sure = certain > threshold ? keepTouching(found, from(probability, certain), 18) : found
  return belief && bright > 0 ? keepTouching(sure, from(belief, bright), 18) : sure
}

/**
 * The network's probability and another belief on the same voxels, averaged: `share` is the weight of the belief. On
 * scanners the network has not seen it errs in contrast, a threshold in anatomy: few errors are common to both.
 */
export function withBelief(probability: Float32Array, belief: Float32Array, share: number): Float32Array {
  return probability.map((p, i) => (1 - share) * p + share * belief[i])
}

export interface Model {
  card: ModelCard
  /** One set per member of the ensemble. */
  weights: Weights[]
}

/** Names of the models that come with the package. */
export const shippedModels = ['multislice'] as const

/**
 * @param name a shipped model, or a folder's path
 * @param method that is to run it; default any
 * @throws InputError when there is no such model, it is damaged, or another method runs it
 */
export async function loadModel(name: string, method?: string): Promise<Model> {
  const card = cardFrom(await readPart(name, 'model.json'), `${name}/model.json`)
  const kind = networkKinds[card.network.kind]
  if (method !== undefined && kind.method !== method)
    throw new InputError(`${name}/model.json`, `is a ${kind.title}`, `run it with --method ${kind.method}`)
  const weights: Weights[] = []
  for (const { file, sha256: expected } of card.weights) {
    const bytes = await readPart(name, file)
    if ((await sha256(bytes)) !== expected)
      throw new InputError(
        `${name}/${file}`,
        'is not the file that model.json describes (its sha256 differs)',
        'copy the model again',
      )
    weights.push(weightsFrom(bytes, `${name}/${file}`, card))
  }
  return { card, weights }
}

async function readPart(name: string, file: string): Promise<Uint8Array> {
  const shipped = (shippedModels as readonly string[]).includes(name)
  try {
    return await (shipped ? readAsset(`models/${name}/${file}`) : readLocal(`${name}/${file}`))
  } catch (cause) {
    const ofNnunet = await readLocal(`${name}/plans.json`).then(
      () => true,
      () => false,
    )
    if (ofNnunet)
      throw new InputError(
        name,
        'is a result folder of nnU-Net itself',
        `bring it over first: lesionwise import-model --from ${name} --out DIR`,
        { cause },
      )
    throw new InputError(
      `${name}/${file}`,
      'cannot be read',
      `give a model's folder, or one of ${shippedModels.join(', ')}`,
      { cause },
    )
  }
}

/** The method that runs a model. @throws InputError when it is no model */
export async function methodOfModel(name: string): Promise<string> {
  const source = `${name}/model.json`
  const bytes = await readPart(name, 'model.json')
  const { network } = readJson(bytes, anyCard, { source, ...cardOf, fix: 'give a folder that lesionwise wrote' })
  if (network.kind === 'nnunet') return 'nnunet'
  const known = Object.entries(networkKinds).find(([kind]) => kind === network.kind)
  if (known) return known[1].method
  throw new InputError(source, 'is of a kind that this version does not know', 'use the version that wrote it')
}

/** What the card of every network says. */
const anyCard = z.looseObject({ format: z.literal('lesionwise-model'), network: z.looseObject({ kind: z.string() }) })
const cardOf = { what: 'the card of a lesionwise model' }

function cardFrom(bytes: Uint8Array, source: string): ModelCard {
  const { network } = readJson(bytes, anyCard, { source, ...cardOf, fix: 'give a folder that lesionwise wrote' })
  if (network.kind === 'nnunet') throw new InputError(source, 'is an nnU-Net', 'run it with --method nnunet')
  const card = readJson(bytes, modelCard, { source, ...cardOf, fix: 'use the version of lesionwise that wrote it' })
  const { kind, channels } = card.network
  if (channels.join() !== networkKinds[kind].channels.join())
    throw new InputError(
      source,
      `the network wants the channels ${channels.join(', ')}, and this version makes ${networkKinds[kind].channels.join(', ')}`,
      'use the version that wrote it',
    )
  return card
}

function weightsFrom(bytes: Uint8Array, source: string, { network }: ModelCard): Weights {
  const { tensors } = readSafetensors(bytes, source)
  const graph = declared(network.kind, network.features)
  const weights: Weights = new Map()
  for (const [name, { value }] of graph.parameters) {
    const tensor = tensors.get(name)
    if (!tensor || tensor.shape.join() !== value.shape.join())
      throw new InputError(
        source,
        `${name} ${tensor ? `is [${tensor.shape.join(', ')}]` : 'is missing'}, the network has [${value.shape.join(', ')}]`,
        'copy the model again',
      )
    weights.set(name, tensor.data)
  }
  return weights
}

/** Weights as a file, with their shapes from the network that they belong to. */
export function weightsFile(graph: Graph, weights: Weights, precision: TensorPrecision = 'F32'): Uint8Array {
  const tensors = new Map<string, NamedTensor>()
  for (const [name, { value }] of graph.parameters) tensors.set(name, { shape: value.shape, data: weights.get(name)! })
  return writeSafetensors(tensors, { software: 'lesionwise' }, precision)
}
