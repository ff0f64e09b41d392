import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { readNifti, writeNifti } from '../../src/formats/nifti.js'
import { chosenLocations, labelAt } from '../../src/lesions/chosen-location.js'
import { Corrections, type Draft } from '../../src/server/corrections.js'
import { apply, type Vec3 } from '../../src/volume/affine.js'
import { reorient, towardsRas } from '../../src/volume/orient.js'
import { emptyMask, gridOf } from '../../src/volume/volume.js'
import { tinyScans } from '../cohort/faulty-dataset.js'
import { flairInput, provenanceText } from '../run/made-up-result.js'
import { grid, openWorkbench, resultFolder, resultIn, sent } from './result.js'

const about = { rater: 'anna', tab: 'tab1', parent: 'base', steps: ['location'] }

test('a chosen location is that of the lesion that holds its voxel; the last one counts', () => {
  const labels = { ...gridOf(grid), data: new Int16Array(emptyMask(grid).data.length) }
  labels.data[3 + 12 * (4 + 10 * 5)] = 7
  const at = apply(grid.affine, [3, 4, 5]) as Vec3
  assert.equal(labelAt(labels, at), 7)
  assert.equal(labelAt(labels, [1000, 0, 0]), 0)
  const chosen = chosenLocations(labels, [
    { at, location: 'subcortical' },
    { at, location: 'infratentorial' },
    { at: [1000, 0, 0], location: 'juxtacortical' },
  ])
  assert.equal(chosen.get(7), 'infratentorial')
})

test('a draft holds its marks; a tab has one draft, whatever its rater is called', async () => {
  const { root, mask } = await resultFolder()
  const { request } = await openWorkbench(root)
  const voxels = reorient(mask, towardsRas(grid.affine)).data as Uint8Array
  const marks = [{ kind: 'location', at: [1, 2, 3], location: 'subcortical' }]
  const put = (rater: string) =>
    request('/api/cases/result/draft', { method: 'PUT', body: sent({ ...about, rater, marks }, voxels) })
  const drafts = async () => ((await (await request('/api/cases/result')).json()) as { drafts: Draft[] }).drafts
  assert.equal((await put('anonymous')).status, 200)
  assert.equal((await put('anna')).status, 200)
  assert.deepEqual(
    (await drafts()).map((draft) => [draft.rater, draft.marks]),
    [['anna', marks]],
  )
  assert.equal((await request('/api/cases/result/draft/..%2Ftab1', { method: 'DELETE' })).status, 200)
  assert.equal((await drafts()).length, 1)
  assert.equal((await request('/api/cases/result/draft/tab1', { method: 'DELETE' })).status, 200)
  assert.deepEqual(await drafts(), [])
})

test('a draft of an earlier Lesionwise, without marks, is offered all the same', async () => {
  const { root, mask } = await resultFolder()
  const corrections = new Corrections(root)
  await corrections.keepDraft({ ...about, marks: [] }, await writeNifti(mask))
  const path = join(root, 'corrections', '.draft-anna-tab1.json')
  const { marks: _, ...older } = JSON.parse(readFileSync(path, 'utf8'))
  writeFileSync(path, JSON.stringify(older))
  assert.deepEqual(
    (await corrections.drafts()).map(({ marks }) => marks),
    [[]],
  )
})

test('a location that a rater chose stands in what is made of the corrected mask', { timeout: 240_000 }, async () => {
  const root = mkdtempSync(join(tmpdir(), 'lesionwise-marks-'))
  const path = join(root, 'flair.nii.gz')
  const [scan] = await tinyScans(1)
  writeFileSync(path, scan)
  const result = join(root, 'result')
  await resultIn(result)
  const { image } = await readNifti(scan, path)
  const mask = emptyMask(image)
  const [nx, ny, nz] = image.dims
  const middle = [Math.floor(nx / 2), Math.floor(ny / 2), Math.floor(nz / 2)] as const
  for (let i = -1; i <= 1; i++)
    for (let j = -1; j <= 1; j++) mask.data[middle[0] + i + nx * (middle[1] + j + ny * middle[2])] = 1
  writeFileSync(join(result, 'lesion_mask.nii.gz'), await writeNifti(mask))
  writeFileSync(
    join(result, 'provenance.json'),
    provenanceText({ inputs: [flairInput({ path })], finished: '2026-01-02T03:04:05Z' }),
  )
  const { request, recalculation } = await openWorkbench(result)
  const voxels = reorient(mask, towardsRas(image.affine)).data as Uint8Array
  const rim = apply(image.affine, [middle[0] + 1, middle[1] + 1, middle[2]])
  const save = async (location: string, parent: string) => {
    const marks = [{ kind: 'location', at: [...rim], location }]
    const body = sent({ ...about, marks, parent }, voxels)
    const { id } = (await (await request('/api/cases/result/versions', { method: 'POST', body })).json()) as {
      id: string
    }
    await recalculation.settled()
    return (await (await request(`/api/cases/result/versions/${id}`)).json()) as {
      recalculated: unknown
      lesions: Record<string, string>[]
      summary: { byLocation?: unknown }
    }
  }
  let parent = 'base'
  for (const location of ['juxtacortical', 'infratentorial']) {
    const { recalculated, lesions, summary } = await save(location, parent)
    assert.equal(recalculated, 'done')
    assert.deepEqual(
      lesions.map((lesion) => lesion.location),
      [location],
    )
    assert.match(JSON.stringify(summary), new RegExp(location))
    parent = 'desc-anna_v001'
  }
  await recalculation.close()
})
