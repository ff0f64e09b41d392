import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { InputError } from '../../src/errors.js'
import { seededRandom } from '../../src/random.js'
import { labelAnatomy } from '../../src/simulate/anatomy.js'
import type { LesionBank } from '../../src/simulate/bank.js'
import { changeMap, drawCourse, drawOnsets } from '../../src/simulate/course.js'
import { ellipsoidBank, lesionLayers, placeLesions } from '../../src/simulate/label-lesions.js'
import { type PatientOptions, type SimulatedVisit, simulateVisits } from '../../src/simulate/patient.js'
import { tissueOfLabel } from '../../src/simulate/tissue-contrast.js'
import { apply, voxelSizes } from '../../src/volume/affine.js'
import { sameGrid, volumeMl } from '../../src/volume/volume.js'
import { ballOfLabels } from './labels.js'

const labels = ballOfLabels()
const anatomy = labelAnatomy(labels, tissueOfLabel, 'ball')
let bank: LesionBank
let visits: SimulatedVisit[]
const options: PatientOptions = {
  seed: 4,
  contrasts: ['flair', 't1'],
  visits: 3,
  lesionMl: 3,
  activity: { newLesions: 4, growing: 0.3, shrinking: 0.3, vanishing: 0.1 },
  atrophyMm: 0.4,
  aligned: true,
}
const simulate = async (more: Partial<PatientOptions> = {}) => {
  const out: SimulatedVisit[] = []
  for await (const visit of simulateVisits(anatomy, bank, { ...options, ...more })) out.push(visit)
  return out
}
before(async () => {
  bank = await ellipsoidBank(seededRandom(1), 20)
  visits = await simulate()
})

test('the same seed gives the same patient, another seed another', async () => {
  const [first] = await simulate({ visits: 1 })
  const [again] = await simulate({ visits: 1 })
  assert.deepEqual(first, again)
  assert.notDeepEqual((await simulate({ visits: 1, seed: 5 }))[0].truth.data, first.truth.data)
})

test('the truth is the volume asked for, on the images, and bright in FLAIR and dark in T1', () => {
  const [{ truth, scans, lesions, labels: numbers }] = visits
  assert.ok(volumeMl(truth) > 2.1 && volumeMl(truth) < 3.9, `${volumeMl(truth)} ml of 3`)
  assert.ok(sameGrid(truth, labels) && scans.every(({ image }) => sameGrid(image, truth)))
  assert.equal(
    lesions.reduce((sum, { voxels }) => sum + voxels, 0),
    truth.data.reduce((sum, v) => sum + v, 0),
  )
  const mean = (image: Float32Array, test: (i: number) => boolean) => {
    let [sum, n] = [0, 0]
    for (let i = 0; i < image.length; i++) if (test(i)) [sum, n] = [sum + image[i], n + 1]
    return sum / n
  }
  for (const [n, ratio] of [
    [0, 1.25],
    [1, 0.97],
  ]) {
    const { data } = scans[n].image
    const lesion = mean(data, (i) => truth.data[i] !== 0)
    const white = mean(data, (i) => truth.data[i] === 0 && labels.data[i] === 3)
    assert.ok(n === 0 ? lesion > ratio * white : lesion < ratio * white, `${scans[n].contrast} ${lesion / white}`)
  }
  for (let i = 0; i < numbers.data.length; i++) assert.equal(numbers.data[i] !== 0, truth.data[i] !== 0)
})

test('a lesion lies where the table says', () => {
  const [{ lesions, labels: numbers }] = visits
  const largest = lesions.reduce((most, one) => (one.voxels > most.voxels ? one : most))
  const [nx, ny] = numbers.dims
  let nearest = Infinity
  for (let i = 0; i < numbers.data.length; i++)
    if (numbers.data[i] === largest.id) {
      const p = apply(numbers.affine, [i % nx, Math.floor(i / nx) % ny, Math.floor(i / (nx * ny))])
      nearest = Math.min(nearest, Math.hypot(...p.map((mm, axis) => mm - largest.centre[axis])))
    }
  assert.ok(nearest < 2, `${nearest} mm`)
})

test('change adds up: new and grown voxels are lesion now, shrunk and vanished ones are not', () => {
  assert.equal(visits[0].change, undefined)
  const seen = new Set<number>()
  for (const { change, truth, lesions } of visits.slice(1)) {
    for (let i = 0; i < truth.data.length; i++) {
      const kind = change!.data[i]
      seen.add(kind)
      if (kind === 1 || kind === 2) assert.equal(truth.data[i], 1)
      if (kind === 3 || kind === 4) assert.equal(truth.data[i], 0)
    }
    assert.ok(lesions.some((one) => one.change === 'stable'))
  }
  for (const kind of [1, 2, 3]) assert.ok(seen.has(kind), `no change of kind ${kind}`)
  const fresh = visits[1].lesions.filter((one) => one.change === 'new').map(({ id }) => id)
  const old = new Set(visits[0].lesions.map(({ id }) => id))
  assert.ok(fresh.length > 0 && fresh.every((id) => !old.has(id)))
  const kinds = changeMap([1, 1, 2, 0, 0, 0], [1, 0, 0, 1, 3, 0])
  assert.deepEqual([...kinds], [0, 3, 4, 2, 1, 0])
})

test('a brain that shrinks loses tissue from visit to visit, one that does not keeps it', async () => {
  const [a, b, c] = visits.map(({ parenchymaMl }) => parenchymaMl)
  assert.ok(a > b && b > c, `${a}, ${b}, ${c} ml`)
  const still = await simulate({ atrophyMm: 0, visits: 2, contrasts: ['t1'] })
  assert.equal(still[0].parenchymaMl, still[1].parenchymaMl)
})

test('thick slices have their size, and repositioned visits their map', async () => {
  const [, second] = await simulate({ visits: 2, contrasts: ['flair'], sliceMm: 4, pixelMm: 1.5, aligned: false })
  assert.deepEqual(
    voxelSizes(second.truth.affine).map((mm) => Number(mm.toFixed(6))),
    [1.5, 1.5, 4],
  )
  const corner = apply(second.fromFirst, [0, 0, 0])
  assert.ok(Math.hypot(...corner) > 0.5 && Math.hypot(...corner) < 15)
})

test('lesions keep to white matter, and their layers stay within 0 and 1', () => {
  const placed = placeLesions(anatomy.lesions, bank, { count: 12 }, seededRandom(8))
  const { layers, owners } = lesionLayers(anatomy.lesions, anatomy.lesions.room, placed)
  assert.equal(placed.length, 12)
  for (let i = 0; i < owners.length; i++) {
    if (layers.fraction[i] > 0) assert.ok(labels.data[i] === 3 && owners[i] > 0)
    assert.ok(layers.fraction[i] <= 1 && layers.core[i] <= 1 && layers.dirty[i] <= 1)
  }
})

test('courses begin where they should, and as many lesions appear as asked for', () => {
  const random = seededRandom(3)
  assert.deepEqual(drawCourse(3, 1, { growing: 0, shrinking: 0, vanishing: 0 }, random), [undefined, 0, 0])
  const [, second] = drawCourse(2, 0, { growing: 1, shrinking: 0, vanishing: 0 }, random)
  assert.ok(second! >= 0.5 && second! <= 1.2)
  assert.deepEqual(drawCourse(3, 0, { growing: 0, shrinking: 0, vanishing: 1 }, random), [0, undefined, undefined])
  const onsets = Array.from({ length: 500 }, () => drawOnsets(3, { newLesions: 2 }, random).length)
  const mean = onsets.reduce((sum, n) => sum + n / 500, 0)
  assert.ok(Math.abs(mean - 4) < 0.4, `${mean}`)
})

test('a map without white matter is refused by its name', () => {
  const empty = { ...labels, data: new Uint8Array(labels.data.length) }
  assert.throws(
    () => labelAnatomy(empty, tissueOfLabel, 'map.nii'),
    (error) => {
      assert.ok(error instanceof InputError)
      assert.match(error.message, /map\.nii: has 0 voxels of white matter/)
      return true
    },
  )
})
