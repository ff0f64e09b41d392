import type { z } from 'zod'
import { InputError } from '../../errors.js'
import type { NnunetNetwork } from './architecture.js'
import { configurationSchema, type NnunetArchitecture, type NnunetConfiguration, type NnunetPlans } from './plans.js'

/**
 * One configuration of the plans: what it inherits is filled in, and plans of nnU-Net before 2.4, which describe the
 * network outside an `architecture`, are read as the newer ones.
 *
 * @throws InputError when there is none of this name, it inherits in a circle, or something in it is missing or odd
 */
export function configurationOf(plans: NnunetPlans, name: string, source: string): NnunetConfiguration {
  const resolved = inherited(plans, name, source, [])
  const modern =
    resolved.architecture === undefined ? { ...resolved, architecture: oldArchitecture(resolved) } : resolved
  return parsed(configurationSchema, modern, source, `the configuration "${name}"`)
}

function inherited(
  { configurations }: NnunetPlans,
  name: string,
  source: string,
  visited: readonly string[],
): Record<string, unknown> {
  if (!Object.hasOwn(configurations, name))
    throw new InputError(
      source,
      `has no configuration "${name.slice(0, 60)}"`,
      `choose among ${Object.keys(configurations).join(', ')}`,
    )
  if (visited.includes(name))
    throw new InputError(
      source,
      `the configuration "${name}" inherits from itself`,
      'give plans as nnU-Net writes them',
    )
  const own = configurations[name]
  const parent = own.inherits_from
  if (typeof parent !== 'string') return own
  return { ...inherited({ configurations } as NnunetPlans, parent, source, [...visited, name]), ...own }
}

/** The `architecture` that older plans imply; undefined parts are found out when it is judged. */
function oldArchitecture(old: Record<string, unknown>): unknown {
  const blocks = old.n_conv_per_stage_encoder
  const [base, most] = [Number(old.UNet_base_num_features), Number(old.unet_max_num_features)]
  const axes = Array.isArray(old.patch_size) ? old.patch_size.length : 0
  const plain = old.UNet_class_name !== 'ResidualEncoderUNet'
  return {
    network_class_name: String(old.UNet_class_name),
    arch_kwargs: {
      n_stages: Array.isArray(blocks) ? blocks.length : undefined,
      features_per_stage: Array.isArray(blocks) ? blocks.map((_, i) => Math.min(base * 2 ** i, most)) : undefined,
      conv_op: `torch.nn.modules.conv.Conv${axes}d`,
      kernel_sizes: old.conv_kernel_sizes,
      strides: old.pool_op_kernel_sizes,
      [plain ? 'n_conv_per_stage' : 'n_blocks_per_stage']: blocks,
      n_conv_per_stage_decoder: old.n_conv_per_stage_decoder,
      conv_bias: true,
      norm_op: `torch.nn.modules.instancenorm.InstanceNorm${axes}d`,
      norm_op_kwargs: { eps: 1e-5, affine: true },
      nonlin: 'torch.nn.LeakyReLU',
      nonlin_kwargs: { inplace: true },
    },
    _kw_requires_import: ['conv_op', 'norm_op', 'dropout_op', 'nonlin'],
  }
}

/**
 * The network that a configuration's `architecture` describes.
 * @throws InputError when it is another network than nnU-Net's two, or has a part that these do not
 */
export function networkOf(
  { network_class_name: className, arch_kwargs: kwargs }: NnunetArchitecture,
  inputChannels: number,
  outputChannels: number,
  source: string,
): NnunetNetwork {
  const refuse = (problem: string) =>
    new InputError(source, problem, 'only the PlainConvUNet and ResidualEncoderUNet of nnU-Net’s planners can be read')
  const short = className.split('.').at(-1)
  if (short !== 'PlainConvUNet' && short !== 'ResidualEncoderUNet')
    throw refuse(`the network is a ${className.slice(0, 80)}`)
  const kind = short === 'PlainConvUNet' ? 'plain' : 'residual'
  const axes = Number(/Conv([23])d$/.exec(kwargs.conv_op)?.[1])
  if (!axes) throw refuse(`the convolutions are ${kwargs.conv_op.slice(0, 60)}`)
  if (kwargs.norm_op && !kwargs.norm_op.includes('InstanceNorm')) throw refuse(`its norm is ${kwargs.norm_op}`)
  if (!kwargs.norm_op || kwargs.norm_op_kwargs?.affine !== true) throw refuse('it has no instance norms with weights')
  if (kwargs.dropout_op) throw refuse('it has dropout')
  for (const part of ['block', 'bottleneck_channels', 'stem_channels'])
    if (kwargs[part] !== undefined && kwargs[part] !== null) throw refuse(`it sets "${part}"`)
  const slope = { LeakyReLU: Number(kwargs.nonlin_kwargs?.negative_slope ?? 0.01), ReLU: 0 }
  const activation = kwargs.nonlin?.split('.').at(-1)
  if (activation !== 'LeakyReLU' && activation !== 'ReLU') throw refuse(`its activation is ${kwargs.nonlin ?? 'none'}`)

  const stages = kwargs.n_stages
  const each = (value: number | readonly number[] | undefined, count: number, what: string): number[] => {
    const list = typeof value === 'number' ? Array<number>(count).fill(value) : [...(value ?? [])]
    if (list.length !== count) throw refuse(`"${what}" has ${list.length} entries for ${count} stages`)
    return list
  }
  const eachAxis = (
    value: z.infer<typeof configurationSchema>['architecture']['arch_kwargs']['strides'],
    what: string,
  ) => {
    const list = typeof value === 'number' ? Array<number>(stages).fill(value) : value
    if (list.length !== stages) throw refuse(`"${what}" has ${list.length} entries for ${stages} stages`)
    return list.map((entry) => each(entry, axes, what))
  }
  const kernels = eachAxis(kwargs.kernel_sizes, 'kernel_sizes')
  if (kernels.flat().some((width) => width % 2 === 0)) throw refuse('it has kernels of even width')
  const blocksName = kind === 'plain' ? 'n_conv_per_stage' : 'n_blocks_per_stage'
  return {
    kind,
    inputChannels,
    outputChannels,
    features: each(kwargs.features_per_stage, stages, 'features_per_stage'),
    kernels,
    strides: eachAxis(kwargs.strides, 'strides'),
    blocks: each(kwargs[blocksName], stages, blocksName),
    decoderConvolutions: each(kwargs.n_conv_per_stage_decoder, stages - 1, 'n_conv_per_stage_decoder'),
    bias: kwargs.conv_bias ?? false,
    epsilon: Number(kwargs.norm_op_kwargs?.eps ?? 1e-5),
    negativeSlope: slope[activation],
    activationFirst: kind === 'plain' && (kwargs.nonlin_first ?? false),
  }
}

/** A value as a schema has it. @throws InputError that names the first field at fault */
export function parsed<T>(schema: z.ZodType<T>, value: unknown, source: string, what: string): T {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const { path, message } = result.error.issues[0]
  throw new InputError(
    source,
    `${what} is not as nnU-Net v2 writes it: ${path.join('.') || 'the whole'}: ${message}`,
    'give the file from the result folder unchanged',
  )
}
