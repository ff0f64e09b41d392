/** The networks that bench/network.ts times, here and in PyTorch. */
export interface TimedNetwork {
  name: string
  /** `unet`: convolutions in pairs, pooling; `nnunet`: strided convolutions. Both with transposed convolutions upwards. */
  kind: 'unet' | 'nnunet'
  normalisation: 'batch' | 'instance' | 'none'
  channels: number
  features: number[]
  /** Of the image that is trained on, and of the window at inference. */
  patch: number[]
  batch: number
  /** Of the image that is segmented. */
  image: number[]
}

const nnunet = { kind: 'nnunet', normalisation: 'instance', channels: 2, features: [32, 64, 128, 256, 320] } as const
const small = { kind: 'unet', normalisation: 'instance', channels: 2, features: [8, 16, 32] } as const
const cube = (edge: number) => [edge, edge, edge]

export const timedNetworks: TimedNetwork[] = [
  {
    name: 'unet2d, the shipped one, 256²',
    kind: 'unet',
    normalisation: 'batch',
    channels: 18,
    features: [16, 32, 64, 96, 128],
    patch: [256, 256],
    batch: 4,
    image: [32, 256, 256],
  },
  {
    name: 'unet2d, 31 million weights, 256²',
    kind: 'unet',
    normalisation: 'none',
    channels: 1,
    features: [64, 128, 256, 512, 1024],
    patch: [256, 256],
    batch: 1,
    image: [8, 256, 256],
  },
  { name: 'unet3d small, 64³', ...small, features: [...small.features], patch: cube(64), batch: 2, image: cube(128) },
  { name: 'unet3d small, 96³', ...small, features: [...small.features], patch: cube(96), batch: 1, image: cube(144) },
  { name: 'nnU-Net-like, 64³', ...nnunet, features: [...nnunet.features], patch: cube(64), batch: 2, image: cube(96) },
  { name: 'nnU-Net-like, 96³', ...nnunet, features: [...nnunet.features], patch: cube(96), batch: 1, image: cube(144) },
]
