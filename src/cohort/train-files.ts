import { readFile } from 'node:fs/promises'
import { InputError } from '../errors.js'
import { readSafetensors, writeSafetensors } from '../formats/safetensors.js'
import type { Weights } from '../network/initialise.js'
import type { TrainingState } from '../network/trainer.js'
import { writeWhole } from '../run/output-file.js'

/** A training's files on the way: a checkpoint of each fold, whole or not there. */

export interface HistoryRow {
  fold: string
  step: number
  loss: number
}

/** A look at scans left out, during training. */
export interface CheckRow {
  fold: string
  step: number
  dice: number
  f1: number
}

export interface Checkpoint {
  state: TrainingState
  history: HistoryRow[]
  checks: CheckRow[]
  /** Best look so far, where stopping early is asked for. */
  best?: { score: number; weights: Weights }
  misses: number
}

const flat = (prefix: string, weights: Weights) =>
  [...weights].map(([name, data]) => [`${prefix}${name}`, { shape: [data.length], data }] as const)

/** @param key what the weights depend on; another key is another training */
export async function saveCheckpoint(
  path: string,
  key: string,
  { state, history, checks, best, misses }: Checkpoint,
): Promise<void> {
  const tensors = new Map([
    ...flat('weights/', state.weights),
    ...flat('slots/', state.slots),
    ...(best ? flat('best/', best.weights) : []),
  ])
  const metadata = {
    key,
    step: String(state.step),
    history: JSON.stringify(history),
    checks: JSON.stringify(checks),
    misses: String(misses),
    ...(best ? { best: String(best.score) } : {}),
  }
  await writeWhole(new Map([[path, writeSafetensors(tensors, metadata)]]))
}

/** A fold's weights when it is done. */
export const weightsBytes = (weights: Weights): Uint8Array => writeSafetensors(new Map(flat('', weights)), {})

/** @throws InputError when they are not there */
export async function loadWeights(path: string): Promise<Weights> {
  const bytes = await readFile(path).catch((cause) => {
    throw new InputError(path, 'cannot be read', 'remove the folder to train this fold again', { cause })
  })
  return new Map([...readSafetensors(bytes, path).tensors].map(([name, { data }]) => [name, data]))
}

/**
 * @returns undefined where there is none
 * @throws InputError when it is damaged or of another training
 */
export async function loadCheckpoint(path: string, key: string): Promise<Checkpoint | undefined> {
  const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw new InputError(path, `cannot be read (${error.message})`, 'remove it to start this fold again', {
      cause: error,
    })
  })
  if (!bytes) return undefined
  const { tensors, metadata } = readSafetensors(bytes, path)
  if (metadata.key !== key)
    throw new InputError(
      path,
      'belongs to a training with other scans or settings',
      'give another --out, or remove this folder',
    )
  const part = (prefix: string): Weights =>
    new Map(
      [...tensors]
        .filter(([name]) => name.startsWith(prefix))
        .map(([name, { data }]) => [name.slice(prefix.length), data]),
    )
  return {
    state: { step: Number(metadata.step), weights: part('weights/'), slots: part('slots/') },
    history: JSON.parse(metadata.history) as HistoryRow[],
    checks: JSON.parse(metadata.checks) as CheckRow[],
    ...(metadata.best === undefined ? {} : { best: { score: Number(metadata.best), weights: part('best/') } }),
    misses: Number(metadata.misses),
  }
}
