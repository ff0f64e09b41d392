import assert from 'node:assert/strict'
import { test } from 'node:test'
import { weiss2013 } from '../../src/methods/unsupervised/weiss2013.js'
import { erode } from '../../src/volume/morphology.js'
import type { PreparedStudy } from '../../src/volume/study.js'
import { countVoxels, type Image } from '../../src/volume/volume.js'
import { phantomLesionMask } from '../phantom.js'
import { judge, phantomStudy, runMethod } from '../phantom-study.js'

/** Area under the ROC curve of the error for lesion voxels, in the brain without two voxels of its edge. */
async function errorAuc(study: PreparedStudy, params: Record<string, unknown>): Promise<number> {
  let error: Image | undefined
  await runMethod(weiss2013, study, params, {
    show: (_, map) => {
      error = map as Image
    },
  })
  const inside = await erode(study.brain, 4)
  const truth = phantomLesionMask()
  const order = [...inside.data.keys()].filter((i) => inside.data[i] !== 0)
  order.sort((a, b) => error!.data[a] - error!.data[b])
  let [ranks, lesion] = [0, 0]
  order.forEach((at, rank) => {
    if (truth.data[at] === 0) return
    ranks += rank + 1
    lesion++
  })
  return (ranks - (lesion * (lesion + 1)) / 2) / (lesion * (order.length - lesion))
}

test('the error of FLAIR patches tells lesions from the rest, better with few atoms than with many', async () => {
  const study = await phantomStudy({ contrasts: ['flair'] })
  const usual = await errorAuc(study, {})
  assert.ok(usual >= 0.99, `AUC ${usual}`)
  // Without the constant, only patterns count.
  const patterns = await errorAuc(study, { constant: 0 })
  assert.ok(patterns >= 0.985 && patterns < usual, `AUC ${patterns}`)
  // With many atoms and long codes lesions are represented too.
  const rich = await errorAuc(study, { constant: 0, atoms: 200, sparsity: 8, passes: 3, samples: 5000 })
  assert.ok(rich < patterns - 0.003, `AUC ${rich} of ${patterns}, ${usual}`)
})

test('lesions in white matter are found, on FLAIR and T1 and on FLAIR alone', async () => {
  for (const contrasts of [['flair', 't1'], ['flair']] as const) {
    const { mask, probability, flags } = await runMethod(weiss2013, await phantomStudy({ contrasts }))
    const { dice, detected } = judge(mask)
    assert.ok(dice >= 0.85, `Dice ${dice}`)
    assert.ok(detected.length >= 6, detected.join())
    assert.ok(mask.data.every((v, i) => v === 0 || probability!.data[i] >= 0.5))
    assert.deepEqual(
      flags!.map(({ code }) => code),
      contrasts.length === 1 ? ['without-t1'] : [],
    )
  }
})

test('no lesions: next to nothing is found, with noise that was not seen before, and with twice as much', async () => {
  for (const [seed, noise] of [
    [7, 4],
    [8, 8],
  ]) {
    const study = await phantomStudy({ contrasts: ['flair'], lesions: [], seed, noise })
    const { mask } = await runMethod(weiss2013, study, { passes: 5 })
    // Of noise alone, a fixed part is bright on its own scale: the picture of a brain has to be there.
    assert.ok(countVoxels(mask) < countVoxels(study.brain) / 1000, `${countVoxels(mask)} voxels`)
  }
})

test('the same seed gives the same lesions; the dictionary is another with another seed', async () => {
  const study = await phantomStudy({ contrasts: ['flair'] })
  const params = { passes: 3, samples: 2000 }
  const [first, second] = [await runMethod(weiss2013, study, params), await runMethod(weiss2013, study, params)]
  assert.deepEqual(first, second)
  const other = await runMethod(weiss2013, study, params, { seed: 2 })
  assert.notEqual(other.figures!.errorThreshold, first.figures!.errorThreshold)
})

test('a constant image is said to be one', async () => {
  const study = await phantomStudy({ contrasts: ['flair'] })
  const flair = { ...study.images.flair!, data: study.images.flair!.data.map(() => 50) }
  const { mask, flags } = await runMethod(weiss2013, { ...study, images: { flair } })
  assert.equal(countVoxels(mask), 0)
  assert.ok(flags!.some(({ code }) => code === 'flair-without-contrast'))
})
