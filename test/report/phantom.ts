import { findLesions, measureIntensities } from '../../src/lesions/instances.js'
import { summarise } from '../../src/lesions/summary.js'
import type { Location } from '../../src/lesions/types.js'
import type { ReportInput } from '../../src/report/input.js'
import { compose, scaling, translation, type Vec3 } from '../../src/volume/affine.js'
import { emptyImage, emptyMask, type Grid, type Image, type Mask } from '../../src/volume/volume.js'

/** A head of ellipsoids: skull ring, brain, ventricle, and three lesions; RAS, 2×2×3 mm, the middle at the origin. */
export const grid: Grid = {
  dims: [96, 112, 60],
  affine: compose(translation([-95, -111, -88.5]), scaling([2, 2, 3])),
}

export const lesionCentres: readonly { centre: Vec3; radius: number; location: Location }[] = [
  { centre: [20, 10, 10], radius: 9, location: 'periventricular' },
  { centre: [-45, -20, 25], radius: 6, location: 'juxtacortical' },
  { centre: [5, -50, -35], radius: 5, location: 'infratentorial' },
]

/** Every voxel centre of a grid without rotation, in mm. */
export function fill(on: Grid, value: (p: Vec3) => number): Image {
  const image = emptyImage(on)
  const { dims, affine } = on
  let at = 0
  for (let k = 0; k < dims[2]; k++)
    for (let j = 0; j < dims[1]; j++)
      for (let i = 0; i < dims[0]; i++)
        image.data[at++] = value([affine[0] * i + affine[3], affine[5] * j + affine[7], affine[10] * k + affine[11]])
  return image
}

const within = (p: Vec3, centre: Vec3, radii: Vec3) =>
  Math.hypot(...p.map((x, axis) => (x - centre[axis]) / radii[axis])) <= 1

export const inBrain = (p: Vec3) => within(p, [0, 0, 0], [65, 80, 60])
const inLesion = (p: Vec3) => lesionCentres.some(({ centre, radius: r }) => within(p, centre, [r, r, r]))

/** Repeatable noise of about ±1. */
const noise = ([x, y, z]: Vec3) => Math.sin(x * 12.9898 + y * 78.233 + z * 37.719) * 43758.5453

export const flair: Image = fill(grid, (p) => {
  const grain = 8 * (noise(p) - Math.floor(noise(p)) - 0.5)
  if (inLesion(p)) return 190 + grain
  if (within(p, [0, 5, 5], [10, 30, 12])) return 25 + grain
  if (inBrain(p)) return (within(p, [0, 0, 0], [63.5, 78.5, 58]) ? 110 : 25) + grain
  return within(p, [0, 0, 0], [74, 90, 70]) ? 70 : 3 + grain / 4
})

export const brain: Mask = mask(inBrain)
export const lesionMask: Mask = mask(inLesion)

function mask(test: (p: Vec3) => boolean): Mask {
  const out = emptyMask(grid)
  fill(grid, (p) => (test(p) ? 1 : 0)).data.forEach((v, i) => {
    out.data[i] = v
  })
  return out
}

/** All that a report needs, of the phantom. */
export function reportInput(more: Partial<ReportInput> = {}): ReportInput {
  const set = findLesions(lesionMask)
  const lesions = measureIntensities(set.lesions, set.labels, 'flair', flair).map((lesion, n) => ({
    ...lesion,
    location: lesionCentres[n].location,
    touches: [lesionCentres[n].location],
    ventricleGapMm: 3,
    cortexGapMm: Number.POSITIVE_INFINITY,
  }))
  return {
    flair,
    labels: set.labels,
    lesions,
    brain,
    summary: summarise({
      lesions,
      brain,
      flags: [{ code: 'thick-slices', severity: 'warning', message: 'The slices are <thick> & few.' }],
      method: 'made-up',
      connectivity: 18,
      minimumSizeMm3: 3,
    }),
    contrasts: ['flair', 't1'],
    method: {
      id: 'made-up',
      title: 'A made-up method',
      describe: 'It does nothing.',
      citation: { text: 'Nobody 2099', doi: '10.0/none' },
    },
    params: { alpha: 3 },
    paramNotes: { alpha: 'half-widths above the peak' },
    settings: { locationRule: 'clinical' },
    threshold: 150,
    stages: [{ stage: 'Segmenting', seconds: 1.5 }],
    seconds: 2,
    software: { name: 'Lesionwise', version: '9.9.9' },
    ...more,
  }
}
