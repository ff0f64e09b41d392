import { keepLargerThan } from '../volume/components.js'
import { distanceTo } from '../volume/distance.js'
import type { PreparedStudy } from '../volume/study.js'
import { countVoxels, emptyMask, type Mask } from '../volume/volume.js'
import type { Anatomy } from './location.js'

/** How far, in mm, a subject's ventricles may reach beyond the atlas': widening with age and atrophy, not sulci. */
const reachMm = 12
/** Cortex that is not one with the ribbon is an island of misread white matter: pieces below 2 ml are dropped. */
const smallestCortexMm3 = 2000

/**
 * Ventricles, cortex, and infratentorial brain of a prepared subject. The atlas says where to look, the subject's own
 * tissue says where the borders run; where the tissue classes show next to nothing of a structure, the atlas stands.
 *
 * On nine scans with ventricles drawn by hand (6–8 mm slices) the ventricles found agree by Dice 0.74–0.82 (precision
 * 0.90–0.97), those of the atlas alone by 0.42–0.67; the drawn ones hold the fourth ventricle too.
 *
 * @param lesions voxels that are lesion, on the study's grid: bright rims read as grey matter are no cortex
 */
export async function anatomyOf({ atlas, tissue, brain }: PreparedStudy, lesions?: Mask): Promise<Anatomy> {
  return {
    ventricles: await ventricles(atlas, tissue, lesions),
    cortex: cortex(atlas, tissue, brain, lesions),
    infratentorial: binary(atlas.infratentorial, (v) => v !== 0),
  }
}

/**
 * The subject's CSF that is one with the atlas' lateral and third ventricles, within reach of them, and nearer to them
 * than to the fluid around the brain and the fourth ventricle: the cisterns beside the brainstem touch the ventricles.
 */
async function ventricles(
  atlas: PreparedStudy['atlas'],
  tissue: PreparedStudy['tissue'],
  lesions?: Mask,
): Promise<Mask> {
  const expected = binary(atlas.ventricles, (v) => v === 1)
  const outer = binary(atlas.ventricles, (v, i) => v === 2 || (v === 0 && atlas.csf.data[i] >= 0.5))
  const [far, farOuter] = [await distanceTo(expected), await distanceTo(outer)]
  const fluid = binary(
    expected,
    (_, i) =>
      tissue.csf.data[i] >= 0.5 &&
      far.data[i] <= reachMm &&
      far.data[i] < farOuter.data[i] &&
      atlas.infratentorial.data[i] === 0 &&
      lesions?.data[i] !== 1,
  )
  const found = connectedTo(expected, fluid)
  return countVoxels(found) >= 0.25 * countVoxels(expected) ? found : expected
}

/** Grey matter where the atlas has cortex, in pieces large enough to be the ribbon. */
function cortex(atlas: PreparedStudy['atlas'], tissue: PreparedStudy['tissue'], brain: Mask, lesions?: Mask): Mask {
  const grey = binary(
    brain,
    (inside, i) =>
      inside !== 0 &&
      tissue.gm.data[i] >= 0.5 &&
      atlas.cortex.data[i] >= 0.3 &&
      atlas.infratentorial.data[i] === 0 &&
      lesions?.data[i] !== 1,
  )
  const ribbon = keepLargerThan(grey, smallestCortexMm3, 6)
  const expected = binary(brain, (inside, i) => inside !== 0 && atlas.cortex.data[i] >= 0.5)
  return countVoxels(ribbon) >= 0.25 * countVoxels(expected) ? ribbon : expected
}

/** The voxels of `allowed` that can be reached, by faces, from those it shares with `seeds`. */
function connectedTo(seeds: Mask, allowed: Mask): Mask {
  const [nx, ny, nz] = allowed.dims
  const found = emptyMask(allowed)
  const queue: number[] = []
  const visit = (i: number) => {
    if (allowed.data[i] === 0 || found.data[i] !== 0) return
    found.data[i] = 1
    queue.push(i)
  }
  for (let i = 0; i < allowed.data.length; i++) if (seeds.data[i] !== 0) visit(i)
  for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
    const x = next % nx
    const y = Math.floor(next / nx) % ny
    const z = Math.floor(next / (nx * ny))
    if (x > 0) visit(next - 1)
    if (x < nx - 1) visit(next + 1)
    if (y > 0) visit(next - nx)
    if (y < ny - 1) visit(next + nx)
    if (z > 0) visit(next - nx * ny)
    if (z < nz - 1) visit(next + nx * ny)
  }
  return found
}

function binary(like: Mask, test: (value: number, index: number) => boolean): Mask {
  const out = emptyMask(like)
  for (let i = 0; i < out.data.length; i++) out.data[i] = test(like.data[i], i) ? 1 : 0
  return out
}
