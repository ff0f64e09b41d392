import { closestAxes, voxelSizes } from '../volume/affine.js'
import { largestComponent } from '../volume/components.js'
import { percentiles } from '../volume/histogram.js'
import { emptyMask, type Image, type Mask } from '../volume/volume.js'

/** Air nearer than this to the head, in mm, is left out: ringing and chemical shift live there. */
const marginMm = 8

/**
 * Ghost-to-signal ratio: movement during the scan throws copies of the head along the phase-encoding axis, so the air
 * beside the head is brighter along that axis than along the other. After Giannelli et al. 2010, J Appl Clin Med Phys
 * 11:3237, made for echo-planar images; here for either in-plane axis, as it is not known which one encodes phase:
 *
 * | mean(air in line with the head along one axis only) − mean(air … along the other only) | / median(brain)
 *
 * The brightest twentieth of the air is left out: wrapped ears and head rests are no ghosts. Noise is the same on both
 * sides and cancels. Whole-head images only: undefined where the air holds nothing but zeros (skull-stripped, masked)
 * or is too little to tell.
 *
 * @returns 0 and up; no unit
 */
export function ghostToSignal(image: Image, brain: Mask): number | undefined {
  const [signal] = percentiles(image, [50], brain)
  if (!(signal > 0)) return undefined
  const head = largestComponent(above(image, 0.2 * signal), 6)
  const size = voxelSizes(image.affine)
  const slices = sliceAxis(image)
  const [u, v] = [0, 1, 2].filter((axis) => axis !== slices)
  const { dims, data } = image
  const stride = [1, dims[0], dims[0] * dims[1]]
  const margin = [u, v].map((axis) => Math.ceil(marginMm / size[axis]))
  const beside: [number[], number[]] = [[], []]

  for (let s = 0; s < dims[slices]; s++) {
    const base = s * stride[slices]
    const alongU = spans(head, base, dims[v], stride[v], dims[u], stride[u])
    const alongV = spans(head, base, dims[u], stride[u], dims[v], stride[v])
    for (let b = 0; b < dims[v]; b++)
      for (let a = 0; a < dims[u]; a++) {
        const [lowU, highU] = alongU[b]
        const [lowV, highV] = alongV[a]
        // In line with the head along u: its row holds head, and the voxel lies well before or behind it.
        const inU = highU >= 0 && (a < lowU - margin[0] || a > highU + margin[0])
        const inV = highV >= 0 && (b < lowV - margin[1] || b > highV + margin[1])
        if (!inU && !inV) continue
        const value = data[base + a * stride[u] + b * stride[v]]
        if (inU && highV < 0) beside[0].push(value)
        else if (inV && highU < 0) beside[1].push(value)
      }
  }
  if (beside.some((values) => values.length < 2000)) return undefined
  const [alongU, alongV] = beside.map(trimmedMean)
  if (alongU === 0 && alongV === 0) return undefined
  return Math.abs(alongU - alongV) / signal
}

/** The axis across the slices of a 2-D scan; for voxels about as long as wide, that from foot to head. */
function sliceAxis({ affine }: Image): number {
  const size = voxelSizes(affine)
  const longest = Math.max(...size)
  return longest > 1.5 * Math.min(...size) ? size.indexOf(longest) : closestAxes(affine).axis.indexOf(2)
}

/** For each line of a slice the first and last voxel of the head; [∞, −1] where the line misses it. */
function spans(
  head: Mask,
  base: number,
  lines: number,
  lineStride: number,
  along: number,
  stride: number,
): (readonly [number, number])[] {
  return Array.from({ length: lines }, (_, line) => {
    let [low, high] = [Number.POSITIVE_INFINITY, -1]
    for (let n = 0; n < along; n++)
      if (head.data[base + line * lineStride + n * stride] !== 0) {
        if (low > n) low = n
        high = n
      }
    return [low, high] as const
  })
}

function above(image: Image, level: number): Mask {
  const mask = emptyMask(image)
  for (let i = 0; i < mask.data.length; i++) mask.data[i] = image.data[i] > level ? 1 : 0
  return mask
}

/** Mean of the lower 95 %. */
function trimmedMean(values: number[]): number {
  const kept = Float64Array.from(values)
    .sort()
    .subarray(0, Math.ceil(0.95 * values.length))
  return kept.reduce((sum, value) => sum + value, 0) / kept.length
}
