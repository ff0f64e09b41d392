/** What sets one of nnU-Net's planners apart from the others. */
export interface Planner {
  /** Name in `plans.json`. */
  readonly name: string
  readonly plansName: string
  readonly kind: 'plain' | 'residual'
  /** Feature-map values of one image that the memory target holds, for 3-D and 2-D networks. */
  readonly reference: { readonly '3d': number; readonly '2d': number }
  /** GPU memory in GB that the references are for; the target unless another is asked for. */
  readonly gigabytes: number
  /** Convolutions or residual blocks of the encoder's and convolutions of the decoder's stages; the last repeats. */
  readonly encoderBlocks: readonly number[]
  readonly decoderConvolutions: number
  /** Share of the data set's voxels that a batch may cover. */
  readonly mostCovered: number
  /** The plain planner lets the estimate count for two images of the reference's batch. */
  readonly pairs: boolean
}

const residual = {
  kind: 'residual',
  encoderBlocks: [1, 3, 4, 6],
  decoderConvolutions: 1,
  pairs: false,
} as const

/** The planners by name: nnU-Net's default, and the residual-encoder presets (Isensee et al. 2021 and 2024). */
export const planners = {
  ExperimentPlanner: {
    name: 'ExperimentPlanner',
    plansName: 'nnUNetPlans',
    kind: 'plain',
    reference: { '3d': 560e6, '2d': 85e6 },
    gigabytes: 8,
    encoderBlocks: [2],
    decoderConvolutions: 2,
    mostCovered: 0.05,
    pairs: true,
  },
  nnUNetPlannerResEncM: {
    ...residual,
    name: 'nnUNetPlannerResEncM',
    plansName: 'nnUNetResEncUNetMPlans',
    reference: { '3d': 680e6, '2d': 135e6 },
    gigabytes: 8,
    mostCovered: 1,
  },
  nnUNetPlannerResEncL: {
    ...residual,
    name: 'nnUNetPlannerResEncL',
    plansName: 'nnUNetResEncUNetLPlans',
    reference: { '3d': 2100e6, '2d': 380e6 },
    gigabytes: 24,
    mostCovered: 1,
  },
  nnUNetPlannerResEncXL: {
    ...residual,
    name: 'nnUNetPlannerResEncXL',
    plansName: 'nnUNetResEncUNetXLPlans',
    reference: { '3d': 3600e6, '2d': 560e6 },
    gigabytes: 40,
    mostCovered: 1,
  },
} as const satisfies Record<string, Planner>

export type PlannerName = keyof typeof planners
