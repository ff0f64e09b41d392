import type { Modality } from '../volume/study.js'

/** What synthetic images tell apart, brain first. `dirty` is white matter that lesions have touched without being one. */
export const tissues = ['air', 'csf', 'gm', 'wm', 'deepGrey', 'lesion', 'core', 'dirty', 'bone', 'fat', 'soft'] as const
export type Tissue = (typeof tissues)[number]

/** Mean intensity relative to white matter, and its spread from scanner to scanner. */
type Level = readonly [mean: number, spread: number]

/**
 * Ratios to white matter: medians within the atlas's tissues and experts' lesions in development scans of three centres
 * (ljubljana, mslesseg, tabriz), rounded; of proton density, head and cores no scan was measured.
 */
export const tissueContrast: Readonly<Record<Modality, Readonly<Record<Tissue, Level>>>> = {
  flair: {
    air: [0.02, 0.01],
    csf: [0.19, 0.06],
    gm: [1.14, 0.06],
    wm: [1, 0],
    deepGrey: [1.05, 0.05],
    lesion: [1.6, 0.18],
    core: [1.2, 0.2],
    dirty: [1.12, 0.05],
    bone: [0.15, 0.06],
    fat: [1.3, 0.4],
    soft: [0.6, 0.2],
  },
  t1: {
    air: [0.02, 0.01],
    csf: [0.3, 0.08],
    gm: [0.76, 0.05],
    wm: [1, 0],
    deepGrey: [0.82, 0.04],
    lesion: [0.82, 0.07],
    core: [0.5, 0.1],
    dirty: [0.95, 0.02],
    bone: [0.15, 0.06],
    fat: [1.35, 0.3],
    soft: [0.55, 0.15],
  },
  t2: {
    air: [0.02, 0.01],
    csf: [3.1, 0.25],
    gm: [1.32, 0.08],
    wm: [1, 0],
    deepGrey: [1.18, 0.07],
    lesion: [1.75, 0.18],
    core: [2.3, 0.25],
    dirty: [1.12, 0.04],
    bone: [0.15, 0.06],
    fat: [1.5, 0.5],
    soft: [0.6, 0.2],
  },
  pd: {
    air: [0.02, 0.01],
    csf: [1.05, 0.15],
    gm: [1.2, 0.05],
    wm: [1, 0],
    deepGrey: [1.1, 0.04],
    lesion: [1.38, 0.1],
    core: [1.45, 0.1],
    dirty: [1.08, 0.03],
    bone: [0.2, 0.06],
    fat: [1.2, 0.3],
    soft: [0.8, 0.15],
  },
  t1gd: {
    air: [0.02, 0.01],
    csf: [0.28, 0.08],
    gm: [0.8, 0.04],
    wm: [1, 0],
    deepGrey: [0.88, 0.03],
    lesion: [0.8, 0.07],
    core: [0.5, 0.1],
    dirty: [0.96, 0.02],
    bone: [0.15, 0.06],
    fat: [1.35, 0.3],
    soft: [0.7, 0.2],
  },
}

/** Intensity of a lesion that takes up gadolinium, in `t1gd`. */
export const enhancement = 1.45

/**
 * The head around the brain follows the T1 template t (white matter 0.76, fat 0.75–0.8): `gain` · t ^ `power`, 1.6 at
 * most. Fat is brighter than the brain, muscle is dark in FLAIR and T2.
 */
export const headContrast: Readonly<Record<Modality, { gain: number; power: number }>> = {
  flair: { gain: 1.9, power: 1.5 },
  t1: { gain: 1.45, power: 1.1 },
  t2: { gain: 1.9, power: 1.6 },
  pd: { gain: 1.4, power: 1 },
  t1gd: { gain: 1.5, power: 1 },
}

/** Labels of a map whose values are the places in `tissues`: 1 CSF, 2 grey matter, 3 white matter, 4 deep grey, … */
export const tissueOfLabel = (label: number): Tissue => tissues[label] ?? 'soft'

/** Labels of FreeSurfer's aseg, as SynthSeg and SAMSEG write them too; cortical parcels (1000–2999) are grey matter. */
export function tissueOfFreeSurfer(label: number): Tissue {
  if (label === 0) return 'air'
  if (label >= 1000) return label < 3000 ? 'gm' : 'wm'
  return freeSurfer.get(label) ?? 'soft'
}

const freeSurfer = new Map<number, Tissue>(
  Object.entries({
    wm: [2, 41, 7, 46, 16, 28, 60, 85, 251, 252, 253, 254, 255, 192],
    gm: [3, 42, 8, 47, 17, 53, 18, 54],
    deepGrey: [10, 49, 11, 50, 12, 51, 13, 52, 26, 58],
    csf: [4, 43, 5, 44, 14, 15, 24, 72, 31, 63, 257],
    lesion: [77, 78, 79, 99],
    bone: [165, 259],
    soft: [258],
  }).flatMap(([tissue, labels]) => labels.map((label) => [label, tissue as Tissue] as const)),
)
