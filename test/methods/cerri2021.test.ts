import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CosineBasis, unthinned } from '../../src/learn/cosine-basis.js'
import { fitTiedMixture } from '../../src/learn/tied-mixture.js'
import { structureLabels } from '../../src/methods/structures.js'
import { cerri2021 } from '../../src/methods/unsupervised/cerri2021.js'
import type { PreparedStudy } from '../../src/volume/study.js'
import { type Image, type Mask, maskWhere } from '../../src/volume/volume.js'
import { phantomLabels } from '../phantom.js'
import { judge, phantomStudy, runMethod } from '../phantom-study.js'

/** A bias field of 0.1; the atlas is the true labels, blurred. T1 and FLAIR, and with T2 and PD. */
const every = await phantomStudy({ bias: 0.1, contrasts: ['flair', 't1', 't2', 'pd'] })
const { flair, t1 } = every.images
const study: PreparedStudy = { ...every, images: { flair, t1 } }
const run = async (params: Record<string, unknown> = {}, of: PreparedStudy = study, seed = 1) =>
  await runMethod(cerri2021, of, params, { seed })
const usual = await run()
const overlap = (a: Mask, b: Mask) => {
  let [both, all] = [0, 0]
  for (let i = 0; i < a.data.length; i++) {
    both += a.data[i] * b.data[i]
    all += a.data[i] + b.data[i]
  }
  return (2 * both) / all
}
const near = (dice: number, expected: number) =>
  assert.ok(Math.abs(dice - expected) < 0.05, `Dice ${dice} is not ${expected} ± 0.05`)

test('finds every lesion of the phantom with its default parameters', () => {
  const { dice, shares } = judge(usual.mask)
  assert.ok(dice > 0.92, `Dice ${dice}`)
  for (const [name, share] of Object.entries(shares)) assert.ok(share > 0.85, `${name}: ${share}`)
  assert.ok(usual.figures!.lesionMean > usual.figures!.cortexMean)
})

// Without the shape model, as the reference figures are.
for (const [frequency, expected] of [
  [0.02, 0.93],
  [0.05, 0.9],
])
  test(`without a shape model and lesions in ${frequency} of white matter: Dice ${expected}`, async () => {
    near(judge((await run({ frequency, cohesion: 0 })).mask).dice, expected)
  })

for (const [frequency, expected] of [
  [0.02, 0.69],
  [0.05, 0.44],
])
  test(`without the sign of FLAIR as well: Dice ${expected} at ${frequency}`, async () => {
    near(judge((await run({ frequency, cohesion: 0, flairSign: 0 })).mask).dice, expected)
  })

// The method itself does not come to that: it expects fewer lesions at the borders of white matter than this.
test('lesions in 0.15 of all white matter: the lesion Gaussian shrinks onto white matter, in 0.05 it does not', () => {
  const voxels = Uint32Array.from(study.brain.data.keys()).filter(
    (at) => at % 3 === 0 && study.brain.data[at] !== 0 && flair!.data[at] > 0 && t1!.data[at] > 0,
  )
  const { csf, gm, wm } = study.atlas
  const structures = [csf, gm, wm].map(({ data }) => Float32Array.from(voxels, (at) => data[at] + 0.005))
  voxels.forEach((_, v) => {
    const sum = structures[0][v] + structures[1][v] + structures[2][v]
    for (const one of structures) one[v] /= sum
  })
  const channels = [flair!, t1!].map(({ data }) => Float32Array.from(voxels, (at) => Math.log(data[at])))
  const bias = { basis: new CosineBasis(study.grid, 50), thinning: unthinned(study.grid), places: voxels }
  const deviation = (frequency: number) => {
    const lesion = Float32Array.from(voxels, (at) => frequency * wm.data[at])
    const tie = { gaussians: [1, 1, 1], white: 2, strength: 500 / 24, inflation: 50, bias }
    return Math.sqrt(fitTiedMixture({ channels, structures, lesion }, tie).lesion.variance[1])
  }
  const [often, rare] = [deviation(0.15), deviation(0.05)]
  assert.ok(often < 0.08 && rare > 0.15, `${often}, ${rare}`)
})

test('contrasts upside down, with the sign turned, change little', async () => {
  const inverted = (image: Image): Image => {
    const most = image.data.reduce((a, b) => Math.max(a, b), 0)
    return { ...image, data: image.data.map((v) => most - v) }
  }
  const found = await run({ flairSign: -1 }, { ...study, images: { flair: inverted(flair!), t1: inverted(t1!) } })
  const change = judge(found.mask).dice - judge(usual.mask).dice
  assert.ok(Math.abs(change) < 0.05, `${change}`)
})

test('two seeds agree', async () => {
  const other = await run({}, study, 2)
  assert.ok(overlap(other.mask, usual.mask) > 0.95)
  assert.notDeepEqual(other.probability, usual.probability)
})

test('FLAIR is enough; T2 and PD are used', async () => {
  for (const images of [{ flair }, every.images]) {
    const found = await run({}, { ...every, images })
    assert.ok(judge(found.mask).dice > 0.92, `${Object.keys(images)}: ${judge(found.mask).dice}`)
  }
})

test('labels the structures', () => {
  const { mask } = usual
  const structures = usual.maps!.structures as Mask
  const { csf, gm, wm, ventricles, infratentorial, lesion } = structureLabels
  const labels = phantomLabels()
  const inside = (test: (label: number) => boolean) => maskWhere(structures, (v) => test(v))
  assert.deepEqual(inside((v) => v === lesion).data, mask.data)
  assert.ok(
    overlap(
      inside((v) => v === ventricles),
      study.atlas.ventricles,
    ) > 0.85,
  )
  const truth = (label: number) => maskWhere(labels, (v, i) => v === label && mask.data[i] === 0)
  const below = study.atlas.infratentorial
  assert.ok(
    overlap(
      inside((v) => v === csf || v === ventricles),
      truth(1),
    ) > 0.9,
  )
  const cerebral = (label: number) => maskWhere(truth(label), (v, i) => v !== 0 && below.data[i] === 0)
  assert.ok(
    overlap(
      inside((v) => v === gm),
      cerebral(2),
    ) > 0.9,
  )
  assert.ok(
    overlap(
      inside((v) => v === wm),
      cerebral(3),
    ) > 0.95,
  )
  const tissueBelow = maskWhere(labels, (v, i) => v >= 2 && below.data[i] !== 0 && mask.data[i] === 0)
  assert.ok(
    overlap(
      inside((v) => v === infratentorial),
      tissueBelow,
    ) > 0.9,
  )
  assert.ok(structures.data.every((v, i) => (v === 0) === (study.brain.data[i] === 0)))
})

test('a constant contrast is left out and said', async () => {
  const flat = { ...study.images.t1!, data: study.images.t1!.data.map(() => 7) }
  const found = await run({}, { ...study, images: { ...study.images, t1: flat } })
  assert.deepEqual(
    found.flags!.map(({ code }) => code),
    ['constant-t1'],
  )
  assert.ok(judge(found.mask).dice > 0.92)
})
