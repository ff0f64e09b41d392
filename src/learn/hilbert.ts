import { boundingBox } from '../volume/crop.js'
import { countVoxels, type Mask } from '../volume/volume.js'

/** A mask's voxels in an order in which neighbours in the order are neighbours in space. */
export interface HilbertChain {
  /** Index in the volume of each voxel of the mask, along the curve. */
  voxels: Uint32Array
  /** 1 where a piece of the chain begins: the voxel before it shares no face, edge or corner with it. */
  starts: Uint8Array
}

/** The corners of a cube along a Gray code: bit 0 is x, bit 1 is y, bit 2 is z. */
const corners = [0, 1, 3, 2, 6, 7, 5, 4]
/** Corner of its octant, as the octant sees itself, at which the curve enters the w-th octant. */
const entries = [0, 0, 0, 3, 3, 6, 6, 5]
/** Axis along which the curve runs through the w-th octant. */
const axes = [0, 1, 1, 2, 2, 1, 1, 0]

/**
 * The mask's voxels along the Hilbert curve of the smallest cube of 2ⁿ voxels that covers it (Hamilton and Rau-Chaplin
 * 2007): each octant is passed through as a whole, turned so that the curve leaves it beside the next. Parts of the cube
 * without a voxel of the mask's box are not visited.
 */
export function hilbertChain(mask: Mask): HilbertChain {
  const [nx, ny] = mask.dims
  const box = boundingBox(mask)
  if (!box) return { voxels: new Uint32Array(0), starts: new Uint8Array(0) }
  const [bx, by, bz] = box.dims
  const first = box.start[0] + nx * (box.start[1] + ny * box.start[2])
  const voxels = new Uint32Array(countVoxels(mask))
  const starts = new Uint8Array(voxels.length)
  let [n, lastX, lastY, lastZ] = [0, -9, -9, -9]
  const visit = (size: number, x: number, y: number, z: number, entry: number, axis: number) => {
    if (x >= bx || y >= by || z >= bz) return
    if (size === 1) {
      const at = first + x + nx * (y + ny * z)
      if (mask.data[at] === 0) return
      starts[n] = Math.max(Math.abs(x - lastX), Math.abs(y - lastY), Math.abs(z - lastZ)) > 1 ? 1 : 0
      voxels[n++] = at
      ;[lastX, lastY, lastZ] = [x, y, z]
      return
    }
    const half = size / 2
    for (let w = 0; w < 8; w++) {
      const corner = turned(corners[w], axis + 1) ^ entry
      visit(
        half,
        x + half * (corner & 1),
        y + half * ((corner >> 1) & 1),
        z + half * (corner >> 2),
        entry ^ turned(entries[w], axis + 1),
        (axis + axes[w] + 1) % 3,
      )
    }
  }
  visit(2 ** Math.ceil(Math.log2(Math.max(bx, by, bz))), 0, 0, 0, 0, 0)
  return { voxels, starts }
}

/** Three bits turned left by `by` places. */
const turned = (bits: number, by: number): number => {
  const places = by % 3
  return ((bits << places) | (bits >> (3 - places))) & 7
}
