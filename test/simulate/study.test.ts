import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { type SimulatedStudy, simulateStudy } from '../../src/simulate/study.js'
import { apply, compose, determinant, identity, invert, orientation, translation } from '../../src/volume/affine.js'
import { resample } from '../../src/volume/resample.js'
import { type Image, sameGrid, volumeMl } from '../../src/volume/volume.js'

// Coarse FLAIR voxels keep this quick; the T1 has its own grid always.
const options = { seed: 4, pixelMm: 1.6, sliceMm: 4, lesionMl: 10 }
let patient: SimulatedStudy
before(async () => {
  patient = await simulateStudy(options)
})

test('the same seed gives the same study, bit for bit', async () => {
  const again = await simulateStudy(options)
  assert.deepEqual(again.flair.data, patient.flair.data)
  assert.deepEqual(again.t1.data, patient.t1.data)
  assert.deepEqual(again.truth.data, patient.truth.data)
  assert.deepEqual(again.lesions, patient.lesions)
})

test('the load is the one asked for, in lesions of every site, and truth and labels agree', () => {
  const { truth, truthLabels, lesions, flair } = patient
  const total = lesions.reduce((sum, { volumeMm3 }) => sum + volumeMm3, 0) / 1000
  assert.ok(Math.abs(total / 10 - 1) < 0.15, `${total} ml`)
  // Small lesions lose voxels to partial volume in slices of 4 mm.
  assert.ok(volumeMl(truth) > 6.5 && volumeMl(truth) < 11, `${volumeMl(truth)} ml`)
  assert.ok(sameGrid(truth, flair) && sameGrid(truthLabels, flair))
  assert.equal(new Set(lesions.map(({ site }) => site)).size, 4)
  const ids = new Set(lesions.map(({ id }) => id))
  for (let i = 0; i < truth.data.length; i++) {
    assert.equal(truth.data[i] !== 0, truthLabels.data[i] !== 0)
    if (truth.data[i] !== 0 && !ids.has(truthLabels.data[i])) assert.fail(`label ${truthLabels.data[i]} is no lesion`)
  }
})

test('a lesion lies where its label lies', () => {
  const { truthLabels, lesions } = patient
  const [nx, ny] = truthLabels.dims
  for (const { id, centre, volumeMm3 } of lesions.slice(0, 5)) {
    let [n, x, y, z] = [0, 0, 0, 0]
    for (let i = 0; i < truthLabels.data.length; i++) {
      if (truthLabels.data[i] !== id) continue
      const p = apply(truthLabels.affine, [i % nx, Math.floor(i / nx) % ny, Math.floor(i / (nx * ny))])
      ;[n, x, y, z] = [n + 1, x + p[0], y + p[1], z + p[2]]
    }
    const away = Math.hypot(x / n - centre[0], y / n - centre[1], z / n - centre[2])
    assert.ok(away < 2.5, `lesion ${id} of ${volumeMm3} mm³: ${away} mm`)
  }
})

test('contrasts are ordered as in patients', async () => {
  const { flair, t1, truth, flairToT1 } = patient
  const t1OnFlair = await resample(t1, flair, { map: flairToT1 })
  const lesion = { flair: [] as number[], t1: [] as number[] }
  const head = { flair: [] as number[], t1: [] as number[] }
  for (let i = 0; i < truth.data.length; i++) {
    if (truth.data[i] !== 0) {
      lesion.flair.push(flair.data[i])
      lesion.t1.push(t1OnFlair.data[i])
    } else if (flair.data[i] > 300) {
      // Brain, mostly: air, bone and fluid are darker.
      head.flair.push(flair.data[i])
      head.t1.push(t1OnFlair.data[i])
    }
  }
  assert.ok(median(lesion.flair) > 1.3 * median(head.flair))
  assert.ok(median(lesion.t1) < 0.95 * median(head.t1))
  // Air at the corner of the field of view holds noise alone.
  assert.ok(median([...flair.data.subarray(0, 1000)]) < 0.1 * median(head.flair))
})

test('the T1 is another position, orientation and spacing of the same head, and the map brings it over', async () => {
  const { flair, t1, flairToT1 } = patient
  assert.equal(orientation(flair.affine), 'RAS')
  assert.equal(orientation(t1.affine), 'PIL')
  assert.ok(Math.abs(determinant(flairToT1) - 1) < 1e-9)
  const fit = async (map: typeof flairToT1) => agreement(flair, await resample(t1, flair, { map }))
  const right = await fit(flairToT1)
  assert.ok(right > (await fit(identity)) + 0.05)
  assert.ok(right > (await fit(invert(flairToT1))) + 0.05)
  for (const move of [translation([4, 0, 0]), translation([0, 4, 0]), translation([0, 0, 4])])
    assert.ok(right > (await fit(compose(flairToT1, move))))
})

test('no lesions where none are asked for, and options that describe no head are refused', async () => {
  const healthy = await simulateStudy({ seed: 1, lesionMl: 0, pixelMm: 3, sliceMm: 6 })
  assert.equal(volumeMl(healthy.truth), 0)
  assert.deepEqual(healthy.lesions, [])
  // Another seed is another head.
  assert.notDeepEqual(healthy.flairToT1, patient.flairToT1)
  for (const wrong of [{ lesionMl: -1 }, { lesionCount: 2.5 }, { noise: Number.NaN }, { sliceMm: 0 }, { pixelMm: 50 }])
    await assert.rejects(simulateStudy(wrong), RangeError)
})

const median = (values: number[]) => values.sort((a, b) => a - b)[values.length >> 1]

/** Correlation of where the two images show something at all: the outline of the head decides. */
function agreement(a: Image, b: Image): number {
  const shown = (image: Image) => Float64Array.from(image.data, (v) => (v > 100 ? 1 : 0))
  const [x, y] = [shown(a), shown(b)]
  const mean = (v: Float64Array) => v.reduce((sum, value) => sum + value, 0) / v.length
  const [mx, my] = [mean(x), mean(y)]
  let [xy, xx, yy] = [0, 0, 0]
  for (let i = 0; i < x.length; i++) {
    xy += (x[i] - mx) * (y[i] - my)
    xx += (x[i] - mx) ** 2
    yy += (y[i] - my) ** 2
  }
  return xy / Math.sqrt(xx * yy)
}
