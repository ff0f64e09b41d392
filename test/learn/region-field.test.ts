import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cutRegions, describeRegions, type Region } from '../../src/learn/region-field.js'
import { fitRegionModel, type JudgedRegion, regionField } from '../../src/learn/region-model.js'
import { gaussianRandom, seededRandom } from '../../src/random.js'
import { gaussian } from '../../src/volume/filter.js'
import { emptyImage, type Grid, type Image, maskWhere } from '../../src/volume/volume.js'

const grid: Grid = { dims: [30, 20, 20], affine: [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1] }
const place = (at: number) => [at % 30, Math.floor(at / 30) % 20, Math.floor(at / 600)]
const paint = (value: (x: number, y: number, z: number) => number): Image => {
  const image = emptyImage(grid)
  image.data.forEach((_, at) => {
    const [x, y, z] = place(at)
    image.data[at] = value(x, y, z)
  })
  return image
}

test('two peaks are two regions where the saddle between them is deep enough', () => {
  // Ridges of height 3 and 2 with 1 between them.
  const height = paint((x, y, z) =>
    y === 10 && z === 10 && x > 4 && x < 20 ? [3, 2, 1][x < 10 ? 0 : x > 14 ? 1 : 2] : 0,
  )
  const mask = maskWhere(height, (v) => v > 0)
  for (const [depth, count] of [
    [0.5, 2],
    [1, 1],
    [Number.POSITIVE_INFINITY, 1],
  ]) {
    const regions = cutRegions(mask, height, depth)
    assert.equal(regions.count, count)
    assert.equal(regions.labels.data.filter((label) => label > 0).length, 15)
  }
  const { labels } = cutRegions(mask, height, 0.5)
  const at = (x: number) => labels.data[x + 30 * (10 + 20 * 10)]
  assert.notEqual(at(6), at(18))
  assert.equal(at(5), at(9))
  assert.equal(
    cutRegions(
      maskWhere(height, () => false),
      height,
      0.5,
    ).count,
    0,
  )
})

test('a blob has gradients inwards, a rod across; figures and surroundings are those of its voxels', async () => {
  const blobIn = (x: number, y: number, z: number) => Math.hypot(x - 7, y - 10, z - 10) <= 3
  const rodIn = (x: number, y: number, z: number) => x >= 15 && x < 27 && y === 10 && z === 10
  const sharp = paint((x, y, z) => (blobIn(x, y, z) || rodIn(x, y, z) ? 1 : 0))
  const mask = maskWhere(sharp, (v) => v > 0)
  const classOf = Uint8Array.from(sharp.data, (_, at) => (place(at)[1] < 10 ? 0 : 1))
  const smooth = await gaussian(sharp, 0.7)
  const second = paint((x) => x)
  const [blob, rod] = describeRegions(cutRegions(mask, sharp, 0.5), [smooth, second], classOf, 2).sort(
    (a, b) => a.intensity[4] - b.intensity[4],
  )
  assert.ok(blob.texture[0] > 0.9, `${blob.texture}`)
  assert.ok(rod.texture[0] < 0.5, `${rod.texture}`)
  assert.deepEqual(rod.intensity.slice(3), [18, 20.5, 24])
  assert.deepEqual(rod.adjacent, [])
  // The shell of the rod: 14 × 9 − 12 voxels, 14 × 3 of them at y = 9.
  near(rod.around[0], (14 * 3) / 114, 1e-9)
  near(blob.around[0] + blob.around[1], 1, 1e-9)
})

test('regions that touch know each other', () => {
  const height = paint((x, y, z) => (y === 10 && z === 10 && x > 4 && x < 16 ? Math.abs(x - 10) : 0))
  const mask = maskWhere(
    paint((x, y, z) => (y === 10 && z === 10 && x > 4 && x < 16 ? 1 : 0)),
    (v) => v > 0,
  )
  const regions = describeRegions(cutRegions(mask, height, 1), [height], new Uint8Array(12000), 1)
  assert.deepEqual(
    regions.map(({ adjacent }) => adjacent),
    [[1], [0]],
  )
})

test('the field tells two kinds of regions apart, by each of the three factors', () => {
  const normal = gaussianRandom(seededRandom(3))
  const kind = (lesion: 0 | 1, by: 'intensity' | 'texture' | 'around'): JudgedRegion => {
    const shift = (factor: string) => (by === factor ? lesion : 0.5)
    const around = 0.3 + 0.4 * shift('around') + 0.03 * normal()
    return {
      lesion,
      intensity: [0, 0.1, 0.2].map((v) => v + 0.6 * shift('intensity') + 0.1 * normal()),
      texture: [0.5, 0.2, 0.1].map((v) => v + 0.3 * shift('texture') + 0.05 * normal()),
      around: [around, 1 - around],
      adjacent: [],
    }
  }
  for (const by of ['intensity', 'texture', 'around'] as const) {
    const make = () => Array.from({ length: 60 }, (_, i) => kind(i % 3 === 0 ? 1 : 0, by))
    const model = fitRegionModel([make(), make()])!
    const fresh = make()
    const p = regionField(fresh, model)
    const right = fresh.filter(({ lesion }, r) => p[r] > 0.5 === (lesion === 1)).length
    assert.ok(right >= 55, `${by}: ${right} of 60`)
  }
  assert.equal(fitRegionModel([Array.from({ length: 20 }, () => kind(0, 'texture'))]), undefined)
})

test('a region in doubt goes with its neighbours', () => {
  const normal = gaussianRandom(seededRandom(4))
  const region = (level: number, adjacent: number[]): Region => ({
    intensity: [level + 0.3 * normal()],
    texture: [0.5],
    around: [1],
    adjacent,
  })
  // Pairs of one kind.
  const images = Array.from({ length: 40 }, (_, i): JudgedRegion[] => {
    const lesion = (i & 1) as 0 | 1
    return [0, 1].map((r) => ({ ...region(lesion, [1 - r]), lesion }))
  })
  const model = fitRegionModel(images)!
  assert.ok(model.adjacent[0] < 0.1 && model.adjacent[1] > 0.9)
  const doubt = { ...region(0, [1]), intensity: [0.5] }
  const [alone] = regionField([{ ...doubt, adjacent: [] }], model)
  const [withLesion] = regionField([doubt, { ...region(0, [0]), intensity: [1.3] }], model)
  const [withOther] = regionField([doubt, { ...region(0, [0]), intensity: [-0.3] }], model)
  assert.ok(withOther < alone - 0.2 && withLesion > alone + 0.2, `${withOther} ${alone} ${withLesion}`)
})

function near(actual: number, wanted: number, tolerance: number): void {
  assert.ok(Math.abs(actual - wanted) <= tolerance, `${actual} is not ${wanted}`)
}
