import { gaussianRandom, seededRandom } from '../../src/random.js'
import { compose, scaling, type Vec3 } from '../../src/volume/affine.js'
import { resample, resampleMask } from '../../src/volume/resample.js'
import type { Image, Mask } from '../../src/volume/volume.js'
import { phantomBrain, phantomGrid, phantomImage, rigidMap } from '../phantom.js'

/** The phantom's head with axes of its own (± `stretch`), turned and moved; T1, new noise of σ 6. */
export async function phantomHead(
  seed: number,
  { stretch, degrees = 0, mm = 0 }: { stretch: number; degrees?: number; mm?: number },
): Promise<{ image: Image; mask: Mask }> {
  const random = seededRandom(1000 + seed)
  const three = (most: number): Vec3 => [0, 0, 0].map(() => most * (2 * random() - 1)) as unknown as Vec3
  const sizes = three(stretch).map((v) => 1 + v) as unknown as Vec3
  const map = compose(rigidMap(three((degrees * Math.PI) / 180), three(mm)), scaling(sizes))
  const clean = await resample(phantomImage({ contrast: 't1', head: true, noise: 0 }), phantomGrid, { map })
  const normal = gaussianRandom(random)
  return {
    image: { ...clean, data: clean.data.map((v) => Math.hypot(v + 6 * normal(), 6 * normal())) },
    mask: await resampleMask(phantomBrain(), phantomGrid, { map, method: 'linear' }),
  }
}
