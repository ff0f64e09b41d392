import { type Connectivity, labelComponents } from '../volume/components.js'
import { neighbours } from '../volume/morphology.js'
import { type Mask, maskWhere, voxelVolume } from '../volume/volume.js'

/** A connected piece of a mask of candidates, as the rules of many methods judge it. */
export interface Finding {
  voxels: number
  mm3: number
  /** Part of the 26-neighbour shell around it that lies in the mask `around`; 0 without a shell. */
  around: number
  /** Part of its own voxels that lie in the mask `within`. */
  within: number
  /** Part of its own voxels with a face outside the mask `brain`. */
  border: number
}

export interface FindingContext {
  connectivity: Connectivity
  around?: Mask
  within?: Mask
  brain?: Mask
}

/**
 * The findings that pass a rule, whole. Most false findings of a bright-voxel detector are partial volume at the borders
 * of grey matter: their shell holds little white matter.
 */
export function keepFindings(
  mask: Mask,
  { connectivity, around, within, brain }: FindingContext,
  keep: (finding: Finding) => boolean,
): Mask {
  const { labels, count, sizes } = labelComponents(mask, connectivity)
  const [nx, ny, nz] = mask.dims
  const [shell, inAround, inWithin, atBorder] = [0, 1, 2, 3].map(() => new Float64Array(count + 1))
  const offsets = neighbours(26)
  /** Voxels of this finding's shell that are counted already. */
  const seen = new Set<number>()
  const boxes = boxesOf(labels.data, mask.dims, count)
  for (let label = 1; label <= count; label++) {
    if (around) seen.clear()
    const [x0, x1, y0, y1, z0, z1] = boxes.subarray(6 * label, 6 * label + 6)
    for (let k = z0; k <= z1; k++)
      for (let j = y0; j <= y1; j++)
        for (let i = x0; i <= x1; i++) {
          const at = i + nx * (j + ny * k)
          if (labels.data[at] !== label) continue
          if (within && within.data[at] !== 0) inWithin[label]++
          let open = false
          if (around || brain)
            for (const [dx, dy, dz] of offsets) {
              const [x, y, z] = [i + dx, j + dy, k + dz]
              const outside = x < 0 || y < 0 || z < 0 || x >= nx || y >= ny || z >= nz
              const to = x + nx * (y + ny * z)
              if (brain && Math.abs(dx) + Math.abs(dy) + Math.abs(dz) === 1) open ||= outside || brain.data[to] === 0
              if (!around || outside || labels.data[to] === label || seen.has(to)) continue
              seen.add(to)
              shell[label]++
              if (around.data[to] !== 0) inAround[label]++
            }
          if (open) atBorder[label]++
        }
  }
  const mm3 = voxelVolume(mask)
  const kept = Uint8Array.from(sizes, (voxels, label) =>
    label > 0 &&
    keep({
      voxels,
      mm3: voxels * mm3,
      around: shell[label] > 0 ? inAround[label] / shell[label] : 0,
      within: inWithin[label] / voxels,
      border: atBorder[label] / voxels,
    })
      ? 1
      : 0,
  )
  return maskWhere(labels, (label) => kept[label] !== 0)
}

/** The box of each label: first and last x, y, z. */
function boxesOf(labels: Int32Array, [nx, ny, nz]: readonly number[], count: number): Int32Array {
  const boxes = new Int32Array(6 * (count + 1))
  for (let label = 0; label <= count; label++)
    for (let axis = 0; axis < 3; axis++) {
      boxes[6 * label + 2 * axis] = [nx, ny, nz][axis]
      boxes[6 * label + 2 * axis + 1] = -1
    }
  for (let k = 0, at = 0; k < nz; k++)
    for (let j = 0; j < ny; j++)
      for (let i = 0; i < nx; i++, at++) {
        if (labels[at] === 0) continue
        const base = 6 * labels[at]
        if (i < boxes[base]) boxes[base] = i
        if (i > boxes[base + 1]) boxes[base + 1] = i
        if (j < boxes[base + 2]) boxes[base + 2] = j
        if (j > boxes[base + 3]) boxes[base + 3] = j
        if (k < boxes[base + 4]) boxes[base + 4] = k
        if (k > boxes[base + 5]) boxes[base + 5] = k
      }
  return boxes
}
