import { voxelSizes } from '../volume/affine.js'
import { thickSlice } from '../volume/filter.js'
import { close } from '../volume/morphology.js'
import type { AtlasMaps, TissueMaps } from '../volume/study.js'
import { emptyMask, type Image, type Mask, maskWhere } from '../volume/volume.js'

/** From which probability white matter is a source, and its neighbours must at least have. */
const [sure, likely] = [0.95, 0.5]

/**
 * White matter that others can take their values from: surely white matter, with no neighbour by faces (of thin steps) that
 * is rather something else, so that neither grey matter nor fluid has a share in it.
 *
 * @param wm probability of white matter, 0–1
 */
export function whiteMatterSources(wm: Image): Mask {
  const { dims, data } = wm
  const size = voxelSizes(wm.affine)
  const stride = [1, dims[0], dims[0] * dims[1]]
  const out = emptyMask(wm)
  for (let at = 0; at < data.length; at++) {
    if (data[at] < sure) continue
    const place = [at % dims[0], Math.floor(at / stride[1]) % dims[1], Math.floor(at / stride[2])]
    let inside = 1
    for (let axis = 0; axis < 3 && inside; axis++) {
      if (size[axis] >= thickSlice) continue
      if (place[axis] > 0 && data[at - stride[axis]] < likely) inside = 0
      if (place[axis] < dims[axis] - 1 && data[at + stride[axis]] < likely) inside = 0
    }
    out.data[at] = inside
  }
  return out
}

/**
 * Where the rim of a lesion may be filled: white matter, and what looks grey where the atlas has white matter, as half of
 * a dark lesion does. Fluid and cortex are left as they are. What was not classified because lesions lie there is theirs.
 */
export function fillableRim(tissue: TissueMaps, atlas: Pick<AtlasMaps, 'wm' | 'csf' | 'gm'>): Mask {
  const out = emptyMask(tissue.wm)
  for (let i = 0; i < out.data.length; i++) {
    const [csf, gm, wm] = [tissue.csf.data[i], tissue.gm.data[i], tissue.wm.data[i]]
    const grey = gm >= likely && atlas.wm.data[i] >= likely
    out.data[i] = wm >= likely || (grey && csf < likely) ? 1 : 0
  }
  return out
}

/** Gaps between white matter and lesions up to twice this wide, mm, are lesion that the mask left out. */
const gapMm = 1.5

/**
 * The same where nothing but white matter is known: white matter, and the narrow gaps between it and the lesions, which it
 * has holes for.
 */
export async function gapRim(wm: Image, lesions: Mask): Promise<Mask> {
  return await close(
    maskWhere(wm, (value, i) => value >= likely || lesions.data[i] !== 0),
    gapMm,
  )
}
