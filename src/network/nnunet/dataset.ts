import { z } from 'zod'
import { InputError } from '../../errors.js'

const label = z.union([z.number().int(), z.array(z.number().int()).min(1)])

/** `dataset.json` as nnU-Net v2 reads it; what else it holds is kept as it is. */
export const datasetSchema = z.looseObject({
  channel_names: z.record(z.string(), z.string()).optional(),
  /** The older name of `channel_names`. */
  modality: z.record(z.string(), z.string()).optional(),
  labels: z.record(z.string(), label),
  regions_class_order: z.array(z.number().int()).optional(),
  numTraining: z.number().int().optional(),
  file_ending: z.string(),
})

export type NnunetDataset = z.infer<typeof datasetSchema>

/** What the logits stand for. */
export interface NnunetLabels {
  /** All label values but the one to ignore, ascending; 0 is the background. */
  readonly values: readonly number[]
  /** Overlapping regions as the unions of labels they are, or undefined where each channel is one label. */
  readonly regions?: readonly (readonly number[])[]
  /** For regions: the label that each writes where its probability exceeds ½, later ones over earlier ones. */
  readonly regionOrder?: readonly number[]
  readonly ignore?: number
  /** Channels of the logits. */
  readonly heads: number
}

/** The channels' names, in order. @throws InputError when there are none */
export function channelNames({ channel_names, modality }: NnunetDataset, source: string): string[] {
  const names = Object.values(channel_names ?? modality ?? {})
  if (names.length === 0)
    throw new InputError(source, 'names no channels', 'give "channel_names", e.g. {"0": "FLAIR", "1": "T1w"}')
  return names
}

/** @throws InputError when the background is not 0, labels are missing or regions come without an order */
export function labelsOf({ labels, regions_class_order: regionOrder }: NnunetDataset, source: string): NnunetLabels {
  const wrong = (problem: string, fix: string) => new InputError(source, problem, fix)
  if (labels.background !== 0) throw wrong('the label "background" is not 0', 'give "background": 0 among "labels"')
  const { ignore, ...used } = labels
  if (Array.isArray(ignore)) throw wrong('the label "ignore" is a region', 'give one number')
  const values = [...new Set(Object.values(used).flat())].sort((a, b) => a - b)
  if (values.length < 2) throw wrong('there is no label but the background', 'name what is to be found under "labels"')
  if (values[values.length - 1] > 255) throw wrong('there are labels above 255', 'number the labels 0, 1, 2, …')
  if (!Object.values(used).some((value) => Array.isArray(value) && value.length > 1))
    return { values, ignore, heads: values.length }
  const regions = Object.values(used)
    .map((value) => [value].flat())
    .filter((region) => region.some((value) => value !== 0))
  if (regionOrder?.length !== regions.length)
    throw wrong(
      `has ${regions.length} regions and an order of ${regionOrder?.length ?? 0}`,
      'give "regions_class_order" with one label for each region',
    )
  return { values, regions, regionOrder, ignore, heads: regions.length }
}
