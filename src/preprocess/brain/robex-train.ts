import { EigenvalueDecomposition, Matrix } from 'ml-matrix'
import { type ForestOptions, growForest } from '../../learn/forest.js'
import { seededRandom } from '../../random.js'
import type { Vec3 } from '../../volume/affine.js'
import type { Image, Mask } from '../../volume/volume.js'
import { icosphere } from './icosphere.js'
import type { RobexModel } from './robex.js'
import { featureCount, radiiOf, rayFeatures, rayImage } from './robex-rays.js'

export interface RobexTraining extends Partial<ForestOptions> {
  /** Most shape modes. Default 25. */
  modes?: number
}

/** How near the edge a place counts as edge, and how far from it the others are drawn, mm. */
const edgeMm = 1.5
const awayMm = 25

/**
 * Learns ROBEX's two parts from heads in one frame with known brains: a forest that tells the brain's edge from other
 * places on rays from the centre, and the main ways in which the length of these rays varies.
 */
export async function trainRobex(
  heads: readonly { image: Image; mask: Mask }[],
  { modes = 25, ...forest }: RobexTraining = {},
): Promise<RobexModel> {
  const { vertices } = icosphere()
  const rays = vertices.length / 3
  const centre = centreOf(heads.map(({ mask }) => mask))
  const radii = heads.map(({ mask }) => radiiOf(mask, centre, vertices))
  const mean = Float32Array.from({ length: rays }, (_, v) => radii.reduce((sum, r) => sum + r[v], 0) / radii.length)

  const random = seededRandom(forest.seed ?? 1)
  const [near, far] = [2, 5]
  const count = heads.length * rays * (near + far)
  const samples = new Float32Array(count * featureCount)
  const classes = new Uint8Array(count)
  let row = 0
  for (const [h, { image }] of heads.entries()) {
    const seen = await rayImage(image)
    for (let v = 0; v < rays; v++) {
      const u: Vec3 = [vertices[3 * v], vertices[3 * v + 1], vertices[3 * v + 2]]
      for (let s = 0; s < near + far; s++, row++) {
        const spread = s < near ? edgeMm : awayMm
        const off = spread * (2 * random() - 1)
        classes[row] = Math.abs(off) <= edgeMm ? 1 : 0
        rayFeatures(seen, centre, u, Math.max(1, radii[h][v] + off), mean[v], samples, row * featureCount)
      }
    }
  }
  return {
    centre,
    mean,
    ...principalModes(radii, mean, modes),
    forest: growForest(samples, classes, featureCount, { trees: 30, depth: 14, seed: 1, ...forest }),
  }
}

/** The main modes of the radii (principal components, by the small matrix of the heads), unit length, with their sd. */
function principalModes(radii: Float32Array[], mean: Float32Array, most: number) {
  const n = radii.length
  const off = radii.map((r) => r.map((v, i) => v - mean[i]))
  const gram = new Matrix(n, n)
  for (let a = 0; a < n; a++)
    for (let b = 0; b < n; b++)
      gram.set(a, b, off[a].reduce((sum, v, i) => sum + v * off[b][i], 0) / Math.max(1, n - 1))
  const { realEigenvalues, eigenvectorMatrix } = new EigenvalueDecomposition(gram, { assumeSymmetric: true })
  const order = realEigenvalues.map((_, i) => i).sort((a, b) => realEigenvalues[b] - realEigenvalues[a])
  const kept = order
    .slice(0, Math.min(most, n - 1))
    .filter((k) => realEigenvalues[k] > 1e-6 * realEigenvalues[order[0]])
  const modes = kept.map((k) => {
    const mode = new Float32Array(mean.length)
    for (let h = 0; h < n; h++) for (let i = 0; i < mode.length; i++) mode[i] += eigenvectorMatrix.get(h, k) * off[h][i]
    const length = Math.hypot(...mode)
    return mode.map((v) => v / length)
  })
  return { modes, sd: Float32Array.from(kept, (k) => Math.sqrt(realEigenvalues[k])) }
}

function centreOf(masks: readonly Mask[]): Vec3 {
  const sum = [0, 0, 0]
  let n = 0
  for (const {
    dims: [nx, ny],
    affine,
    data,
  } of masks)
    for (let at = 0; at < data.length; at++) {
      if (data[at] === 0) continue
      sum[0] += affine[3] + affine[0] * (at % nx)
      sum[1] += affine[7] + affine[5] * (Math.floor(at / nx) % ny)
      sum[2] += affine[11] + affine[10] * Math.floor(at / (nx * ny))
      n++
    }
  return [sum[0] / n, sum[1] / n, sum[2] / n]
}
