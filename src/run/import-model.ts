import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { InputError, UsageError } from '../errors.js'
import { cardOf, foldFile, type NnunetCard } from '../network/nnunet/card.js'
import { importNnunet, type NnunetModel } from '../network/nnunet/import.js'
import { sha256 } from '../platform/index.js'
import { openOutputFolder } from './output-folder.js'

export interface ImportModelOptions {
  /** A result folder of nnU-Net v2 (TRAINER__PLANS__CONFIGURATION), or the dataset's folder above several. */
  from: string
  out: string
  /** E.g. `3d_fullres`; needed where there are several. */
  configuration?: string
  /** Names of folds: numbers, or `all`; default: every number there is, `all` where there is none. */
  folds?: readonly string[]
  /** File in each fold's folder; default `checkpoint_final.pth`. */
  checkpoint?: string
  signal?: AbortSignal
  onProgress?(event: { stage: string; fraction: number }): void
}

/**
 * Brings a trained nnU-Net v2 over: `model.json` and one safetensors file for each fold. Nothing in its files is executed.
 *
 * @throws InputError, UsageError, RunError; nothing is written then
 */
export async function importModel(options: ImportModelOptions): Promise<NnunetCard> {
  const { out, configuration, checkpoint = 'checkpoint_final.pth', signal, onProgress } = options
  const folder = await resultFolder(options.from, configuration)
  const folds = await foldsOf(folder, options.folds)
  const plans = await read(join(folder, 'plans.json'), unchanged)
  const dataset = await read(join(folder, 'dataset.json'), unchanged)
  const files = new Map<string, Uint8Array | string>()
  const weights: NnunetCard['weights'] = []
  let first: Omit<NnunetModel, 'folds'> | undefined
  // One checkpoint at a time: with the optimiser's state they are several times as large as the weights.
  for (const [at, fold] of folds.entries()) {
    signal?.throwIfAborted()
    onProgress?.({ stage: `Reading ${fold}`, fraction: at / folds.length })
    const path = join(folder, fold, checkpoint)
    const bytes = await read(path, 'finish its training, or choose others with --folds or --checkpoint')
    const { folds: imported, ...model } = importNnunet(
      { plans, dataset, folds: new Map([[`${fold}/${checkpoint}`, bytes]]) },
      folder,
    )
    const wanted = configuration ?? first?.name ?? model.name
    if (model.name !== wanted)
      throw new InputError(path, `was trained for ${model.name}, not ${wanted}`, 'give the folds of one training')
    if (model.configuration.previous_stage !== undefined)
      throw new InputError(
        path,
        `needs the predictions of ${model.configuration.previous_stage} (a cascade's second stage)`,
        'give the 2d or 3d_fullres configuration',
      )
    first ??= model
    const file = `${fold}.safetensors`
    const [content] = [...imported.values()].map(foldFile)
    files.set(file, content)
    weights.push({ file, sha256: await sha256(content), fold })
  }
  const card = cardOf(first!, weights)
  files.set('model.json', `${JSON.stringify(card, null, 2)}\n`)
  const output = await openOutputFolder<string>(out, (name) => name === 'model.json' || ownWeights.test(name))
  try {
    signal?.throwIfAborted()
    await output.publish(files)
  } finally {
    await output.release()
  }
  return card
}

const unchanged = 'give a result folder of nnU-Net v2, as its training left it'
const foldFolder = /^fold_(\d+|all)$/
const ownWeights = /^fold_(\d+|all)\.safetensors$/

/** The folder with plans.json: the one given, or the only one below it for the configuration. */
async function resultFolder(from: string, configuration: string | undefined): Promise<string> {
  const names = await namesIn(from)
  if (names.includes('plans.json')) return from
  const below = names.filter((name) => name.split('__').length === 3)
  const fitting = configuration === undefined ? below : below.filter((name) => name.endsWith(`__${configuration}`))
  if (fitting.length === 1) return join(from, fitting[0])
  if (below.length === 0) throw new InputError(from, 'holds no plans.json', unchanged)
  if (fitting.length === 0)
    throw new InputError(from, `has no training of ${configuration}`, `choose among ${below.join(', ')}`)
  throw new InputError(from, `holds ${fitting.length} trainings`, `give one of the folders ${fitting.join(', ')}`)
}

async function foldsOf(folder: string, chosen: readonly string[] | undefined): Promise<string[]> {
  const there = (await namesIn(folder)).filter((name) => foldFolder.test(name)).sort()
  if (there.length === 0) throw new InputError(folder, 'holds no folders fold_0, fold_1, …', unchanged)
  // The network of all cases is another one than those of the cross-validation.
  if (chosen === undefined) return there.length > 1 ? there.filter((name) => name !== 'fold_all') : there
  const folds = [...new Set(chosen)].map((name) => `fold_${name}`)
  for (const fold of folds) {
    if (!foldFolder.test(fold)) throw new UsageError(`--folds ${chosen.join()}: give numbers, such as 0,1,2, or all`)
    if (!there.includes(fold)) throw new InputError(folder, `has no ${fold}`, `choose among ${there.join(', ')}`)
  }
  if (folds.length === 0) throw new UsageError('--folds is empty; give numbers, such as 0,1,2, or all')
  return folds
}

const namesIn = (folder: string): Promise<string[]> =>
  readdir(folder).catch((cause) => {
    throw new InputError(folder, 'is no folder that can be read', unchanged, { cause })
  })

const read = (path: string, fix: string): Promise<Uint8Array> =>
  readFile(path).catch((cause) => {
    const missing = (cause as NodeJS.ErrnoException).code === 'ENOENT'
    throw new InputError(path, missing ? 'is not there' : 'cannot be read', fix, { cause })
  })
