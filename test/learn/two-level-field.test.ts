import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  classes,
  fitTwoLevels,
  lesionClass,
  marginal,
  type TwoLevelModel,
  twoLevelNumbers,
  voxelEvidence,
  voxelInputs,
} from '../../src/learn/two-level-field.js'
import type { PreparedStudy } from '../../src/volume/study.js'
import { lesionVariant, phantomSlab } from '../methods/lesion-variants.js'

const { study, truth } = await lesionVariant(await phantomSlab(), { seed: 1 })
const inputs = voxelInputs(study, ['flair', 't1'])!

test('intensities do not depend on the scanner: white matter is 0, grey matter is −1 in T1', () => {
  const scaled: PreparedStudy = {
    ...study,
    images: Object.fromEntries(
      Object.entries(study.images).map(([name, image]) => [name, { ...image, data: image.data.map((v) => 7 * v) }]),
    ),
  }
  const other = voxelInputs(scaled, ['flair', 't1'])!
  inputs.channels.forEach((values, c) => values.forEach((v, i) => assert.ok(Math.abs(v - other.channels[c][i]) < 1e-4)))
  const middle = (c: number, tissue: 'gm' | 'wm') => {
    const some = inputs.channels[c].filter((_, v) => study.tissue[tissue].data[inputs.lattice.voxels[v]] > 0.5).sort()
    return some[some.length >> 1]
  }
  for (const c of [0, 1]) assert.ok(Math.abs(middle(c, 'wm')) < 0.03, `${middle(c, 'wm')}`)
  // 95 to 75 in FLAIR, less at blurred borders.
  assert.ok(Math.abs(middle(0, 'gm') - 0.24) < 0.05, `${middle(0, 'gm')}`)
  assert.ok(Math.abs(middle(1, 'gm') + 1) < 0.1, `${middle(1, 'gm')}`)
})

test('images that do not tell tissues apart, or no white matter: no inputs', () => {
  const flat = { ...study.images.flair!, data: study.images.flair!.data.map(() => 80) }
  assert.equal(voxelInputs({ ...study, images: { flair: flat } }, ['flair']), undefined)
  const wm = { ...study.tissue.wm, data: study.tissue.wm.data.map(() => 0) }
  assert.equal(voxelInputs({ ...study, tissue: { ...study.tissue, wm } }, ['flair']), undefined)
})

test('evidence is the log of prior times density; a missing channel is left out of the Gaussians', () => {
  const part = (mean: number[]) => [{ weight: 1, mean, covariance: [0.04, 0.01, 0.01, 0.09] }]
  const model = {
    channels: ['flair', 't1'],
    densities: [part([-0.7, -2]), part([0.2, -1]), part([0, 0]), part([0.8, -0.6])],
    place: { mean: [-3, 0.5, 0.2], deviation: [1, 0.5, 0.3], weights: [-4, 0.8, 0.3, -0.2] },
  } as Pick<TwoLevelModel, 'densities' | 'place'> as TwoLevelModel
  const alone = voxelInputs({ ...study, images: { flair: study.images.flair! } }, ['flair', 't1'])!
  assert.deepEqual(alone.kept, [0])
  const evidence = voxelEvidence(alone, model)
  for (const v of [1000, 20000, 40000]) {
    const [csf, gm, wm, often] = alone.place.map((map) => map[v])
    const odds = -4 + 0.8 * (Math.log(often + 0.01) + 3) + (0.3 * (wm - 0.5)) / 0.5 - (0.2 * (csf - 0.2)) / 0.3
    const lesion = 1 / (1 + Math.exp(-odds))
    const total = csf + gm + wm + 0.06
    ;[csf, gm, wm, lesion].forEach((p, c) => {
      const prior = c === lesionClass ? lesion : ((1 - lesion) * (p + 0.02)) / total
      const y = alone.channels[0][v] - [-0.7, 0.2, 0, 0.8][c]
      const density = 0.99 * (Math.exp((-0.5 * y * y) / 0.04) / Math.sqrt(2 * Math.PI * 0.04)) + 0.01 / 6
      assert.ok(Math.abs(evidence[classes * v + c] - Math.log(prior * density)) < 1e-3)
    })
  }
})

test('what is fitted holds after storage, is small, and has the classes where they are', async () => {
  const model = await fitTwoLevels([{ study, truth }])
  const text = JSON.stringify(model)
  assert.ok(text.length < 60_000, `${text.length} characters`)
  assert.deepEqual(twoLevelNumbers.parse(JSON.parse(text)), model)
  const centre = model.densities.map((parts) => parts.reduce((sum, { weight, mean }) => sum + weight * mean[0], 0))
  // Fluid is dark, grey matter a little bright, lesions at 150 / 75 less their blurred rims.
  assert.ok(centre[0] < -0.4 && Math.abs(centre[1] - 0.2) < 0.1 && Math.abs(centre[2]) < 0.05, `${centre}`)
  assert.ok(centre[3] > 0.6 && centre[3] < 1, `${centre}`)
  await assert.rejects(fitTwoLevels([]), { name: 'RangeError' })
})

test('a marginal keeps its rows and columns', () => {
  const shape = { mean: [1, 2, 3], covariance: [11, 12, 13, 12, 22, 23, 13, 23, 33] }
  assert.deepEqual(marginal(shape, [0, 2]), { mean: [1, 3], covariance: [11, 13, 13, 33] })
})
