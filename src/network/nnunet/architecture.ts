import { product } from './rules.js'

/** The two networks that nnU-Net v2 builds: a plain U-Net, and one whose encoder is made of residual blocks. */
export interface NnunetNetwork {
  readonly kind: 'plain' | 'residual'
  readonly inputChannels: number
  /** Channels of the logits: classes, or regions. */
  readonly outputChannels: number
  /** Channels of each resolution stage, finest first. */
  readonly features: readonly number[]
  /** Convolution kernel of each stage, (z,) y, x. */
  readonly kernels: readonly (readonly number[])[]
  /** Downsampling at the entrance of each stage; the first is usually 1. */
  readonly strides: readonly (readonly number[])[]
  /** Convolutions (plain) or residual blocks of each encoder stage. */
  readonly blocks: readonly number[]
  /** Convolutions of each decoder stage, coarsest first. */
  readonly decoderConvolutions: readonly number[]
  readonly bias: boolean
  /** ε of the instance norms, all with scale and shift. */
  readonly epsilon: number
  /** Slope of the leaky ReLU below zero; 0 is the plain ReLU. */
  readonly negativeSlope: number
  /** The activation comes before the norm (plain networks only). */
  readonly activationFirst: boolean
}

/** What nnU-Net's planners set alike for every network. */
export const planned = { bias: true, epsilon: 1e-5, negativeSlope: 0.01, activationFirst: false } as const

export interface LayerParameter {
  /** Name in the checkpoint, e.g. `encoder.stages.0.0.convs.0.conv.weight`. */
  readonly name: string
  readonly shape: readonly number[]
}

/** One convolution of the network with the norm and activation that follow it. */
export interface NetworkLayer {
  /** Name of the module in the checkpoint, e.g. `encoder.stages.0.0.convs.0`. */
  readonly name: string
  readonly part: 'stem' | 'encoder' | 'shortcut' | 'up' | 'decoder' | 'head'
  /** `transposed` has kernel = stride and neither norm nor activation. */
  readonly operation: 'convolution' | 'transposed'
  /** Resolution stage of the output, 0 the finest. */
  readonly stage: number
  readonly kernel: readonly number[]
  readonly stride: readonly number[]
  readonly inputChannels: number
  readonly outputChannels: number
  readonly norm: boolean
  readonly activation: boolean
  readonly parameters: readonly LayerParameter[]
}

/** Number of image axes: 2 or 3. */
export const networkAxes = ({ kernels }: NnunetNetwork): number => kernels[0].length

/**
 * The layers of a network in the order of computation (a shortcut after its block), with the shapes of all parameters:
 * convolution weights out × in × kernel, transposed ones in × out × kernel (Isensee et al. 2021, 2024).
 */
export function architectureLayers(network: NnunetNetwork): NetworkLayer[] {
  const encoder = network.kind === 'plain' ? plainEncoder(network) : residualEncoder(network)
  return [...encoder, ...decoder(network)]
}

export const parameterCount = (network: NnunetNetwork): number =>
  architectureLayers(network)
    .flatMap(({ parameters }) => parameters)
    .reduce((sum, { shape }) => sum + product(shape), 0)

/** Spatial size of each stage's maps for an input of `size`, which the strides divide. */
export function stageSizes({ strides }: NnunetNetwork, size: readonly number[]): number[][] {
  const sizes: number[][] = []
  for (const stride of strides) sizes.push((sizes.at(-1) ?? size).map((n, axis) => Math.floor(n / stride[axis])))
  return sizes
}

/**
 * nnU-Net's measure of a network's memory: values of all maps that convolutions write, for one image of `size`. Heads
 * count at the finest stage only, a residual block's shortcut wherever the block changes channels or size.
 */
export function featureMapSize(network: NnunetNetwork, size: readonly number[]): number {
  const { kind, features, strides, blocks, decoderConvolutions, outputChannels } = network
  const sizes = stageSizes(network, size).map(product)
  let sum = kind === 'residual' ? features[0] * product(size) : 0
  for (const [stage, count] of blocks.entries()) {
    const map = features[stage] * sizes[stage]
    const before = stage === 0 ? features[0] : features[stage - 1]
    const shortcut = before !== features[stage] || strides[stage].some((step) => step !== 1)
    sum += kind === 'plain' ? count * map : (2 * count + Number(shortcut)) * map
  }
  for (const [at, count] of decoderConvolutions.entries()) {
    const stage = features.length - 2 - at
    sum += (count + 1) * features[stage] * sizes[stage]
    if (stage === 0) sum += outputChannels * sizes[0]
  }
  return sum
}

/** Input voxels that one output voxel can see along each axis: the most over the output's places. */
export function receptiveField(network: NnunetNetwork): number[] {
  return Array.from({ length: networkAxes(network) }, (_, axis) => {
    const period = network.strides.reduce((all, stride) => all * stride[axis], 1)
    // Far from the border, so that intervals stay positive whatever the phase.
    const spans = Array.from({ length: period }, (_, phase) => span(network, axis, 4096 * period + phase))
    return Math.max(...spans)
  })
}

function span(network: NnunetNetwork, axis: number, output: number): number {
  const { kind, kernels, strides, blocks, decoderConvolutions, features } = network
  const reach = (stage: number) => (kernels[stage][axis] - 1) / 2
  const last = features.length - 1
  // Downwards: what the decoder needs of each stage's encoder map.
  const needed: [number, number][] = []
  let [low, high] = [output, output]
  for (let stage = 0; stage < last; stage++) {
    const grown = decoderConvolutions[last - 1 - stage] * reach(stage)
    needed[stage] = [(low -= grown), (high += grown)]
    const step = strides[stage + 1][axis]
    ;[low, high] = [Math.floor(low / step), Math.floor(high / step)]
  }
  // Upwards again through the encoder, joined with what the skips need.
  for (let stage = last; stage >= 0; stage--) {
    if (stage < last) [low, high] = [Math.min(low, needed[stage][0]), Math.max(high, needed[stage][1])]
    const convolutions = kind === 'plain' ? blocks[stage] : 2 * blocks[stage]
    const rest = (convolutions - 1) * reach(stage)
    const step = strides[stage][axis]
    const first = reach(stage)
    ;[low, high] = [(low - rest) * step - first, (high + rest) * step + first]
  }
  if (kind === 'residual') [low, high] = [low - reach(0), high + reach(0)]
  return high - low + 1
}

type Convolution = Pick<NetworkLayer, 'part' | 'stage' | 'kernel' | 'inputChannels' | 'outputChannels'> & {
  stride?: readonly number[]
  activation?: boolean
  bias?: boolean
}

/** A convolution with its norm, named as nnU-Net's building block names it. */
function block(network: NnunetNetwork, name: string, convolution: Convolution): NetworkLayer {
  const { kernel, inputChannels, outputChannels, activation = true, bias = network.bias } = convolution
  const parameters = [
    { name: `${name}.conv.weight`, shape: [outputChannels, inputChannels, ...kernel] },
    ...(bias ? [{ name: `${name}.conv.bias`, shape: [outputChannels] }] : []),
    { name: `${name}.norm.weight`, shape: [outputChannels] },
    { name: `${name}.norm.bias`, shape: [outputChannels] },
  ]
  const stride = convolution.stride ?? kernel.map(() => 1)
  const { part, stage } = convolution
  const channels = { inputChannels, outputChannels }
  return {
    name,
    part,
    operation: 'convolution',
    stage,
    kernel,
    stride,
    ...channels,
    norm: true,
    activation,
    parameters,
  }
}

function plainEncoder(network: NnunetNetwork): NetworkLayer[] {
  const { features, kernels, strides, blocks, inputChannels } = network
  return blocks.flatMap((count, stage) =>
    Array.from({ length: count }, (_, i) =>
      block(network, `encoder.stages.${stage}.0.convs.${i}`, {
        part: 'encoder',
        stage,
        kernel: kernels[stage],
        stride: i === 0 ? strides[stage] : undefined,
        inputChannels: i > 0 ? features[stage] : stage > 0 ? features[stage - 1] : inputChannels,
        outputChannels: features[stage],
      }),
    ),
  )
}

/**
 * Residual blocks of two convolutions. The shortcut is the input, averaged over the stride where there is one, then a
 * 1 × 1 convolution without bias where the channels change (He et al. 2019, ResNet-D).
 */
function residualEncoder(network: NnunetNetwork): NetworkLayer[] {
  const { features, kernels, strides, blocks, inputChannels } = network
  const stem = block(network, 'encoder.stem.convs.0', {
    part: 'stem',
    stage: 0,
    kernel: kernels[0],
    inputChannels,
    outputChannels: features[0],
  })
  const stages = blocks.flatMap((count, stage) =>
    Array.from({ length: count }, (_, i) => {
      const name = `encoder.stages.${stage}.blocks.${i}`
      const outputChannels = features[stage]
      const before = i > 0 || stage === 0 ? (i > 0 ? outputChannels : features[0]) : features[stage - 1]
      const stride = i === 0 ? strides[stage] : kernels[stage].map(() => 1)
      const common = { part: 'encoder', stage, kernel: kernels[stage], outputChannels } as const
      const layers = [
        block(network, `${name}.conv1`, { ...common, stride, inputChannels: before }),
        block(network, `${name}.conv2`, { ...common, inputChannels: outputChannels, activation: false }),
      ]
      if (before !== outputChannels) {
        const at = stride.some((step) => step !== 1) ? 1 : 0
        const kernel = stride.map(() => 1)
        const shape = { part: 'shortcut', stage, kernel, inputChannels: before, outputChannels } as const
        layers.push(block(network, `${name}.skip.${at}`, { ...shape, activation: false, bias: false }))
      }
      return layers
    }).flat(),
  )
  return [stem, ...stages]
}

function decoder(network: NnunetNetwork): NetworkLayer[] {
  const { features, kernels, strides, decoderConvolutions, outputChannels, bias } = network
  return decoderConvolutions.flatMap((count, at) => {
    const stage = features.length - 2 - at
    const [below, here] = [features[stage + 1], features[stage]]
    const stride = strides[stage + 1]
    const ones = stride.map(() => 1)
    const bare = (name: string, weight: number[], channels: number, withBias: boolean) => [
      { name: `${name}.weight`, shape: weight },
      ...(withBias ? [{ name: `${name}.bias`, shape: [channels] }] : []),
    ]
    const plain = { stage, norm: false, activation: false }
    const up: NetworkLayer = {
      ...plain,
      name: `decoder.transpconvs.${at}`,
      part: 'up',
      operation: 'transposed',
      kernel: stride,
      stride,
      inputChannels: below,
      outputChannels: here,
      parameters: bare(`decoder.transpconvs.${at}`, [below, here, ...stride], here, bias),
    }
    const convolutions = Array.from({ length: count }, (_, i) =>
      block(network, `decoder.stages.${at}.convs.${i}`, {
        part: 'decoder',
        stage,
        kernel: kernels[stage],
        inputChannels: i === 0 ? 2 * here : here,
        outputChannels: here,
      }),
    )
    const head: NetworkLayer = {
      ...plain,
      name: `decoder.seg_layers.${at}`,
      part: 'head',
      operation: 'convolution',
      kernel: ones,
      stride: ones,
      inputChannels: here,
      outputChannels,
      parameters: bare(`decoder.seg_layers.${at}`, [outputChannels, here, ...ones], outputChannels, true),
    }
    return [up, ...convolutions, head]
  })
}
