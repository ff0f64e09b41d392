import type { Flag } from '../errors.js'
import type { ChosenLocation } from '../lesions/chosen-location.js'
import type { Lesion } from '../lesions/instances.js'
import type { Summary } from '../lesions/summary.js'
import type { Language } from '../report/words/languages.js'
import type { Modality } from '../volume/study.js'
import type { Image, Mask, Volume } from '../volume/volume.js'
import type { Provenance } from './provenance.js'

/** An image of a visit: a NIfTI file's path, or an image already in memory. */
export type ImageSource = string | Image

export interface SegmentOptions extends Partial<Record<Modality, ImageSource>> {
  /** Folder for the results; left out, nothing is written and everything is in the returned value. */
  out?: string
  /** Method id (`lesionwise methods`); left out, the default for the contrasts given. */
  method?: string
  /** The method's own parameters by name; what is left out takes the method's defaults. */
  params?: Record<string, unknown>
  /** Any tool's lesion mask on any grid of the FLAIR's space: no segmentation, but lesions, locations and report. */
  lesionMask?: string
  /** Brain mask to use instead of our own. */
  brainMask?: string
  /** False: the images are taken as aligned by their headers. Default true. */
  register?: boolean
  /** Folder of images that are already aligned and bias-corrected (and a brain mask, if there is one). */
  prepared?: string
  /** Folder in which preparation steps are kept for the next run on the same inputs. */
  work?: string
  /** Cut of the method's probability map, 0–1; only for methods that give one. */
  threshold?: number
  /** Smallest lesion kept, in mm³ (default 3) … */
  minimumSizeMm3?: number
  /** … and in voxels (default 3). */
  minimumVoxels?: number
  /** Which voxels touch: 6, 18 or 26 neighbours. Default 18. */
  connectivity?: 6 | 18 | 26
  /** Order in which location classes are tried. Default `clinical`. */
  locationRule?: 'clinical' | 'lst-ai'
  /** Locations that a rater chose: they go before those of the rule. */
  chosenLocations?: readonly ChosenLocation[]
  /** Write input paths into provenance.json. Default false: names can identify people. */
  keepPaths?: boolean
  /** Write report.pdf too. Default false. */
  pdf?: boolean
  /** What the report calls the visit: a label as BIDS has them, no name. Default: nothing. */
  visitLabel?: string
  /** Of the report. Default English. */
  language?: Language
  /** Worker threads. Default: all cores. */
  threads?: number
  /** Seed of everything random. Default 1. */
  seed?: number
  device?: 'cpu' | 'webgpu' | 'cuda'
  signal?: AbortSignal
  onProgress?(event: Progress): void
  /** Called once for each doubt, as soon as it is known. */
  onFlag?(flag: Flag): void
}

export interface Progress {
  /** What is being done, in a few words: "Registering T1 to FLAIR". */
  stage: string
  /** Fraction of the whole run that is done, 0–1; never goes back. */
  fraction: number
}

/** The stage in which the method itself works: what comes before it is preparation. */
export const methodStage = 'Finding lesions'

/** The result of `segment`. All volumes are on the FLAIR's own grid, axes as in its file. */
export interface SegmentResult {
  mask: Mask
  instances: Volume<Int16Array>
  probability?: Image
  brain: Mask
  lesions: Lesion[]
  summary: Summary
  flags: Flag[]
  provenance: Provenance
  /** The report page, one self-contained HTML document. */
  report: string
  /** The same on paper, with `pdf: true`. */
  pdf?: Uint8Array
  /** Names of the files written into `out`, in the order they appeared. */
  files: string[]
}
