import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { findProtocol } from '../../src/evaluate/protocols.js'
import type { Vec3 } from '../../src/volume/affine.js'
import { countVoxels, emptyMask, maskWhere } from '../../src/volume/volume.js'
import { close, madeUpPair } from './box-masks.js'

interface Golden {
  seed: number
  voxelSizeMm: Vec3
  referenceVoxels: number
  candidateVoxels: number
  wmh2017: Record<string, number>
  surfaceDistance2008: number
  surfaceDistance2008OfNothing: number
  ltpr: number
  lfpr: number
}

const path = fileURLToPath(new URL('golden/challenges.json', import.meta.url))
const { cases } = JSON.parse(readFileSync(path, 'utf8')) as { cases: Golden[] }
const made = cases.map((golden) => {
  const { reference: labels, candidate } = madeUpPair(golden.seed, golden.voxelSizeMm)
  return { golden, labels, reference: maskWhere(labels, (value) => value === 1), candidate }
})

test("the made-up masks are those of the golden numbers' script", () => {
  for (const { golden, reference, candidate } of made)
    assert.deepEqual(
      [countVoxels(reference), countVoxels(candidate)],
      [golden.referenceVoxels, golden.candidateVoxels],
      `seed ${golden.seed}`,
    )
})

test("wmh2017 gives what the organisers' program gives", async () => {
  for (const { golden, labels, candidate } of made) {
    const { scores } = await findProtocol('wmh2017').score([labels], candidate)
    for (const [key, value] of Object.entries(golden.wmh2017))
      assert.ok(close(scores[key], value, 1e-5), `seed ${golden.seed} ${key}: ${scores[key]}, not ${value}`)
  }
})

test('msseg2008 measures surfaces as ITK erodes, with a made-up voxel for an empty mask', async () => {
  for (const { golden, reference, candidate } of made) {
    const { scores, corrected } = await findProtocol('msseg2008').score([reference], candidate)
    assert.ok(close(scores.surfaceDistance, golden.surfaceDistance2008, 1e-5), `seed ${golden.seed}`)
    assert.ok(close(corrected!.surfaceDistanceOfSurfaces, golden.surfaceDistance2008, 1e-5))
    const nothing = await findProtocol('msseg2008').score([reference], emptyMask(candidate))
    assert.ok(close(nothing.scores.surfaceDistance, golden.surfaceDistance2008OfNothing, 1e-5), `seed ${golden.seed}`)
    assert.equal(nothing.corrected!.surfaceDistanceOfSurfaces, Number.NaN)
  }
})

test('msseg2008 and isbi2015 count 18-connected lesions as scipy labels them', async () => {
  for (const { golden, reference, candidate } of made) {
    const isbi = (await findProtocol('isbi2015').score([reference], candidate)).scores
    assert.deepEqual([isbi.ltpr, isbi.lfpr], [golden.ltpr, golden.lfpr])
    const msseg = (await findProtocol('msseg2008').score([reference], candidate)).scores
    assert.deepEqual([msseg.lesionTpr, msseg.lesionFpr], [100 * golden.ltpr, 100 * golden.lfpr])
  }
})
