import { voxelSizes } from '../volume/affine.js'
import type { Box } from '../volume/crop.js'
import type { Image } from '../volume/volume.js'
import { paintedFigure } from './figure.js'
import type { Html } from './html.js'
import { grey, type Window } from './raster.js'
import { looks, type Plane, slice } from './view.js'

/** Side of a square, in mm: several to a brain, and edges of cortex and ventricles cross many borders. */
const squareMm = 18

/**
 * Two images in turns, as on a chess board: where they fit, the edges of ventricles and cortex run on from one square
 * to the next. Squares of the second are tinted. Both are upright and on one grid.
 */
export function checkerboard(
  flair: Image,
  t1: Image,
  plane: Plane,
  index: number,
  box: Box,
  windows: { flair: Window; t1: Window },
  frameMm = 0,
  names = 'FLAIR and T1',
): Html {
  const cut = slice(flair, plane, index, box)
  const a = grey(cut, windows.flair)
  const b = grey(slice(t1, plane, index, box), windows.t1)
  const size = voxelSizes(flair.affine)
  const { across, down } = looks[plane]
  // At least one voxel to a square, however thick the slices.
  const [squareX, squareY] = [Math.max(squareMm, size[across]), Math.max(squareMm, size[down])]
  const rgb = new Uint8Array(3 * cut.width * cut.height)
  for (let y = 0; y < cut.height; y++)
    for (let x = 0; x < cut.width; x++) {
      const at = x + cut.width * y
      const odd = (Math.floor((x * size[across]) / squareX) + Math.floor((y * size[down]) / squareY)) % 2 === 1
      if (odd) rgb.set([0.72 * b[at], 0.9 * b[at], b[at]], 3 * at)
      else rgb.fill(a[at], 3 * at, 3 * at + 3)
    }
  return paintedFigure(plane, rgb, cut, `${plane} slice, ${names} in turns`, frameMm)
}
