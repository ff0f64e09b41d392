import { z } from 'zod'
import { InputError } from '../errors.js'
import { readJson } from '../formats/json.js'
import { readAsset, readLocal } from '../platform/index.js'
import type { PreparedStudy } from '../volume/study.js'
import type { Mask } from '../volume/volume.js'

/** A study and its reference mask, on one grid: what a statistical method is fitted to. */
export interface LabelledStudy {
  study: PreparedStudy
  truth: Mask
}

/** Studies to fit to, read one at a time where they do not fit into memory together. */
export type LabelledStudies = Iterable<LabelledStudy> | AsyncIterable<LabelledStudy>

const scores = z.object({ scans: z.number(), dice: z.number(), lesionF1: z.number() })

/**
 * What stands in the `model.json` of every trained statistical method beside the numbers of the method itself: which
 * method reads it, what it was fitted to, and how well it did on scans left out.
 */
export const trainedModel = z.object({
  format: z.literal('lesionwise-statistical-model'),
  formatVersion: z.literal(1),
  method: z.string(),
  describe: z.string(),
  training: z.object({
    data: z.string(),
    licence: z.string(),
    /** `all`, or the split and the fold that was left out. */
    split: z.string(),
    scans: z.number(),
    version: z.string(),
  }),
  validation: z
    .array(z.object({ split: z.string(), overall: scores, centres: z.record(z.string(), scores) }))
    .default([]),
})

export type TrainedModel = z.output<typeof trainedModel>

/**
 * Reads the numbers of a trained method from `model.json`.
 *
 * @param name the method's id for the model of the package, else the path of a folder
 * @param numbers the method's own part of the file
 * @throws InputError when there is no such file, it is damaged, or another method's
 */
export async function readTrainedModel<T extends z.ZodObject>(
  method: string,
  name: string,
  numbers: T,
): Promise<TrainedModel & z.output<T>> {
  const source = `${name === method ? `models/${name}` : name}/model.json`
  const bytes = await (name === method ? readAsset(source) : readLocal(source)).catch((cause) => {
    throw new InputError(source, 'cannot be read', `give a model's folder, or ${method} for the one of the package`, {
      cause,
    })
  })
  const what = 'the model of a statistical method'
  const header = readJson(bytes, trainedModel, { source, what, fix: 'give a folder that lesionwise wrote' })
  if (header.method !== method)
    throw new InputError(source, `is a model of ${header.method}`, `run it with --method ${header.method}`)
  const own = readJson(bytes, numbers, { source, what, fix: 'use the version that wrote it' })
  return { ...header, ...own }
}
