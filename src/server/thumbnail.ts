import { readFile } from 'node:fs/promises'
import { readNifti, readNiftiMask } from '../formats/nifti.js'
import { paint } from '../report/overlay.js'
import { png } from '../report/raster.js'
import { slice, upright } from '../report/view.js'
import { frameOf, windowOf } from '../report/window.js'
import { emptyImage, type Image } from '../volume/volume.js'
import type { OpenedCase } from './opened.js'

const widthPixels = 96

/** The axial slice with most lesion, its lesions outlined, as PNG bytes; of the mask alone where the FLAIR is not known. */
export async function thumbnail({ files, images }: OpenedCase): Promise<Uint8Array> {
  const mask = upright(await readNiftiMask(await readFile(files.mask), files.mask))
  const flair: Image = images.flair
    ? upright((await readNifti(await readFile(images.flair), images.flair)).image)
    : { ...emptyImage(mask), data: Float32Array.from(mask.data) }
  // A FLAIR of another grid is somebody else's.
  const shown = flair.dims.every((n, axis) => n === mask.dims[axis]) ? mask : undefined
  const { rgb, width, height } = paint(
    fullest(shown ?? { ...mask, data: mask.data.slice(0, 0) }, flair.dims[2]),
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
function fullest(mask: Parameters<typeof slice<Uint8Array>>[0], slices: number): number {
  let [best, most] = [Math.floor(slices / 2), 0]
  if (mask.data.length === 0) return best
  for (let k = 0; k < slices; k++) {
    const held = slice(mask, 'axial', k).data.reduce((sum, v) => sum + v, 0)
    if (held > most) [best, most] = [k, held]
  }
  return best
}
