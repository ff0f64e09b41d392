import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { overlap } from '../../src/evaluate/overlap.js'
import { readNiftiMask, writeNifti } from '../../src/formats/nifti.js'
import { Recent } from '../../src/server/recent.js'
import type { Affine } from '../../src/volume/affine.js'
import { phantomImage, phantomLesionMask } from '../phantom.js'
import { flairInput, provenanceText, summaryText } from '../run/made-up-result.js'
import { openWorkbench, resultIn } from './result.js'

/** A visit in a folder, its head turned by 6° and moved by a few millimetres. */
async function visit(folder: string, turned: boolean) {
  mkdirSync(folder, { recursive: true })
  const angle = turned ? Math.PI / 30 : 0
  const [c, s] = [Math.cos(angle), Math.sin(angle)]
  const moved = (affine: Affine): Affine => {
    const [a, , , x, , b, , y, , , d, z] = affine
    return turned
      ? [c * a, -s * b, 0, x * c - y * s + 5, s * a, c * b, 0, x * s + y * c - 4, 0, 0, d, z + 3, 0, 0, 0, 1]
      : affine
  }
  const image = phantomImage({ contrast: 'flair', noise: 2, seed: turned ? 2 : 1 })
  const mask = phantomLesionMask()
  const flair = join(folder, 'flair.nii.gz')
  writeFileSync(flair, await writeNifti({ ...image, affine: moved(image.affine) }))
  writeFileSync(join(folder, 'lesion_mask.nii.gz'), await writeNifti({ ...mask, affine: moved(mask.affine) }))
  writeFileSync(join(folder, 'lesions.tsv'), 'id\tlocation\tvoxels\n')
  writeFileSync(join(folder, 'summary.json'), summaryText({ lesionCount: 1, lesionVolumeMl: 1 }))
  writeFileSync(join(folder, 'provenance.json'), provenanceText({ inputs: [flairInput({ path: flair })] }))
  return mask
}

test('another visit comes onto the grid of this one, its lesions where they were', async () => {
  const root = mkdtempSync(join(tmpdir(), 'lesionwise-aligned-'))
  const mask = await visit(join(root, 'now'), false)
  await visit(join(root, 'earlier'), true)
  const { request } = await openWorkbench(root)
  const facts = await request('/api/cases/now/beside/earlier/facts')
  assert.equal(facts.status, 200, await facts.clone().text())
  assert.deepEqual(await facts.json(), { trusted: true, version: 'base' })
  const bytes = await (await request('/api/cases/now/beside/earlier/mask')).arrayBuffer()
  const brought = await readNiftiMask(new Uint8Array(bytes), 'brought')
  assert.deepEqual(brought.dims, mask.dims)
  const { dice } = overlap(brought, { ...mask, affine: brought.affine })
  assert.ok(dice > 0.9, `Dice ${dice}`)
  assert.equal((await request('/api/cases/now/beside/now/mask')).status, 404)
  assert.equal((await request('/api/cases/now/beside/..%2Fetc/mask')).status, 404)
  assert.equal((await request('/api/cases/now/beside/earlier/other')).status, 404)
})

test('a thumbnail is a small PNG, with the FLAIR and without', async () => {
  const root = mkdtempSync(join(tmpdir(), 'lesionwise-thumbnail-'))
  await visit(join(root, 'now'), false)
  await resultIn(join(root, 'masked'))
  const { request } = await openWorkbench(root)
  for (const id of ['now', 'masked']) {
    const answer = await request(`/api/cases/${id}/thumbnail`)
    assert.equal(answer.status, 200)
    const bytes = new Uint8Array(await answer.arrayBuffer())
    assert.deepEqual([...bytes.subarray(1, 4)], [...new TextEncoder().encode('PNG')])
    assert.ok(bytes.length < 30_000, `${bytes.length} bytes`)
  }
})

test('without both FLAIRs nothing is aligned, and the answer says so', async () => {
  const root = mkdtempSync(join(tmpdir(), 'lesionwise-aligned-'))
  await visit(join(root, 'now'), false)
  await resultIn(join(root, 'earlier'))
  const { request } = await openWorkbench(root)
  const answer = await request('/api/cases/now/beside/earlier/mask')
  assert.equal(answer.status, 422)
  assert.match(await answer.text(), /has no FLAIR that is known/)
})

test('what was made is kept, the oldest goes, and a failure is tried again', async () => {
  const recent = new Recent<number>(2)
  let made = 0
  const make = async () => ++made
  assert.deepEqual(await Promise.all([recent.get('a', make), recent.get('a', make)]), [1, 1])
  assert.equal(await recent.get('b', make), 2)
  assert.equal(await recent.get('a', make), 1)
  assert.equal(await recent.get('c', make), 3)
  assert.equal(await recent.get('b', make), 4)
  await assert.rejects(
    recent.get('d', async () => {
      throw new Error('no')
    }),
  )
  assert.equal(await recent.get('d', make), 5)
})
