import { z } from 'zod'
import { UsageError } from '../errors.js'

/** What a training is: everything that decides its weights, beside the scans. Defaults are the recipe of the shipped model. */
export const trainingConfig = z
  .strictObject({
    network: z
      .enum(['multiplane-unet', 'multislice-unet', 'unet3d', 'valverde2017', 'nnunet'])
      .default('multislice-unet')
      .describe('kind of network; the defaults of the other settings are its own'),
    features: z
      .array(z.number().int().min(1).max(1024))
      .min(2)
      .max(7)
      .default([16, 32, 64, 96, 128])
      .describe('channels of each level of a U-Net, fine to coarse; of the two convolution stages of valverde2017'),
    size: z
      .number()
      .int()
      .min(8)
      .max(512)
      .default(96)
      .describe(
        "edge of the training crop, voxels of 1 mm; of a U-Net a multiple of 2^(levels - 1); valverde2017's is 11",
      ),
    batch: z
      .number()
      .int()
      .min(0)
      .max(256)
      .default(10)
      .describe('crops a step; of nnunet 0 takes the number that was planned'),
    steps: z.number().int().min(1).max(1_000_000).default(650).describe('updates of the weights'),
    rate: z
      .number()
      .min(1e-7)
      .max(1)
      .default(3e-3)
      .describe(
        'highest learning rate; it warms up over 30 steps, then falls as a cosine. valverde2017: multiplier of AdaDelta',
      ),
    weightDecay: z.number().min(0).max(1).default(0.01).describe('decoupled weight decay (AdamW)'),
    clip: z.number().min(0.01).max(1000).default(5).describe('largest norm of all gradients together'),
    averageDecay: z
      .number()
      .min(0)
      .max(0.99999)
      .default(0.99)
      .describe('memory of the average of the weights that is kept'),
    entropyWeight: z.number().min(0).max(100).default(2).describe('weight of the cross-entropy beside soft Dice'),
    foreground: z.number().min(0).max(1).default(0.6).describe('share of crops centred on lesion'),
    lookalikes: z
      .number()
      .min(0)
      .max(1)
      .default(0.2)
      .describe('share of crops centred on bright tissue away from lesions; the rest lies anywhere in the brain'),
    pasting: z
      .number()
      .min(0)
      .max(1)
      .default(0.4)
      .describe('share of crops with lesions pasted into healthy white matter (2-D networks alone)'),
    t1Dropout: z
      .number()
      .min(0)
      .max(1)
      .default(0.35)
      .describe('share of crops without T1, so that FLAIR alone is enough'),
    thick: z
      .number()
      .min(0)
      .max(1)
      .default(0.4)
      .describe('share of crops of thin-sliced scans averaged to slices of 2–8 mm'),
    intensity: z.number().min(0).max(3).default(1).describe('strength of the changes of intensity'),
    configuration: z
      .enum(['2d', '3d_fullres', '3d_lowres'])
      .default('3d_fullres')
      .describe("which of nnU-Net's plans is trained (nnunet alone)"),
    gigabytes: z
      .number()
      .min(0.1)
      .max(100)
      .default(8)
      .describe("memory for which nnU-Net's planner sizes patch and batch (nnunet alone)"),
    recompute: z
      .boolean()
      .default(false)
      .describe('compute inner values again on the way back instead of keeping them: less memory, more time (U-Nets)'),
    folds: z
      .number()
      .int()
      .min(0)
      .max(100)
      .default(5)
      .describe('groups of patients left out in turn; 0 trains without validation'),
    checkEvery: z.number().int().min(1).default(200).describe('steps between looks at scans left out'),
    patience: z
      .number()
      .int()
      .min(0)
      .default(0)
      .describe('looks without a better one before a fold stops early; 0 never stops'),
    checkpointEvery: z.number().int().min(1).default(100).describe('steps between checkpoints'),
  })
  .refine(({ network, size, features }) => network === 'valverde2017' || size % 2 ** (features.length - 1) === 0, {
    message: 'is not a multiple of 2^(levels - 1)',
    path: ['size'],
  })
  .refine(({ network, batch }) => batch > 0 || network === 'nnunet', { message: 'must be 1 or more', path: ['batch'] })
  .refine(({ network, size, features }) => network !== 'valverde2017' || (size === 11 && features.length === 2), {
    message: 'valverde2017 has patches of 11 voxels and two convolution stages',
    path: ['size'],
  })

export type TrainingConfig = z.output<typeof trainingConfig>

/** Networks whose shape does not hang on the scans; an nnU-Net plans its own. */
export type FixedNetwork = Exclude<TrainingConfig['network'], 'nnunet'>

/** What a kind of network takes where nothing is said. */
const ownDefaults: Record<string, Record<string, unknown>> = {
  unet3d: { features: [16, 32, 64], size: 48, batch: 2, steps: 2000, rate: 2e-3 },
  nnunet: {
    batch: 0,
    steps: 1000,
    rate: 0.01,
    weightDecay: 3e-5,
    clip: 12,
    foreground: 1 / 3,
    gigabytes: 1,
    checkEvery: 250,
  },
  valverde2017: { features: [32, 64], size: 11, batch: 128, steps: 4000, rate: 1, patience: 0, checkEvery: 100 },
}

/** Recipes by name; what they leave out is as their kind of network has it. */
export const presets = {
  multislice: {},
  multiplane: { network: 'multiplane-unet' },
  long: { steps: 3000, batch: 12 },
  quick: { features: [8, 16, 32], size: 48, batch: 8, steps: 150, folds: 2, checkEvery: 75, checkpointEvery: 25 },
  unet3d: { network: 'unet3d' },
  'unet3d-small': { network: 'unet3d', features: [8, 16, 32], size: 32 },
  nnunet: { network: 'nnunet' },
  'nnunet-2d': { network: 'nnunet', configuration: '2d' },
  valverde2017: { network: 'valverde2017' },
  'valverde2017-small': { network: 'valverde2017', features: [8, 16] },
} as const satisfies Record<string, z.input<typeof trainingConfig>>

/** @throws UsageError naming what will not do */
export function readConfig(value: unknown, source: string): TrainingConfig {
  const { network = '' } = (value ?? {}) as { network?: string }
  const own = typeof value === 'object' && !Array.isArray(value) ? { ...ownDefaults[network], ...value } : value
  const parsed = trainingConfig.safeParse(own)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  const where = issue.path.join('.')
  throw new UsageError(
    `${source}: ${where ? `${where}: ` : ''}${issue.message}; the settings are ${Object.keys(trainingConfig.shape).join(', ')}`,
  )
}

/** @throws UsageError when there is no such preset */
export function presetConfig(name: string): TrainingConfig {
  const preset = (presets as Record<string, unknown>)[name]
  if (!preset) throw new UsageError(`there is no preset "${name}"; the presets are ${Object.keys(presets).join(', ')}`)
  return readConfig(preset, name)
}
