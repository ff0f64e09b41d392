import { type Flag, InputError } from '../errors.js'
import type { TrainingConfig } from '../network/config.js'
import { networkKinds } from '../network/kinds.js'
import { networkScan, scanOf } from '../network/predict.js'
import type { LabelledScan } from '../network/scan.js'
import { type Preparation, prepareWeight } from '../preprocess/pipeline.js'
import { Stages } from '../preprocess/stages.js'
import { type Input, readImage } from '../run/inputs.js'
import { readLesionMask } from '../run/masks.js'
import { prepareOrExplain } from '../run/prepare.js'
import { resampleMask } from '../volume/resample.js'
import { type Modality, modalities, type PreparedStudy, type Study } from '../volume/study.js'
import { countVoxels, type Grid, type Image, type Mask, sameGrid, volumeMl } from '../volume/volume.js'
import type { Case } from './case-list.js'

/** A scan ready to be trained on, with the way of results back to its own grid. */
export interface TrainingScan extends LabelledScan {
  group: string
  centre?: string
  reference: Mask
  referenceMl: number
  /** The prepared grid. */
  grid: Grid
  toNative: Preparation['toNative']
}

export interface TrainingScanOptions {
  /** Kind of network that will see it. */
  network: TrainingConfig['network']
  /** Contrasts that are read where the case has them. */
  contrasts: readonly Modality[]
  work: string
  seed: number
  threads: number
  signal: AbortSignal
  onFlag?(flag: Flag): void
}

/**
 * Reads and prepares one case as `segment` does, and brings its mask onto the prepared grid.
 * @throws InputError naming the file that will not do: NaN, no brain, no FLAIR, a mask on another grid
 */
export async function trainingScan(
  one: Case,
  { network, contrasts, work, seed, threads, signal, onFlag }: TrainingScanOptions,
): Promise<TrainingScan> {
  if (one.problem) throw one.problem
  const { flair } = one.images
  if (!flair) throw new InputError(one.id, 'has no FLAIR', 'add one, or leave the case out')
  const inputs = { flair: await readImage(flair, 'flair') } as { flair: Input<Image> } & Partial<
    Record<Modality, Input<Image>>
  >
  for (const name of contrasts) {
    const path = one.images[name]
    if (path && name !== 'flair') inputs[name] = await readImage(path, name)
  }
  for (const { flags } of Object.values(inputs))
    for (const flag of flags) onFlag?.({ ...flag, message: `${one.id}: ${flag.message}` })
  const [maskFile] = one.masks
  const { mask: reference } = await readLesionMask(maskFile, one.id)
  if (!sameGrid(reference, inputs.flair.image, 0.1))
    throw new InputError(
      maskFile,
      `lies on another grid (${reference.dims.join('×')}) than its FLAIR (${inputs.flair.image.dims.join('×')})`,
      'give the mask that was drawn on this FLAIR',
    )
  const study = Object.fromEntries(Object.entries(inputs).map(([name, { image }]) => [name, image])) as Study & {
    flair: Image
  }
  const stages = new Stages(prepareWeight(Object.keys(inputs).length - 1), signal, () => {})
  const prepared = await prepareOrExplain(
    study,
    { flair, work, threads, seed },
    inputs,
    // nnU-Net's method gives its networks the images as the scanner gave them.
    network === 'nnunet' ? { bias: 'none', grid: 'native' } : { bias: 'n4', grid: networkKinds[network].grid },
    stages,
    () => {},
  )
  const { grid } = prepared.study
  const truth = await resampleMask(
    { ...reference, dims: inputs.flair.image.dims, affine: inputs.flair.image.affine },
    grid,
  )
  return {
    id: one.id,
    patient: one.group,
    group: one.group,
    centre: one.centre,
    ...(network === 'nnunet'
      ? scanOf(prepared.study, imagesOf(prepared.study, contrasts))
      : networkScan(prepared.study, network)),
    truth: truth.data,
    reference: { ...reference, dims: inputs.flair.image.dims, affine: inputs.flair.image.affine },
    referenceMl: volumeMl(reference),
    grid,
    toNative: prepared.toNative,
  }
}

/** The images as they came. */
const imagesOf = ({ images }: PreparedStudy, contrasts: readonly Modality[]): Float32Array[] =>
  contrasts.map((name) => images[name]!.data)

/** Contrasts that a network sees: FLAIR and T1, or for nnU-Net whatever all cases have. */
export function contrastsOf(cases: readonly Case[], network: TrainingConfig['network']): readonly Modality[] {
  if (network !== 'nnunet') return ['flair', 't1']
  return modalities.filter((name) => cases.every(({ images }) => images[name] !== undefined))
}

/** @throws InputError when no scan has a lesion: there is nothing to learn */
export function assertSomeLesions(scans: readonly TrainingScan[], data: string): void {
  if (!scans.some(({ reference }) => countVoxels(reference) > 0))
    throw new InputError(data, 'not one of the masks holds a lesion', 'add scans with lesions; those without may stay')
}
