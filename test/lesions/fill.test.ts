import assert from 'node:assert/strict'
import { test } from 'node:test'
import { applyFilling, fillLesions, growThin } from '../../src/lesions/fill.js'
import { fillableRim, whiteMatterSources } from '../../src/lesions/fill-source.js'
import type { AtlasMaps } from '../../src/volume/study.js'
import { countVoxels, emptyImage, emptyMask, type Image, type Mask, maskWhere } from '../../src/volume/volume.js'
import { fillPhantom, type LesionName } from './fill-phantom.js'

const phantom = await fillPhantom()
const sources = whiteMatterSources(phantom.wm)
const rim = maskWhere(phantom.wm, (v) => v >= 0.5)
const filling = await fillLesions(phantom.t1, phantom.lesions, sources, { rim })
const filled = applyFilling(phantom.t1, filling)

const meanIn = ({ data }: Image, mask: Mask) => {
  let [sum, n] = [0, 0]
  for (let i = 0; i < data.length; i++)
    if (mask.data[i] !== 0) {
      sum += data[i]
      n++
    }
  return sum / n
}

test('the mean of every lesion becomes that of the white matter that would be there, dark or bright, deep or at a border', () => {
  for (const name of ['deep', 'small', 'ventricle', 'cortex', 'bright'] as LesionName[]) {
    const lesion = phantom.one(name)
    const ratio = meanIn(filled, lesion) / meanIn(phantom.truth, lesion)
    // The small one has but 57 voxels of correlated noise of 3 %.
    assert.ok(Math.abs(ratio - 1) < (name === 'small' ? 0.015 : 0.01), `${name}: ${ratio}`)
    const before = meanIn(phantom.t1, lesion) / meanIn(phantom.truth, lesion)
    assert.ok(Math.abs(before - 1) > 0.2, `${name} was no lesion`)
  }
})

test('without noise the field itself is met within 1.2 % in every voxel, 0.4 % on average', async () => {
  const plain = await fillPhantom({ noise: 0.0001 })
  const { voxels, values } = await fillLesions(plain.t1, plain.lesions, whiteMatterSources(plain.wm), { rim })
  voxels.forEach((at, n) => {
    assert.ok(Math.abs(values[n] / plain.truth.data[at] - 1) < 0.012, `${values[n]} for ${plain.truth.data[at]}`)
  })
  const error = voxels.reduce((sum, at, n) => sum + Math.abs(values[n] / plain.truth.data[at] - 1), 0) / voxels.length
  assert.ok(error < 0.004, `mean error ${error}`)
})

test('the texture has the standard deviation and the neighbour correlation of the white matter', () => {
  const relative = emptyImage(phantom.t1)
  for (let i = 0; i < relative.data.length; i++) relative.data[i] = filled.data[i] / phantom.truth.data[i] - 1
  const figures = (mask: Mask) => {
    const mean = meanIn(relative, mask)
    let [squares, products, n, pairs] = [0, 0, 0, 0]
    for (let i = 0; i < mask.data.length - 1; i++) {
      if (mask.data[i] === 0) continue
      squares += (relative.data[i] - mean) ** 2
      n++
      if (mask.data[i + 1] === 0) continue
      products += (relative.data[i] - mean) * (relative.data[i + 1] - mean)
      pairs++
    }
    return { sd: Math.sqrt(squares / n), correlation: products / pairs / (squares / n) }
  }
  const [inside, around] = [figures(phantom.lesions), figures(sources)]
  assert.ok(Math.abs(inside.sd / phantom.texture - 1) < 0.15, `sd ${inside.sd}`)
  assert.ok(Math.abs(inside.correlation - around.correlation) < 0.12, `${inside.correlation}, ${around.correlation}`)
  for (const name of ['deep', 'bright'] as LesionName[]) {
    const { sd } = figures(phantom.one(name))
    assert.ok(Math.abs(sd / phantom.texture - 1) < 0.15, `${name}: ${sd}`)
  }
  assert.ok(Math.abs(filling.figures.sdFilled / filling.figures.sdAround - 1) < 0.15)
})

test('only lesions and their rim in white matter change; the rim can be left out', async () => {
  for (let i = 0; i < filled.data.length; i++) {
    if (phantom.lesions.data[i] !== 0 || (filling.mask.data[i] !== 0 && phantom.wm.data[i] === 1)) continue
    assert.equal(filled.data[i], phantom.t1.data[i])
  }
  assert.equal(filling.figures.filledVoxels, countVoxels(filling.mask))
  assert.ok(filling.figures.rimVoxels > 0)
  const exact = await fillLesions(phantom.t1, phantom.lesions, sources, { grow: 0 })
  assert.deepEqual(exact.mask.data, phantom.lesions.data)
  assert.equal(exact.figures.rimVoxels, 0)
})

test('the seed decides the texture, and nothing else does', async () => {
  const run = async (seed: number) => (await fillLesions(phantom.t1, phantom.lesions, sources, { rim, seed })).values
  assert.deepEqual(await run(1), filling.values)
  assert.notDeepEqual(await run(2), filling.values)
})

test('a lesion that takes nearly all of the white matter is filled from what is far away, without NaN', async () => {
  const left = maskWhere(phantom.wm, (v, i) => v === 1 && i % 80 < 14)
  const all = maskWhere(phantom.wm, (v, i) => v === 1 && i % 80 >= 20)
  const { values, figures } = await fillLesions(phantom.t1, all, left, { grow: 0 })
  assert.ok(values.every((v) => v > 300 && v < 900))
  assert.ok(figures.widenedVoxels > 0)
  const few = emptyMask(phantom.t1)
  few.data[left.data.indexOf(1)] = 1
  const flat = await fillLesions(phantom.t1, all, few, { grow: 0 })
  assert.ok(flat.values.every(Number.isFinite))
})

test('no lesion changes nothing; no white matter, or another grid, is refused', async () => {
  const empty = emptyMask(phantom.t1)
  const none = await fillLesions(phantom.t1, empty, sources)
  assert.equal(none.voxels.length, 0)
  assert.deepEqual(applyFilling(phantom.t1, none).data, phantom.t1.data)
  await assert.rejects(fillLesions(phantom.t1, phantom.lesions, empty), /no white matter/)
  await assert.rejects(fillLesions(phantom.t1, { ...empty, dims: [84, 80, 76] }, sources), /share one grid/)
})

test('lesions do not grow across thick slices', () => {
  const mask = emptyMask({ dims: [5, 5, 5], affine: [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 6, 0, 0, 0, 0, 1] })
  mask.data[2 + 5 * (2 + 5 * 2)] = 1
  assert.equal(countVoxels(growThin(mask, 1)), 5)
  assert.equal(countVoxels(growThin({ ...mask, affine: [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1] }, 1)), 7)
})

test('a rim is filled in white matter and where dark lesion looks grey in it, not in cortex or fluid', () => {
  const grid = { dims: [4, 1, 1] as const, affine: [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1] }
  const image = (...values: number[]): Image => ({ ...grid, data: Float32Array.from(values) })
  const tissue = { csf: image(0, 0, 0, 0.9), gm: image(0.1, 0.9, 0.9, 0.1), wm: image(0.9, 0.1, 0.1, 0) }
  const atlas = { wm: image(1, 1, 0.1, 1) } as unknown as AtlasMaps
  assert.deepEqual([...fillableRim(tissue, atlas).data], [1, 1, 0, 0])
})
