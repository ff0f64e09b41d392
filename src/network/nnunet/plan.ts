import { featureMapSize, type NnunetNetwork, planned } from './architecture.js'
import { channelNames, type NnunetDataset } from './dataset.js'
import type { Fingerprint } from './fingerprint.js'
import { type Planner, type PlannerName, planners } from './planner.js'
import type { NnunetArchitecture, NnunetConfiguration, NnunetPlans } from './plans.js'
import { anisotropyThreshold, coarsestAxis, median, product, quantile, resampledShape, roundHalfEven } from './rules.js'
import { type Topology, topology } from './topology.js'

export interface PlanOptions {
  /** Default: nnU-Net's own, `ExperimentPlanner`. */
  planner?: PlannerName
  /** GPU memory in GB to plan for. Default: the planner's (8 for the plain one). */
  gigabytes?: number
  /** Spacing in mm of the full resolution, in the image's axis order, in place of the rule's. */
  targetSpacing?: readonly number[]
  /** Keep the axes in their order. Default: the coarsest comes first. */
  keepAxes?: boolean
  /** The Python class that nnU-Net is to read the images with. Default `SimpleITKIO`. */
  reader?: string
}

/** What the configurations of one data set share. */
interface Setting {
  readonly planner: Planner
  readonly gigabytes: number
  readonly channels: number
  /** Labels as `dataset.json` counts them, background and ignored ones too. */
  readonly labels: number
  readonly schemes: string[]
  readonly useMask: boolean[]
}

/** Name of the data set, its case count and its `dataset.json`. */
export interface PlannedDataset {
  readonly name: string
  readonly cases: number
  readonly dataset: NnunetDataset
}

const lowResolutionShare = 0.25
const lowResolutionStep = 1.03
const smallestBatch = 2

/**
 * The experiment plan of nnU-Net v2 for a data set: `plans.json` with the configurations `2d`, and for volumes
 * `3d_fullres` and where its patch covers less than a quarter of the median image `3d_lowres` with the cascade
 * (Isensee et al. 2021; the residual presets Isensee et al. 2024).
 *
 * @throws InputError when the data set names no channels
 */
export function plan(fingerprint: Fingerprint, of: PlannedDataset, options: PlanOptions = {}): NnunetPlans {
  const planner: Planner = planners[options.planner ?? 'ExperimentPlanner']
  const schemes = channelNames(of.dataset, of.name).map(normalisationScheme)
  const masked = fingerprint.median_relative_size_after_cropping < 3 / 4
  const setting: Setting = {
    planner,
    gigabytes: options.gigabytes ?? planner.gigabytes,
    channels: schemes.length,
    labels: Object.keys(of.dataset.labels).length,
    schemes,
    useMask: schemes.map((scheme) => masked && scheme === 'ZScoreNormalization'),
  }
  const { spacings, shapes_after_crop: shapes } = fingerprint
  const target = options.targetSpacing ?? targetSpacing(fingerprint)
  const coarsest = options.keepAxes ? 0 : coarsestAxis(target)
  const forward = [coarsest, ...[0, 1, 2].filter((axis) => axis !== coarsest)]
  const transposed = (values: readonly number[]) => forward.map((axis) => values[axis])

  const spacing = transposed(target)
  const shape = transposed(
    eachAxis(
      shapes.map((from, i) => resampledShape(from, spacings[i], target)),
      median,
    ),
  )
  const voxels = product(shape) * of.cases
  const { fullres, lowres } = shape[0] === 1 ? {} : volumePlans(setting, spacing, shape, of.cases)
  const flat = configure(setting, '2d', spacing.slice(1), shape.slice(1), voxels)

  const configurations: NnunetPlans['configurations'] = { '2d': { ...flat, batch_dice: true } }
  if (lowres) configurations['3d_lowres'] = { ...lowres, batch_dice: false, next_stage: '3d_cascade_fullres' }
  if (fullres) configurations['3d_fullres'] = { ...fullres, batch_dice: lowres !== undefined }
  if (lowres) configurations['3d_cascade_fullres'] = { inherits_from: '3d_fullres', previous_stage: '3d_lowres' }
  return {
    dataset_name: of.name,
    plans_name: planner.plansName,
    original_median_spacing_after_transp: transposed(eachAxis(spacings, median)),
    original_median_shape_after_transp: transposed(eachAxis(shapes, median)).map(roundHalfEven),
    image_reader_writer: options.reader ?? 'SimpleITKIO',
    transpose_forward: forward,
    transpose_backward: [0, 1, 2].map((axis) => forward.indexOf(axis)),
    configurations,
    experiment_planner_used: planner.name,
    label_manager: 'LabelManager',
    foreground_intensity_properties_per_channel: fingerprint.foreground_intensity_properties_per_channel,
  }
}

/**
 * The median spacing of each axis; for a data set of few, thick slices the 10th percentile of their thickness, so that
 * the thinner ones are not blurred.
 */
export function targetSpacing({ spacings, shapes_after_crop: shapes }: Fingerprint): number[] {
  const target = eachAxis(spacings, (values) => quantile(values, 0.5))
  const size = eachAxis(shapes, median)
  const coarsest = coarsestAxis(target)
  const others = [0, 1, 2].filter((axis) => axis !== coarsest)
  const coarsestOther = Math.max(...others.map((axis) => target[axis]))
  const thick = target[coarsest] > anisotropyThreshold * coarsestOther
  const few = size[coarsest] * anisotropyThreshold < Math.min(...others.map((axis) => size[axis]))
  if (!thick || !few) return target
  const thin = quantile(
    spacings.map((spacing) => spacing[coarsest]),
    0.1,
  )
  target[coarsest] = thin < coarsestOther ? coarsestOther + 1e-5 : thin
  return target
}

/** The 3-D configurations: full resolution, and a lower one where the patch sees too little of the image. */
function volumePlans(setting: Setting, spacing: number[], shape: number[], cases: number) {
  const fullres = configure(setting, '3d_fullres', spacing, shape, product(shape) * cases)
  let lowres: NnunetConfiguration | undefined
  let coarse = [...spacing]
  let voxels = product(shape)
  let covered = product(fullres.patch_size)
  while (covered / voxels < lowResolutionShare) {
    const coarsest = Math.max(...coarse)
    const lagging = coarse.map((mm) => coarsest / mm > 2)
    const all = !lagging.includes(true)
    coarse = coarse.map((mm, axis) => (all || lagging[axis] ? mm * lowResolutionStep : mm))
    const reduced = shape.map((n, axis) => (spacing[axis] / coarse[axis]) * n)
    voxels = product(reduced)
    lowres = configure(setting, '3d_lowres', coarse, reduced.map(roundHalfEven), voxels * cases)
    covered = product(lowres.patch_size)
  }
  return { fullres, lowres: product(shape) / voxels < 2 ? undefined : lowres }
}

/** One configuration: the largest patch whose network fits the memory, and the batch that fills it. */
function configure(
  setting: Setting,
  name: '2d' | '3d_lowres' | '3d_fullres',
  spacing: readonly number[],
  shape: readonly number[],
  datasetVoxels: number,
): NnunetConfiguration {
  const { planner, gigabytes } = setting
  const flat = spacing.length === 2
  const reference = planner.reference[flat ? '2d' : '3d'] * (gigabytes / planner.gigabytes)
  const referenceBatch = flat ? 12 : 2
  const pair = planner.pairs ? 2 / referenceBatch : 1
  const estimate = ({ strides, kernels, patch }: Topology) =>
    featureMapSize(networkFor(setting, strides, kernels), patch)

  let fit = topology(spacing, firstPatch(spacing, shape))
  let need = estimate(fit)
  while (need * pair > reference) {
    const ratios = fit.patch.map((n, axis) => n / shape[axis])
    const axis = ratios.lastIndexOf(Math.max(...ratios))
    const smaller = (by: number) => fit.patch.map((n, at) => (at === axis ? n - by : n))
    // A first step by the present divisor only tells the divisor of the smaller patch, and that is the step taken.
    fit = topology(spacing, smaller(topology(spacing, smaller(fit.divisor[axis])).divisor[axis]))
    need = estimate(fit)
  }
  const filling = roundHalfEven((reference / need) * referenceBatch)
  const covering = roundHalfEven((datasetVoxels * planner.mostCovered) / product(fit.patch))
  return {
    data_identifier: dataIdentifier(planner, name),
    preprocessor_name: 'DefaultPreprocessor',
    batch_size: Math.max(Math.min(filling, covering), smallestBatch),
    patch_size: fit.patch,
    median_image_size_in_voxels: [...shape],
    spacing: [...spacing],
    normalization_schemes: setting.schemes,
    use_mask_for_norm: setting.useMask,
    resampling_fn_data: 'resample_data_or_seg_to_shape',
    resampling_fn_seg: 'resample_data_or_seg_to_shape',
    resampling_fn_data_kwargs: { is_seg: false, order: 3, order_z: 0, force_separate_z: null },
    resampling_fn_seg_kwargs: { is_seg: true, order: 1, order_z: 0, force_separate_z: null },
    resampling_fn_probabilities: 'resample_data_or_seg_to_shape',
    resampling_fn_probabilities_kwargs: { is_seg: false, order: 1, order_z: 0, force_separate_z: null },
    architecture: architectureOf(networkFor(setting, fit.strides, fit.kernels)),
  }
}

/** A patch of the images' aspect (in mm a cube or square), of 256³ voxels or 2048² pixels, within the median image. */
function firstPatch(spacing: readonly number[], shape: readonly number[]): number[] {
  const aspect = spacing.map((mm) => 1 / mm)
  const axes = spacing.length
  const scale = ((axes === 3 ? 256 ** 3 : 2048 ** 2) / product(aspect)) ** (1 / axes)
  return aspect.map((ratio, axis) => Math.min(roundHalfEven(ratio * scale), shape[axis]))
}

function networkFor(
  { planner, channels, labels }: Setting,
  strides: readonly (readonly number[])[],
  kernels: readonly (readonly number[])[],
): NnunetNetwork {
  const most = kernels[0].length === 2 ? 512 : 320
  const { kind, encoderBlocks, decoderConvolutions } = planner
  return {
    kind,
    inputChannels: channels,
    outputChannels: labels,
    features: kernels.map((_, stage) => Math.min(most, 32 * 2 ** stage)),
    kernels,
    strides,
    blocks: kernels.map((_, stage) => encoderBlocks[Math.min(stage, encoderBlocks.length - 1)]),
    decoderConvolutions: kernels.slice(1).map(() => decoderConvolutions),
    ...planned,
  }
}

function architectureOf(network: NnunetNetwork): NnunetArchitecture {
  const axes = network.kernels[0].length
  const plain = network.kind === 'plain'
  const blocks = plain ? 'n_conv_per_stage' : 'n_blocks_per_stage'
  const copies = (list: readonly (readonly number[])[]) => list.map((values) => [...values])
  return {
    network_class_name: `dynamic_network_architectures.architectures.unet.${plain ? 'PlainConvUNet' : 'ResidualEncoderUNet'}`,
    arch_kwargs: {
      n_stages: network.features.length,
      features_per_stage: [...network.features],
      conv_op: `torch.nn.modules.conv.Conv${axes}d`,
      kernel_sizes: copies(network.kernels),
      strides: copies(network.strides),
      [blocks]: [...network.blocks],
      n_conv_per_stage_decoder: [...network.decoderConvolutions],
      conv_bias: true,
      norm_op: `torch.nn.modules.instancenorm.InstanceNorm${axes}d`,
      norm_op_kwargs: { eps: network.epsilon, affine: true },
      dropout_op: null,
      dropout_op_kwargs: null,
      nonlin: 'torch.nn.LeakyReLU',
      nonlin_kwargs: { inplace: true },
    },
    _kw_requires_import: ['conv_op', 'norm_op', 'dropout_op', 'nonlin'],
  }
}

/** The residual presets share the plain plan's full-resolution data. */
const dataIdentifier = ({ kind, plansName }: Planner, name: string): string =>
  `${kind === 'residual' && name !== '3d_lowres' ? planners.ExperimentPlanner.plansName : plansName}_${name}`

/** How a channel of this name is normalised: what is no CT and asks for nothing else, by its z-score. */
function normalisationScheme(channel: string): string {
  const schemes: Record<string, string> = {
    ct: 'CTNormalization',
    nonorm: 'NoNormalization',
    zscore: 'ZScoreNormalization',
    rescale_to_0_1: 'RescaleTo01Normalization',
    rgb_to_0_1: 'RGBTo01Normalization',
  }
  return schemes[channel.toLowerCase()] ?? 'ZScoreNormalization'
}

/** A figure of each axis over all cases. */
const eachAxis = (rows: readonly (readonly number[])[], figure: (values: number[]) => number): number[] =>
  rows[0].map((_, axis) => figure(rows.map((row) => row[axis])))
