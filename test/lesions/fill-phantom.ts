import { gaussianRandom, seededRandom } from '../../src/random.js'
import { type Affine, compose, scaling, type Vec3 } from '../../src/volume/affine.js'
import { gaussian } from '../../src/volume/filter.js'
import { emptyImage, emptyMask, type Image, type Mask, maskWhere } from '../../src/volume/volume.js'

/** A T1 whose white matter is known everywhere, also where lesions lie. */
export interface FillPhantom {
  t1: Image
  /** What white matter's mean would be at every voxel: 600 times a bias field of ±20 %. */
  truth: Image
  /** Standard deviation of the texture, as a share of `truth`. */
  texture: number
  wm: Image
  /** 1 wherever there is a lesion; `one(name)` each by itself. */
  lesions: Mask
  one(name: LesionName): Mask
}

export type LesionName = 'deep' | 'small' | 'ventricle' | 'cortex' | 'bright'

/** Centres and radii in mm about the middle of the head. */
const lesionsAt: Record<LesionName, { at: Vec3; radius: number; factor: number }> = {
  deep: { at: [0, 22, 8], radius: 6, factor: 0.7 },
  small: { at: [18, 16, -8], radius: 2.5, factor: 0.75 },
  ventricle: { at: [-13, 0, 0], radius: 4, factor: 0.6 },
  cortex: { at: [0, -26, -4], radius: 4, factor: 0.7 },
  bright: { at: [20, -10, 10], radius: 5, factor: 1.25 },
}

/** Turned by 20° about z and 10° about x: no axis runs along the world's. */
const turn: Affine = (() => {
  const [cz, sz, cx, sx] = [Math.cos(0.35), Math.sin(0.35), Math.cos(0.17), Math.sin(0.17)]
  const about = compose(
    [cz, -sz, 0, 0, sz, cz, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1],
    [1, 0, 0, 0, 0, cx, -sx, 0, 0, sx, cx, 0, 0, 0, 0, 1],
  )
  return about
})()

/** 80 × 84 × 76 voxels of 1 × 1 × 1.1 mm, oblique: white matter with a ventricle inside, cortex and fluid around. */
export async function fillPhantom({
  noise = 0.03,
  seed = 7,
}: {
  noise?: number
  seed?: number
} = {}): Promise<FillPhantom> {
  const dims: Vec3 = [80, 84, 76]
  const size: Vec3 = [1, 1, 1.1]
  const affine = compose([1, 0, 0, 12, 0, 1, 0, -30, 0, 0, 1, 5, 0, 0, 0, 1], turn, scaling(size))
  const grid = { dims, affine }
  const draw = gaussianRandom(seededRandom(seed))
  const white = emptyImage(grid)
  for (let i = 0; i < white.data.length; i++) white.data[i] = draw()
  const smooth = await gaussian(white, 0.7)
  const spread = Math.sqrt(smooth.data.reduce((s, v) => s + v * v, 0) / smooth.data.length)

  const place = (i: number): Vec3 => {
    const p = [i % dims[0], Math.floor(i / dims[0]) % dims[1], Math.floor(i / (dims[0] * dims[1]))]
    return p.map((v, axis) => (v - (dims[axis] - 1) / 2) * size[axis]) as unknown as Vec3
  }
  const labels = maskWhere(white, () => true)
  const truth = emptyImage(grid)
  for (let i = 0; i < labels.data.length; i++) {
    const [x, y, z] = place(i)
    const r = Math.hypot(x, y, z)
    labels.data[i] = r < 9 ? 1 : r < 30 ? 3 : r < 33 ? 2 : r < 36 ? 1 : 0
    truth.data[i] = 600 * (1 + 0.1 * Math.sin(x / 14) + 0.1 * (y / 30) + 0.06 * (z / 30) ** 2)
  }
  const one = (name: LesionName): Mask => {
    const { at, radius } = lesionsAt[name]
    return maskWhere(labels, (label, i) => {
      const p = place(i)
      return label === 3 && Math.hypot(p[0] - at[0], p[1] - at[1], p[2] - at[2]) <= radius
    })
  }
  const lesions = emptyMask(grid)
  const t1 = emptyImage(grid)
  const tissue = [0, 0.25, 0.7, 1]
  for (let i = 0; i < t1.data.length; i++) t1.data[i] = truth.data[i] * tissue[labels.data[i]]
  for (const name of Object.keys(lesionsAt) as LesionName[])
    one(name).data.forEach((v, i) => {
      if (v === 0) return
      lesions.data[i] = 1
      t1.data[i] = truth.data[i] * lesionsAt[name].factor
    })
  for (let i = 0; i < t1.data.length; i++) t1.data[i] += (truth.data[i] * noise * smooth.data[i]) / spread
  const wm = emptyImage(grid)
  for (let i = 0; i < wm.data.length; i++) wm.data[i] = labels.data[i] === 3 && lesions.data[i] === 0 ? 1 : 0
  return { t1, truth, texture: noise, wm, lesions, one }
}
