import { z } from 'zod'

const size = z.array(z.number().int().positive())
const sizes = z.union([z.array(size), z.array(z.number().int().positive()), z.number().int().positive()])
const counts = z.union([size, z.number().int().positive()])
const flags = z.record(z.string(), z.unknown())

/** The network of a configuration, as keyword arguments of nnU-Net's network classes. */
export const architectureSchema = z.looseObject({
  network_class_name: z.string(),
  arch_kwargs: z.looseObject({
    n_stages: z.number().int().positive(),
    features_per_stage: counts,
    conv_op: z.string(),
    kernel_sizes: sizes,
    strides: sizes,
    n_conv_per_stage: counts.optional(),
    n_blocks_per_stage: counts.optional(),
    n_conv_per_stage_decoder: counts,
    conv_bias: z.boolean().optional(),
    norm_op: z.string().nullish(),
    norm_op_kwargs: flags.nullish(),
    dropout_op: z.string().nullish(),
    dropout_op_kwargs: flags.nullish(),
    nonlin: z.string().nullish(),
    nonlin_kwargs: flags.nullish(),
    nonlin_first: z.boolean().optional(),
  }),
  _kw_requires_import: z.array(z.string()),
})

/** How an array is resampled: `order` in plane, `order_z` across slices where the axes are resampled apart. */
const resamplingSchema = z.looseObject({
  is_seg: z.boolean(),
  order: z.literal([0, 1, 3]),
  order_z: z.literal([0, 1, 3]),
  force_separate_z: z.boolean().nullable(),
})

/** One configuration (`2d`, `3d_fullres`, …) of `plans.json`, its inheritance resolved. */
export const configurationSchema = z.looseObject({
  data_identifier: z.string(),
  preprocessor_name: z.string(),
  batch_size: z.number().int().positive(),
  patch_size: size,
  median_image_size_in_voxels: z.array(z.number().positive()),
  /** mm, in the order of the transposed axes: 2 of them for `2d`, else 3. */
  spacing: z.array(z.number().positive()),
  normalization_schemes: z.array(z.string()),
  use_mask_for_norm: z.array(z.boolean()),
  resampling_fn_data: z.string(),
  resampling_fn_seg: z.string(),
  resampling_fn_data_kwargs: resamplingSchema,
  resampling_fn_seg_kwargs: resamplingSchema,
  resampling_fn_probabilities: z.string(),
  resampling_fn_probabilities_kwargs: resamplingSchema,
  architecture: architectureSchema,
  batch_dice: z.boolean().optional(),
  next_stage: z.union([z.string(), z.array(z.string())]).optional(),
  previous_stage: z.string().optional(),
})

/** Intensities of one channel over the foreground of the training cases. */
export const intensitySchema = z.looseObject({
  mean: z.number(),
  median: z.number(),
  std: z.number(),
  min: z.number(),
  max: z.number(),
  percentile_99_5: z.number(),
  percentile_00_5: z.number(),
})

/** `plans.json` of nnU-Net v2. Configurations may inherit from one another, so each is judged when it is taken. */
export const plansSchema = z.looseObject({
  dataset_name: z.string(),
  plans_name: z.string(),
  original_median_spacing_after_transp: z.array(z.number()),
  original_median_shape_after_transp: z.array(z.number()),
  image_reader_writer: z.string(),
  transpose_forward: z.array(z.number().int()).length(3),
  transpose_backward: z.array(z.number().int()).length(3),
  configurations: z.record(z.string(), z.record(z.string(), z.unknown())),
  experiment_planner_used: z.string(),
  label_manager: z.string(),
  foreground_intensity_properties_per_channel: z.record(z.string(), intensitySchema),
})

export type NnunetPlans = z.infer<typeof plansSchema>
export type NnunetConfiguration = z.infer<typeof configurationSchema>
export type NnunetArchitecture = z.infer<typeof architectureSchema>
export type IntensityProperties = z.infer<typeof intensitySchema>
export type ResamplingRule = z.infer<typeof resamplingSchema>
