import { readFile } from 'node:fs/promises'
import { readNifti, readNiftiMask } from '../formats/nifti.js'
import { paint } from '../report/overlay.js'
import { png } from '../report/raster.js'
import { slice, upright } from '../report/view.js'
import { frameOf, windowOf } from '../report/window.js'
import { emptyImage, type Image, type Mask } from '../volume/volume.js'
import type { OpenedCase } from './opened.js'

const widthPixels = 96
const maskName = 'lesion_mask.nii.gz'

/** The axial slice with most lesion, its lesions outlined, as PNG bytes; of the mask alone where the FLAIR is not known. */
export async function thumbnail({ files, images }: OpenedCase): Promise<Uint8Array> {
  const mask = upright(await readNiftiMask(await files.bytes(maskName), files.path(maskName)))
  const flair: Image = images.flair
    ? upright((await readNifti(await readFile(images.flair), images.flair)).image)
    : { ...emptyImage(mask), data: Float32Array.from(mask.data) }
  // A FLAIR of another grid is somebody else's.
  const shown = flair.dims.every((n, axis) => n === mask.dims[axis]) ? mask : undefined
  const { rgb, width, height } = paint(
    shown ? fullest(shown) : Math.floor(flair.dims[2] / 2),
    flair,
    shown,
    undefined,
    windowOf(flair),
    frameOf(flair, undefined, 2),
    widthPixels,
  )
  return png(rgb, width, height, 3)
}

/** The slice that holds most of the mask; the middle one when it is empty. */
function fullest(mask: Mask): number {
  let [best, most] = [Math.floor(mask.dims[2] / 2), 0]
  for (let k = 0; k < mask.dims[2]; k++) {
    const held = slice(mask, 'axial', k).data.reduce((sum, v) => sum + v, 0)
    if (held > most) [best, most] = [k, held]
  }
  return best
}
