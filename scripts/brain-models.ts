// Makes assets/brain: what BEaST and ROBEX know of heads, from simulated heads of known truth (npm run brain-models).
import { mkdirSync, writeFileSync } from 'node:fs'
import { gzip } from '../src/platform/index.js'
import { loadAtlas } from '../src/preprocess/atlas.js'
import { headFrame, inFrame } from '../src/preprocess/brain/frame.js'
import { type BrainContrast, libraryToBytes, robexToBytes } from '../src/preprocess/brain/models.js'
import { trainRobex } from '../src/preprocess/brain/robex-train.js'
import { seededRandom } from '../src/random.js'
import { simulateStudy } from '../src/simulate/study.js'
import { type Affine, compose, invert, scaling, translation, type Vec3 } from '../src/volume/affine.js'
import { resampleMask } from '../src/volume/resample.js'
import type { Image, Mask } from '../src/volume/volume.js'

// Seeds from 900 up are for training; benches and tests use others.
const firstSeed = 900
const learnt = 10
const voting = 3

const atlas = await loadAtlas()
const heads: Record<BrainContrast, { image: Image; mask: Mask }[]> = { t1: [], flair: [] }
for (let n = 0; n < learnt; n++) {
  const study = await simulateStudy({ seed: firstSeed + n, sliceMm: [1, 3, 2][n % 3], pixelMm: 1 })
  // the places that registrations find are a little off
  const random = seededRandom(n)
  const three = (most: number): Vec3 => [0, 0, 0].map(() => most * (2 * random() - 1)) as unknown as Vec3
  const off = n < voting ? 0 : 1
  const sizes = three(0.03 * off).map((v) => 1 + v) as unknown as Vec3
  const toAtlas = compose(translation(three(2 * off)), scaling(sizes), study.toAtlas)
  const t1ToAtlas: Affine = compose(toAtlas, invert(study.flairToT1))
  const mask = await resampleMask(study.brain, headFrame, { map: invert(toAtlas), method: 'linear' })
  heads.flair.push({ image: await inFrame(study.flair, atlas.brain, toAtlas), mask })
  heads.t1.push({ image: await inFrame(study.t1, atlas.brain, t1ToAtlas), mask })
  console.log(`head ${n + 1} of ${learnt}`)
}
mkdirSync('assets/brain', { recursive: true })
for (const contrast of ['t1', 'flair'] as const) {
  const write = async (name: string, bytes: Uint8Array) => {
    const packed = await gzip(bytes)
    writeFileSync(`assets/brain/${name}-${contrast}.gz`, packed)
    console.log(`${name}-${contrast}: ${packed.length} bytes`)
  }
  await write('beast', libraryToBytes(heads[contrast].slice(0, voting)))
  const forest = { trees: 16, depth: 10, share: 0.2, leaf: 10, seed: 1, modes: 8 }
  await write('robex', robexToBytes(await trainRobex(heads[contrast], forest)))
}
process.exit(0)
