import type { Flag } from '../errors.js'
import type { PreparedStudy } from '../volume/study.js'
import type { Image, Mask } from '../volume/volume.js'
import { intensityFlags } from './intensities.js'
import { measureQuality, type QualityMeasures } from './measures.js'

export interface QualityInput {
  /** The FLAIR as the scanner gave it. */
  flair: Image
  /** Brain mask on its grid. */
  brain: Mask
  /** The prepared study, where there is one: needed to tell a T1 or T2 from a FLAIR. */
  study?: PreparedStudy
  /** The images came without skull and scalp. */
  stripped?: boolean
  lesionCount?: number
}

/**
 * Where a measure becomes a doubt. Set by `bench/quality.ts` on the scans of five centres (23 FLAIR, 23 T1, 15 T2, and
 * ghosts of known strength put into whole-head scans): beside each limit stands what those scans gave.
 */
export const limits = {
  /** Slices thicker than this, in mm, hide lesions of the size that counts (3 mm). 3-D scans 1.0; 2-D scans 3.0–8.1. */
  sliceMm: 2.5,
  anisotropy: 3,
  /** Pixels coarser than this, in mm, blur small lesions. All scans 0.57–1.0. */
  pixelMm: 1.5,
  /** cm². Complete brains 0; five scans that end inside cerebellum or vertex 12–54 (and one 4). */
  cutCm2: 10,
  /** Widths of the tissue's peak. FLAIR of all centres 2.8–5.2. */
  contrast: 2,
  /** Whole-head scans as acquired: nothing measurable or at most 0.0053; with a 5 % ghost 0.0093–0.025,
   * with 10 % 0.022–0.045. */
  ghosting: 0.0095,
  /** Below: a T1. FLAIR 0.99–1.15, T1 0.72–0.96, all bias corrected. */
  greyToWhite: 0.98,
  /** Above: a T2. FLAIR 0.12–1.01, T1 0.08–0.95, T2 2.18–3.59. */
  fluidToWhite: 1.5,
} as const

/** The doubts that a FLAIR raises, in words for a reader, with the measures they come from. */
export function qualityFlags(input: QualityInput): { flags: Flag[]; measures: QualityMeasures } {
  const measures = measureQuality(input.flair, input.brain, input.study)
  const flags = [...imageFlags(measures), ...intensityFlags('FLAIR', input.flair, input.brain)]
  if (input.stripped)
    flags.push({
      code: 'stripped-input',
      severity: 'info',
      message: 'The images come without skull and scalp: their own edge was taken as the edge of the brain.',
    })
  if (input.lesionCount === 0)
    flags.push({
      code: 'lesion-free',
      severity: 'info',
      message: 'No lesion was found: there may be none, or they are smaller or fainter than this method can see.',
    })
  return { flags, measures }
}

function imageFlags(m: QualityMeasures): Flag[] {
  const flags: Flag[] = []
  const flag = (code: string, severity: Flag['severity'], message: string, values?: Flag['values']) =>
    flags.push({ code, severity, message, ...(values ? { values } : {}) })
  const [slice, pixel] = [Number(m.sliceMm.toFixed(1)), Number(m.pixelMm.toFixed(1))]

  if (m.fluidToWhite !== undefined && m.fluidToWhite > limits.fluidToWhite)
    flag(
      'flair-looks-like-t2',
      'serious',
      `The image given as FLAIR looks like a T2: fluid in the ventricles is ${m.fluidToWhite.toFixed(1)} times as bright as white matter, and should be darker. Check which file was given; the lesions found here mean nothing if it is a T2.`,
      { ratio: Number(m.fluidToWhite.toFixed(1)) },
    )
  else if (m.greyToWhite !== undefined && m.greyToWhite < limits.greyToWhite)
    flag(
      'flair-looks-like-t1',
      'serious',
      `The image given as FLAIR looks like a T1: grey matter is darker than white matter (ratio ${m.greyToWhite.toFixed(2)}), and should be at least as bright. Check which file was given; the lesions found here mean nothing if it is a T1.`,
      { ratio: Number(m.greyToWhite.toFixed(2)) },
    )
  if (m.cutCm2 > limits.cutCm2)
    flag(
      'missing-coverage',
      'warning',
      `The scan ends inside the brain at the ${m.cutEnd}: lesions beyond it are missing from counts and volumes.`,
      { end: m.cutEnd ?? '' },
    )
  if (m.sliceMm > limits.sliceMm || m.anisotropy > limits.anisotropy)
    flag(
      'thick-slices',
      'warning',
      `The slices are ${slice} mm thick (pixels ${pixel} mm): small lesions can hide within a slice, and counts and volumes are less certain than in a 3-D scan.`,
      { slice, pixel },
    )
  if (m.pixelMm > limits.pixelMm)
    flag(
      'low-resolution',
      'warning',
      `The pixels measure ${pixel} mm: lesions of a few millimetres blur into their surroundings and may be missed.`,
      { pixel },
    )
  if (m.contrast < limits.contrast)
    flag(
      'low-contrast',
      'warning',
      'The FLAIR has little contrast between fluid and brain for its noise: faint lesions may be missed, and edges are uncertain.',
    )
  if (m.ghosting !== undefined && m.ghosting > limits.ghosting)
    flag(
      'ghosting',
      'warning',
      `The air beside the head holds faint copies of it (${(100 * m.ghosting).toFixed(1)} % of the brain's brightness): the patient may have moved, and copies that fall onto the brain can look like lesions.`,
      { percent: Number((100 * m.ghosting).toFixed(1)) },
    )
  return flags
}
