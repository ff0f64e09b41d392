import type { Vec3 } from '../volume/affine.js'
import type { Box } from '../volume/crop.js'
import type { Modality } from '../volume/study.js'

/** Where a lesion lies, by the regions that the diagnostic criteria count. */
export type Location = 'periventricular' | 'juxtacortical' | 'infratentorial' | 'subcortical'

/** In the order of tables and keys; `juxtacortical` holds cortical lesions too, `subcortical` is deep white matter. */
export const locations: readonly Location[] = ['periventricular', 'juxtacortical', 'infratentorial', 'subcortical']

/** Their colours over dark pictures, RGB: outlines of the report, the workbench, and what is exported. */
export const locationColours: Readonly<Record<Location, readonly [number, number, number]>> = {
  periventricular: [255, 138, 82],
  juxtacortical: [67, 201, 230],
  infratentorial: [211, 166, 255],
  subcortical: [255, 224, 74],
}

/** The same for style sheets. */
export const locationHex = (location: Location): string =>
  `#${locationColours[location].map((v) => v.toString(16).padStart(2, '0')).join('')}`

/** One lesion: a connected component of the mask. */
export interface Lesion {
  /** 1 is the largest. The same number stands in the label map. */
  id: number
  voxels: number
  volumeMm3: number
  /** Mean of the voxel centres, RAS+ mm. */
  centroid: Vec3
  /** Smallest block of voxels of the label map's grid that holds the lesion. */
  box: Box
  /** Extent, in mm, along the line through the two voxels that are farthest apart. */
  longestAxisMm: number
  /** Set by `locateLesions`. */
  location?: Location
  /** Every region the lesion touches, in the order of the rule: the first is `location`. */
  touches?: Location[]
  /** Gap, in mm, between the lesion's surface and that of the lateral and third ventricles; 0 in contact. */
  ventricleGapMm?: number
  /** Gap, in mm, between the lesion's surface and that of the cortex; 0 in contact. */
  cortexGapMm?: number
  /** Part of the lesion that lies in brainstem and cerebellum, 0–1. */
  infratentorialFraction?: number
  /** Part of the lesion that lies in the cortex, 0–1. */
  corticalFraction?: number
  /** Mean intensity of each image within the lesion, in that image's units. Set by `measureIntensities`. */
  intensities?: Partial<Record<Modality, number>>
}
