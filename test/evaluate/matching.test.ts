import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  type MatchOptions,
  type MatchRule,
  matchInstances,
  matchLesions,
  type Pairing,
} from '../../src/evaluate/matching.js'
import { scaling, type Vec3 } from '../../src/volume/affine.js'
import { labelComponents } from '../../src/volume/components.js'
import { emptyMask, type Mask } from '../../src/volume/volume.js'
import { fixed, masks } from '../generators.js'
import { boxes } from './box-masks.js'

const line = (...list: [number, number][]): Mask =>
  boxes([40, 3, 3], [1, 1, 1], ...list.map(([from, to]) => [from, 1, 1, to - from, 1, 1]))
const pairs = (reference: Mask, candidate: Mask, options?: MatchOptions) =>
  matchLesions(reference, candidate, options).pairs.map((p) => [p.reference, p.candidate])

// R0 0–10, R1 20–24; C0 0–4 and C1 5–9 lie in R0, C2 12–19 in none, C3 22–30 meets R1 in two voxels.
const reference = line([0, 10], [20, 24])
const candidate = line([0, 4], [5, 9], [12, 19], [22, 30])

test('each rule tells which lesions fit', () => {
  assert.deepEqual(pairs(reference, candidate), [
    [0, 0],
    [0, 1],
    [1, 3],
  ])
  assert.deepEqual(pairs(reference, candidate, { rule: { by: 'fraction', of: 'reference', above: 0.4 } }), [[1, 3]])
  assert.deepEqual(pairs(reference, candidate, { rule: { by: 'fraction', of: 'candidate', above: 0.25 } }), [
    [0, 0],
    [0, 1],
  ])
  assert.deepEqual(pairs(reference, candidate, { rule: { by: 'fraction', of: 'smaller', above: 0.5 } }), [
    [0, 0],
    [0, 1],
  ])
  assert.deepEqual(pairs(reference, candidate, { rule: { by: 'fraction', of: 'larger', above: 0.25 } }), [
    [0, 0],
    [0, 1],
  ])
  assert.deepEqual(pairs(reference, candidate, { rule: { by: 'iou', above: 0.19 } }), [
    [0, 0],
    [0, 1],
    [1, 3],
  ])
  assert.deepEqual(pairs(reference, candidate, { rule: { by: 'iou', above: 0.2 } }), [
    [0, 0],
    [0, 1],
  ])
  // Centres: 4.5, 21.5; 1.5, 6.5, 15, 25.5.
  assert.deepEqual(pairs(reference, candidate, { rule: { by: 'centroid', withinMm: 3 } }), [
    [0, 0],
    [0, 1],
  ])
  assert.deepEqual(pairs(reference, candidate, { rule: { by: 'centroid', withinMm: 2.9 } }), [[0, 1]])
})

test('pairs say what they share and how far their centroids are apart', () => {
  const { pairs, referenceLesions, candidateLesions, splits, merges } = matchLesions(reference, candidate)
  assert.deepEqual(pairs[2], { reference: 1, candidate: 3, sharedVoxels: 2, iou: 0.2, distanceMm: 4 })
  assert.deepEqual(referenceLesions[1], { voxels: 4, mm3: 4, centroid: [21.5, 1, 1], matched: true })
  assert.deepEqual(
    candidateLesions.map((lesion) => lesion.matched),
    [true, true, false, true],
  )
  assert.deepEqual([splits, merges], [1, 0])
  assert.equal(matchLesions(candidate, reference).merges, 1)
})

test('a lesion belongs to one, or both to each other', () => {
  // C0 lies in R0 by 3 voxels and in R1 by 2; C1 in R1 by 4.
  const r = line([0, 5], [6, 16])
  const c = line([2, 8], [12, 16])
  assert.deepEqual(pairs(r, c), [
    [0, 0],
    [1, 0],
    [1, 1],
  ])
  assert.deepEqual(pairs(r, c, { pairing: 'many-to-one' }), [
    [0, 0],
    [1, 1],
  ])
  assert.deepEqual(pairs(reference, candidate, { pairing: 'many-to-one' }), [
    [0, 0],
    [0, 1],
    [1, 3],
  ])
  assert.deepEqual(pairs(reference, candidate, { pairing: 'one-to-one' }), [
    [0, 0],
    [1, 3],
  ])
})

test('one-to-one by overlap prefers one good pair to two poor ones; by centroid the most pairs', () => {
  // C0 covers most of R0 and touches R1 with one voxel; C1 touches R0 with one voxel.
  const dims: Vec3 = [20, 5, 3]
  const r = boxes(dims, [1, 1, 1], [2, 1, 1, 10, 1, 1], [2, 3, 1, 3, 1, 1])
  const c = boxes(dims, [1, 1, 1], [2, 1, 1, 8, 1, 1], [2, 2, 1, 1, 2, 1], [11, 1, 1, 6, 1, 1])
  assert.deepEqual(pairs(r, c, { connectivity: 6 }), [
    [0, 0],
    [0, 1],
    [1, 0],
  ])
  assert.deepEqual(pairs(r, c, { connectivity: 6, pairing: 'one-to-one' }), [[0, 0]])
  // Centres 10, 14 and 13, 18: the nearest pair, 14 – 13, would leave 10 and 18 alone.
  const [a, b] = [line([9, 12], [13, 16]), line([12, 15], [17, 20])]
  const rule: MatchRule = { by: 'centroid', withinMm: 4 }
  assert.deepEqual(pairs(a, b, { rule, pairing: 'one-to-one' }), [
    [0, 0],
    [1, 1],
  ])
  assert.deepEqual(pairs(a, b, { rule, pairing: 'many-to-one' }), [
    [1, 0],
    [1, 1],
  ])
})

test('lesions below the smallest size are in no mask; exactly the smallest counts', () => {
  const sizes = (options: MatchOptions) =>
    matchLesions(reference, candidate, options).candidateLesions.map((l) => l.voxels)
  assert.deepEqual(sizes({ minimumVoxels: 5 }), [7, 8])
  assert.deepEqual(sizes({ minimumMm3: 4 }), [4, 4, 7, 8])
  assert.deepEqual(sizes({ minimumMm3: 4.1 }), [7, 8])
  const thin = { ...candidate, affine: scaling([Math.fround(0.1), 1, 1]) }
  assert.deepEqual(matchLesions(thin, thin, { minimumMm3: 0.7 }).pairs.length, 2)
})

test('connectivity decides what one lesion is; centroids are in world mm', () => {
  const corner = boxes([4, 4, 4], [2, 3, 4], [0, 0, 0, 1, 1, 1], [1, 1, 0, 1, 1, 1], [2, 2, 1, 1, 1, 1])
  const count = (connectivity: 6 | 18 | 26) => matchLesions(corner, corner, { connectivity }).referenceLesions.length
  assert.deepEqual([count(6), count(18), count(26)], [3, 2, 1])
  assert.deepEqual(matchLesions(corner, corner).referenceLesions[0].centroid, [1, 1.5, 0])
})

test('empty masks have no lesions; masks on different grids are refused', () => {
  const none = emptyMask(reference)
  for (const [r, c] of [
    [none, none],
    [none, reference],
    [reference, none],
  ])
    assert.deepEqual(pairs(r, c, { rule: { by: 'centroid', withinMm: 100 }, pairing: 'one-to-one' }), [])
  assert.throws(() => matchLesions(reference, boxes([3, 3, 3], [1, 1, 1])), /two grids/)
})

const rules = fc.constantFrom<MatchRule>(
  { by: 'overlap' },
  { by: 'fraction', of: 'smaller', above: 0.4 },
  { by: 'fraction', of: 'larger', above: 0.3 },
  { by: 'iou', above: 0.25 },
  { by: 'centroid', withinMm: 3 },
)
const pairings = fc.constantFrom<Pairing>('many-to-many', 'many-to-one', 'one-to-one')
const options = fc.record({ rule: rules, pairing: pairings, connectivity: fc.constantFrom<6 | 18 | 26>(6, 18, 26) })

test('a mask matches itself, lesion by lesion', () => {
  fc.assert(
    fc.property(masks, options, (mask, { rule, pairing, connectivity }) => {
      const nearest = rule.by === 'centroid' ? { by: 'centroid' as const, withinMm: 0 } : rule
      const { pairs, referenceLesions, splits, merges } = matchLesions(mask, mask, {
        rule: nearest,
        pairing,
        connectivity,
      })
      assert.deepEqual([splits, merges], [0, 0])
      assert.ok(referenceLesions.every((lesion) => lesion.matched))
      // Concentric lesions have one centroid.
      if (rule.by !== 'centroid')
        assert.deepEqual(
          pairs.map((p) => [p.reference, p.candidate, p.iou]),
          referenceLesions.map((_, i) => [i, i, 1]),
        )
    }),
    fixed(150),
  )
})

const twoMasks = fc
  .tuple(masks, fc.double({ min: 0, max: 1, noNaN: true }), fc.integer({ min: 1, max: 1e6 }))
  .map(([mask, kept, seed]) => {
    const other = emptyMask(mask)
    let state = seed
    for (let i = 0; i < other.data.length; i++) {
      state = (state * 48271) % 2147483647
      other.data[i] = state / 2147483647 < kept ? mask.data[i] : 1 - mask.data[i]
    }
    return [mask, other] as const
  })

test('masks changed over give the pairs changed over, by rules that treat both alike', () => {
  fc.assert(
    fc.property(twoMasks, options, ([a, b], { rule, pairing, connectivity }) => {
      const there = matchLesions(a, b, { rule, pairing, connectivity })
      const back = matchLesions(b, a, { rule, pairing, connectivity })
      assert.deepEqual([there.splits, there.merges], [back.merges, back.splits])
      if (pairing === 'many-to-many')
        assert.deepEqual(
          new Set(there.pairs.map((p) => `${p.reference} ${p.candidate}`)),
          new Set(back.pairs.map((p) => `${p.candidate} ${p.reference}`)),
        )
      const total = (of: typeof there) =>
        of.pairs.reduce((sum, p) => sum + (rule.by === 'centroid' ? p.distanceMm : p.iou), 0)
      // Several assignments may be equally good; their worth is one.
      if (pairing === 'one-to-one') assert.ok(Math.abs(total(there) - total(back)) < 1e-6)
    }),
    fixed(200),
  )
})

test('one-to-one is one to one, and labels may be any numbers', () => {
  fc.assert(
    fc.property(twoMasks, rules, ([a, b], rule) => {
      const { pairs, referenceLesions } = matchLesions(a, b, { rule, pairing: 'one-to-one', connectivity: 26 })
      for (const key of ['reference', 'candidate'] as const)
        assert.equal(new Set(pairs.map((p) => p[key])).size, pairs.length)
      const renamed = (mask: Mask, factor: number) => {
        const { labels } = labelComponents(mask, 26)
        return { ...labels, data: labels.data.map((label) => (label === 0 ? 0 : 5000 - factor * label)) }
      }
      const instances = matchInstances(renamed(a, 3), renamed(b, 2), { rule, pairing: 'one-to-one' })
      assert.deepEqual(instances.pairs, pairs)
      assert.deepEqual(instances.referenceLesions, referenceLesions)
    }),
    fixed(150),
  )
})
