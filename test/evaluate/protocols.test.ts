import assert from 'node:assert/strict'
import { test } from 'node:test'
import { UsageError } from '../../src/errors.js'
import type { CaseResult, Protocol, Scores } from '../../src/evaluate/protocol.js'
import { findProtocol, protocols } from '../../src/evaluate/protocols.js'
import { emptyMask, type Mask, maskWhere } from '../../src/volume/volume.js'
import { boxes, close } from './box-masks.js'

const mask = (...list: number[][]): Mask => boxes([20, 16, 8], [1, 1, 2], ...list)
const none = mask()
const all = maskWhere(none, () => true)
const one = mask([5, 5, 3, 1, 1, 1])
const lesions = mask([2, 2, 2, 4, 4, 3], [12, 8, 3, 3, 2, 2])
const { NaN: nan } = Number

const score = async (id: string, reference: Mask, candidate: Mask): Promise<Scores> =>
  (await findProtocol(id).score([reference], candidate)).scores

test('protocols are found by id', () => {
  assert.deepEqual(
    protocols.map((p) => p.id),
    ['msseg2008', 'isbi2015', 'msseg2016', 'wmh2017', 'msseg2021', 'mslesseg2024'],
  )
  assert.equal(findProtocol('isbi2015').raters, 'several')
  assert.throws(
    () => findProtocol('msseg'),
    (error) => error instanceof UsageError && /"msseg".*msseg2008, isbi2015/.test(error.message),
  )
})

test('every protocol scores any pair of masks: figures that its measures name, none of them infinite', async () => {
  for (const protocol of protocols)
    for (const reference of [none, all, one, lesions])
      for (const candidate of [none, all, one, lesions]) {
        const { scores, raters } = await protocol.score([reference], candidate)
        const known = new Set(protocol.measures.map((m) => m.key))
        for (const [key, value] of Object.entries(scores)) {
          assert.ok(known.has(key), `${protocol.id} ${key}`)
          assert.ok(Number.isNaN(value) || Number.isFinite(value), `${protocol.id} ${key} ${value}`)
        }
        assert.equal(raters?.length, protocol.raters === 'several' ? 1 : undefined)
      }
})

test('what each protocol says of empty, full and one-voxel masks', async () => {
  const expected: [string, Mask, Mask, Scores][] = [
    ['mslesseg2024', none, none, { dice: nan }],
    ['mslesseg2024', none, one, { dice: 0 }],
    ['mslesseg2024', one, one, { dice: 1 }],
    ['mslesseg2024', all, all, { dice: 1 }],
    ['msseg2016', none, none, { nbTestedLesions: 0, volTestedLesions: 0 }],
    ['msseg2021', none, lesions, { nbTestedLesions: 2, volTestedLesions: 120 }],
    ['msseg2021', none, one, { nbTestedLesions: 0, volTestedLesions: 0 }],
    ['msseg2016', lesions, none, { dice: 0, f1Score: 0, sensL: 0, ppvL: 0, ppv: nan, surfaceDistance: nan }],
    ['msseg2016', lesions, lesions, { dice: 1, f1Score: 1, surfaceDistance: 0 }],
    // One voxel of 2 mm³ is too small a lesion to be counted.
    ['msseg2016', one, one, { dice: 1, f1Score: 0, sensL: nan }],
    [
      'isbi2015',
      none,
      none,
      { dsc: nan, ppv: nan, tpr: nan, ltpr: nan, lfpr: nan, volumeDifference: nan, candidateMl: 0 },
    ],
    [
      'isbi2015',
      none,
      one,
      { dsc: 0, ppv: 0, tpr: nan, ltpr: nan, lfpr: 1, volumeDifference: nan, candidateMl: 0.002 },
    ],
    [
      'isbi2015',
      lesions,
      none,
      { dsc: 0, ppv: nan, tpr: 0, ltpr: 0, lfpr: nan, volumeDifference: 1, referenceMl: 0.12 },
    ],
    ['isbi2015', lesions, all, { tpr: 1, ltpr: 1, lfpr: 0 }],
    ['isbi2015', one, one, { dsc: 1, ppv: 1, tpr: 1, ltpr: 1, lfpr: 0, volumeDifference: 0 }],
    [
      'msseg2008',
      lesions,
      lesions,
      { score: 100, surfaceDistance: 0, volumeDifference: 0, lesionTpr: 100, lesionFpr: 0 },
    ],
    ['msseg2008', one, one, { score: 100 }],
    [
      'msseg2008',
      none,
      none,
      { volumeDifference: nan, surfaceDistance: 0, lesionTpr: nan, lesionFpr: nan, score: 100 },
    ],
    // From (1, 1, 1) to (5, 5, 3) in voxels of 1 × 1 × 2 mm.
    [
      'msseg2008',
      one,
      none,
      {
        volumeDifference: 100,
        surfaceDistance: Math.sqrt(48),
        lesionTpr: 0,
        lesionFpr: nan,
        lesionTprScore: 68.75,
        lesionFprScore: nan,
      },
    ],
    ['msseg2008', none, one, { volumeDifference: nan, lesionTpr: nan, lesionFpr: 100, lesionFprScore: 68.75 }],
    // What fills the grid has no surface either.
    ['msseg2008', one, all, { surfaceDistance: Math.sqrt(48), volumeDifferenceScore: 0, lesionTpr: 100, lesionFpr: 0 }],
    ['wmh2017', none, none, { dsc: nan, h95: nan, avd: nan, recall: 1, f1: 1 }],
    ['wmh2017', none, one, { dsc: 0, h95: nan, avd: nan, recall: 1, f1: 0 }],
    ['wmh2017', lesions, none, { dsc: 0, h95: nan, avd: 100, recall: 0, f1: 0 }],
    ['wmh2017', one, one, { dsc: 1, h95: 0, avd: 0, recall: 1, f1: 1 }],
    ['wmh2017', one, all, { h95: nan, recall: 1, f1: 1 }],
  ]
  for (const [id, reference, candidate, figures] of expected) {
    const scores = await score(id, reference, candidate)
    for (const [key, value] of Object.entries(figures))
      assert.ok(close(scores[key], value, 1e-5), `${id} ${key}: ${scores[key]}, not ${value}`)
  }
})

test('masks on two grids, and the wrong number of references, are refused', async () => {
  const other = emptyMask({ dims: [3, 3, 3], affine: none.affine })
  for (const protocol of protocols) {
    await assert.rejects(protocol.score([lesions], other), /two grids/, protocol.id)
    await assert.rejects(protocol.score([], lesions), RangeError, protocol.id)
    if (protocol.raters === 'one') await assert.rejects(protocol.score([lesions, lesions], lesions), /one reference/)
    else assert.equal((await protocol.score([lesions, one], lesions)).raters!.length, 2)
  }
})

test('wmh2017 takes other pathology out of the result', async () => {
  const labels = mask([2, 2, 2, 4, 4, 3], [12, 8, 3, 3, 2, 2, 2])
  const scores = await score('wmh2017', labels, lesions)
  assert.deepEqual(scores, { dsc: 1, h95: 0, avd: 0, recall: 1, f1: 1 })
})

const teamOf = (...results: (CaseResult | undefined)[]) => new Map(results.map((result, i) => [`case${i}`, result]))
const scored = (scores: Scores): CaseResult => ({ scores })
const ranked = (protocol: Protocol, teams: Parameters<Protocol['rank']>[0]) =>
  protocol.rank(teams).map(({ title, places }) => [title, places.map((p) => `${p.place} ${p.team}`).join(', ')])

test('MSSEG-2 ranks each figure in its own group of patients, missing patients worst', () => {
  const protocol = findProtocol('msseg2021')
  const teams = new Map([
    [
      'a',
      teamOf(
        scored({ dice: 0.6, f1Score: 0.5 }),
        scored({ dice: 0.4, f1Score: 0.7 }),
        scored({ nbTestedLesions: 2, volTestedLesions: 20 }),
      ),
    ],
    [
      'b',
      teamOf(
        scored({ dice: 0.5, f1Score: 0.8 }),
        scored({ dice: 0.5, f1Score: 0.8 }),
        scored({ nbTestedLesions: 1, volTestedLesions: 30 }),
      ),
    ],
    ['c', teamOf(scored({ dice: 0.9, f1Score: 1 }), undefined, undefined)],
  ])
  assert.deepEqual(ranked(protocol, teams), [
    ['Lesion F1, patients with new lesions', '1 b, 2 a, 3 c'],
    ['Dice, patients with new lesions', '1.5 a, 1.5 b, 3 c'],
    ['Lesions found, patients without new lesions', '1 b, 2.5 a, 2.5 c'],
    ['Volume found, patients without new lesions', '1 a, 2.5 b, 2.5 c'],
  ])
  assert.deepEqual(protocol.overall(teams.get('a')!), {
    dice: 0.5,
    f1Score: 0.6,
    nbTestedLesions: 2,
    volTestedLesions: 20,
  })
  assert.equal(protocol.overall(teams.get('c')!).dice, 0.9)
})

test('MSSEG 2016 ranks segmentation and detection, MSLesSeg the mean Dice', () => {
  const teams = new Map([
    ['a', teamOf(scored({ dice: 0.6, f1Score: 0.5 }), scored({ nbTestedLesions: 0 }))],
    ['b', teamOf(scored({ dice: 0.5, f1Score: 0.6 }), scored({ nbTestedLesions: 9 }))],
  ])
  assert.deepEqual(ranked(findProtocol('msseg2016'), teams), [
    ['Segmentation (Dice)', '1 a, 2 b'],
    ['Detection (lesion F1)', '1 b, 2 a'],
  ])
  assert.deepEqual(ranked(findProtocol('mslesseg2024'), teams), [['Dice', '1 a, 2 b']])
})

test('WMH 2017 averages measures stretched from best to worst', () => {
  const teams = new Map([
    ['a', teamOf(scored({ dsc: 0.8, h95: 4, avd: 10, recall: 0.9, f1: 0.8 }))],
    ['b', teamOf(scored({ dsc: 0.7, h95: 2, avd: 20, recall: 0.8, f1: 0.6 }))],
    ['c', teamOf(scored({ dsc: 0.6, h95: 6, avd: 30, recall: 0.7, f1: 0.7 }))],
  ])
  const [{ places }] = findProtocol('wmh2017').rank(teams)
  const expected = { a: 0.1, b: (0.5 + 0 + 0.5 + 0.5 + 1) / 5, c: (1 + 1 + 1 + 1 + 0.5) / 5 }
  assert.deepEqual(
    places.map((p) => p.team),
    ['a', 'b', 'c'],
  )
  for (const { team, value } of places) assert.ok(close(value, expected[team as 'a']))
})
