import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { type Coefficients, covariates, fit, predict, schmidt2017 } from '../../src/methods/unsupervised/schmidt2017.js'
import { gaussianRandom, seededRandom } from '../../src/random.js'
import type { PreparedStudy } from '../../src/volume/study.js'
import { emptyMask, type Image } from '../../src/volume/volume.js'
import { phantomLesionMask } from '../phantom.js'
import { judge, phantomStudy, runMethod } from '../phantom-study.js'

const folder = mkdtempSync(join(tmpdir(), 'schmidt2017-'))
after(() => rmSync(folder, { recursive: true }))

/** A folder with a model of these coefficients. */
function modelOf(coefficients: Coefficients, method = 'schmidt2017'): string {
  const header = { format: 'lesionwise-statistical-model', formatVersion: 1, method, describe: 'made up' }
  const training = { data: 'none', licence: 'none', split: 'all', scans: 0, version: '0' }
  writeFileSync(join(folder, 'model.json'), JSON.stringify({ ...header, training, ...coefficients }))
  return folder
}
/** Without a place effect, as on PH-1 lesions are as likely in all of the white matter. */
const placeless: Coefficients = { intercept: -4, belief: 6, place: 0 }
const study = await phantomStudy({ contrasts: ['flair'] })

test('PH-1 without a place effect: Dice of 0.8 and more, lesions beside the ventricles among them', async () => {
  const { mask, probability } = await runMethod(schmidt2017, study, { model: modelOf(placeless) })
  const { dice, shares } = judge(mask)
  assert.ok(dice >= 0.93, `Dice ${dice}`)
  for (const name of ['PV1', 'PV2', 'SC1', 'SC2', 'SC3', 'BH1'] as const)
    assert.ok(shares[name] > 0.6, `${name} ${shares[name]}`)
  assert.ok(probability!.data.every((p, i) => p === 0 || study.brain.data[i] !== 0))
})

test('the model of the package finds the lesions of the white matter of PH-1 too', async () => {
  const { dice, shares } = judge((await runMethod(schmidt2017, study)).mask)
  assert.ok(dice >= 0.8, `Dice ${dice}`)
  assert.ok(shares.SC1 > 0.8 && shares.BH1 > 0.8)
})

test('a lesion near the outer fluid goes by the margin, and stays without it', async () => {
  const model = modelOf(placeless)
  // JC1 lies 4 to 12 mm below the outer fluid: 4 mm leave it, 12 mm take all of it.
  const share = async (outerMargin: number) =>
    judge((await runMethod(schmidt2017, study, { model, outerMargin })).mask).shares.JC1
  const [none, wide] = [await share(0), await share(12)]
  assert.ok(none > 0.3, `${none}`)
  assert.equal(wide, 0)
})

test('the brighter, the likelier', async () => {
  const found = (await covariates(study))!
  const probability = predict(found, placeless)
  const at = indexOf(34, -20, 20)
  const belief = [0, 0.3, 0.6, 0.9, 1.2].map((value) => {
    const changed: Image = { ...found.belief, data: found.belief.data.slice() }
    changed.data[at] = value
    return predict({ ...found, belief: changed }, placeless).data[at]
  })
  assert.deepEqual(
    belief,
    [...belief].sort((a, b) => a - b),
  )
  assert.equal(belief[0], 0)
  assert.ok(belief[4] > 0.9 && probability.data[at] > 0.9)
})

test('the scale of FLAIR and an offset do not matter', async () => {
  const model = modelOf(placeless)
  const changed = (map: (value: number) => number): PreparedStudy => {
    const flair = study.images.flair!
    return { ...study, images: { flair: { ...flair, data: flair.data.map(map) } } }
  }
  const plain = await runMethod(schmidt2017, study, { model })
  const scaled = await runMethod(
    schmidt2017,
    changed((v) => 8 * v),
    { model },
  )
  assert.deepEqual(scaled.probability!.data, plain.probability!.data)
  const shifted = await runMethod(
    schmidt2017,
    changed((v) => 0.03 * v - 1.5),
    { model },
  )
  const apart = shifted.mask.data.filter((v, i) => v !== plain.mask.data[i]).length
  assert.ok(apart <= 2, `${apart} voxels differ`)
})

test('a fit recovers the coefficients that labels were drawn with, within 5 %', async () => {
  const truth: Coefficients = { intercept: -5, belief: 6, place: 0.8 }
  const random = seededRandom(3)
  const normal = gaussianRandom(random)
  // A place effect that varies over the phantom, and labels drawn from the probabilities.
  const one = await phantomStudy({ contrasts: ['flair'], noise: 25 })
  one.atlas.lesionPrior.data.forEach((_, i, all) => {
    all[i] = 1 / (1 + Math.exp(-normal()))
  })
  const { belief, place, candidates } = (await covariates(one))!
  const labels = emptyMask(one.brain)
  for (let i = 0; i < labels.data.length; i++) {
    const logOdds = truth.intercept + truth.belief * belief.data[i] + truth.place * place.data[i]
    if (candidates.data[i] !== 0 && random() < 1 / (1 + Math.exp(-logOdds))) labels.data[i] = 1
  }
  const found = await fit([{ study: one, truth: labels }], { draws: 60_000 })
  for (const key of ['intercept', 'belief', 'place'] as const)
    assert.ok(Math.abs(found[key] / truth[key] - 1) < 0.05, `${key} ${found[key]}`)
})

test('coefficients fitted to one phantom find the lesions of another', async () => {
  const cases = [{ study: await phantomStudy({ contrasts: ['flair'], seed: 5 }), truth: phantomLesionMask() }]
  const { dice } = judge((await runMethod(schmidt2017, study, { model: modelOf(await fit(cases)) })).mask)
  assert.ok(dice >= 0.8, `Dice ${dice}`)
})

test("a folder without a model, or with another method's, is refused by name", async () => {
  await assert.rejects(runMethod(schmidt2017, study, { model: join(folder, 'none') }), { name: 'InputError' })
  const other = modelOf(placeless, 'other2000')
  await assert.rejects(runMethod(schmidt2017, study, { model: other }), /is a model of other2000/)
})

function indexOf(x: number, y: number, z: number): number {
  const [nx, ny] = study.grid.dims
  return Math.round((x + 79) / 2) + nx * (Math.round((y + 95) / 2) + ny * Math.round((z + 79) / 2))
}
