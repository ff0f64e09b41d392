import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { readNiftiMask } from '../../src/formats/nifti.js'
import { Corrections } from '../../src/server/corrections.js'
import { openCases } from '../../src/server/opened.js'
import { reorient, towardsRas } from '../../src/volume/orient.js'
import { flairInput, provenanceText } from '../run/made-up-result.js'
import { grid, openWorkbench, resultFolder, resultIn, sent } from './result.js'

const about = { rater: 'anna', tab: 'tab1', parent: 'base', steps: ['brush'] }
const turned = towardsRas(grid.affine)

test('only this machine’s own page gets in: Host, Origin, site and token', async () => {
  const { root } = await resultFolder()
  const { request } = await openWorkbench(root)
  assert.equal((await request('/api/cases')).status, 200)
  for (const [headers, status] of [
    [{ host: 'evil.example' }, 403],
    [{ host: '127.0.0.1.evil.example:1234' }, 403],
    [{ origin: 'http://evil.example' }, 403],
    [{ origin: 'http://127.0.0.1:99' }, 403],
    [{ origin: 'null' }, 403],
    [{ 'sec-fetch-site': 'cross-site' }, 403],
    [{ 'sec-fetch-site': 'same-site' }, 403],
    [{ authorization: '' }, 401],
    [{ authorization: `Bearer ${'b'.repeat(32)}` }, 401],
    [{ authorization: 'Bearer aaa' }, 401],
    [{ 'content-length': '999999999999' }, 413],
  ] as const)
    assert.equal((await request('/api/cases', {}, headers)).status, status, JSON.stringify(headers))
  assert.equal(
    (await request('/api/cases', {}, { host: 'localhost:1234', origin: 'http://localhost:1234' })).status,
    200,
  )
  const page = await request('/', {}, { authorization: '' })
  assert.equal(page.status, 200)
  assert.match(page.headers.get('content-security-policy')!, /default-src 'none'.*frame-ancestors 'none'/)
  assert.equal(page.headers.get('cache-control'), 'no-store')
})

test('nothing outside the opened folder is reached, by whatever name', async () => {
  const { root } = await resultFolder('sub-01')
  const other = await resultFolder()
  symlinkSync(other.root, join(root, 'sub-02'))
  writeFileSync(join(root, 'secret.txt'), 'secret')
  const { request, cases } = await openWorkbench(root)
  assert.deepEqual([...cases.keys()], ['sub-01'])
  for (const path of [
    '/api/cases/..%2F..%2Fetc',
    '/api/cases/sub-01%2F..%2Fsub-02',
    '/api/cases/sub-02',
    '/api/cases/sub-01/mask/..%2Flesion_mask.nii.gz',
    '/api/cases/sub-01/mask/..%252f..%252fsecret.txt',
    '/api/cases/sub-01/report/..%2F..',
    '/api/cases/sub-01/image/..%2F..%2Fsecret.txt',
    '/api/cases/sub-01/draft/..%2F..%2Fsecret/txt',
    '/secret.txt',
    '/../secret.txt',
    '/%2e%2e/secret.txt',
    '/app.js/../../secret.txt',
  ])
    assert.equal((await request(path)).status, 404, path)
})

test('the page sees axes towards RAS, and what it saves lies on the file’s own grid', async () => {
  const { root, mask } = await resultFolder()
  const { request, recalculation } = await openWorkbench(root)
  const bytes = new Uint8Array(await (await request('/api/cases/result/mask/base')).arrayBuffer())
  const seen = await readNiftiMask(bytes, 'seen')
  assert.deepEqual(seen.dims, [12, 8, 10])
  assert.deepEqual(seen.data, reorient(mask, turned).data)
  seen.data[7 + 12 * (1 + 8 * 1)] = 1
  const saved = await request('/api/cases/result/versions', { method: 'POST', body: sent(about, seen.data) })
  assert.equal(saved.status, 201)
  const version = (await saved.json()) as { id: string; lesionCount: number; sha256: string }
  assert.equal(version.id, 'desc-anna_v001')
  assert.equal(version.lesionCount, 3)
  const path = join(root, 'corrections', 'desc-anna_v001_label-lesion_mask.nii.gz')
  const stored = await readNiftiMask(readFileSync(path), path)
  assert.deepEqual(stored.dims, grid.dims)
  assert.deepEqual(reorient(stored, turned).data, seen.data)
  assert.equal(version.sha256, createHash('sha256').update(readFileSync(path)).digest('hex'))
  await recalculation.settled()
  const facts = (await (await request('/api/cases/result/versions/desc-anna_v001')).json()) as { recalculated: object }
  assert.match(JSON.stringify(facts.recalculated), /give it with --flair/)
})

test('versions are never overwritten, and two tabs do not save over each other', async () => {
  const { root, mask } = await resultFolder()
  const { request } = await openWorkbench(root)
  const voxels = reorient(mask, turned).data
  const post = (more: object) =>
    request('/api/cases/result/versions', { method: 'POST', body: sent({ ...about, ...more }, voxels as Uint8Array) })
  assert.equal((await post({})).status, 201)
  const refused = await post({ tab: 'tab2' })
  assert.equal(refused.status, 409)
  assert.equal(((await refused.json()) as { latest: { id: string } }).latest.id, 'desc-anna_v001')
  assert.equal((await post({ tab: 'tab2', anyway: true })).status, 201)
  assert.equal((await post({ rater: 'ben' })).status, 201)
  assert.equal((await post({ parent: 'desc-anna_v002' })).status, 201)
  assert.equal((await post({ parent: 'desc-nobody_v001' })).status, 400)
  assert.deepEqual(
    (await new Corrections(root).versions()).map(({ id }) => id),
    ['desc-anna_v001', 'desc-anna_v002', 'desc-ben_v001', 'desc-anna_v003'],
  )
})

test('200 saves at once: every one is there, each under its own number', async () => {
  const { root, mask } = await resultFolder()
  const { request } = await openWorkbench(root)
  const voxels = reorient(mask, turned).data as Uint8Array
  const answers = await Promise.all(
    Array.from({ length: 200 }, (_, i) =>
      request('/api/cases/result/versions', {
        method: 'POST',
        body: sent({ ...about, rater: `rater${i % 4}`, note: `save ${i}`, anyway: true }, voxels),
      }),
    ),
  )
  assert.ok(answers.every(({ status }) => status === 201))
  const versions = await new Corrections(root).versions()
  assert.equal(new Set(versions.map(({ id }) => id)).size, 200)
  assert.equal(new Set(versions.map(({ note }) => note)).size, 200)
})

test('two servers on one folder do not overwrite each other', async () => {
  const { root, mask } = await resultFolder()
  const servers = await Promise.all([openWorkbench(root), openWorkbench(root)])
  const voxels = reorient(mask, turned).data as Uint8Array
  await Promise.all(
    Array.from({ length: 40 }, (_, i) =>
      servers[i % 2].request('/api/cases/result/versions', {
        method: 'POST',
        body: sent({ ...about, note: `save ${i}`, anyway: true }, voxels),
      }),
    ),
  )
  assert.equal(new Set((await new Corrections(root).versions()).map(({ note }) => note)).size, 40)
})

test('a draft is kept for each tab, comes back, and goes when its work is saved', async () => {
  const { root, mask } = await resultFolder()
  const { request } = await openWorkbench(root)
  const voxels = reorient(mask, turned).data.slice() as Uint8Array
  voxels[0] = 1
  const put = (tab: string) =>
    request('/api/cases/result/draft', { method: 'PUT', body: sent({ ...about, tab }, voxels) })
  assert.equal((await put('tab1')).status, 200)
  assert.equal((await put('tab2')).status, 200)
  const { drafts } = (await (await request('/api/cases/result')).json()) as { drafts: { tab: string }[] }
  assert.deepEqual(drafts.map(({ tab }) => tab).sort(), ['tab1', 'tab2'])
  const bytes = new Uint8Array(await (await request('/api/cases/result/draft/anna/tab2')).arrayBuffer())
  assert.deepEqual((await readNiftiMask(bytes, 'draft')).data, voxels)
  await request('/api/cases/result/versions', { method: 'POST', body: sent({ ...about, tab: 'tab2' }, voxels) })
  const after = (await (await request('/api/cases/result')).json()) as { drafts: { tab: string }[] }
  assert.deepEqual(
    after.drafts.map(({ tab }) => tab),
    ['tab1'],
  )
})

test('a save that was cut off is no version, and its number is not given again', async () => {
  const { root, mask } = await resultFolder()
  const { request } = await openWorkbench(root)
  mkdirSync(join(root, 'corrections'))
  writeFileSync(join(root, 'corrections', 'desc-anna_v001_label-lesion_mask.nii.gz'), 'cut off')
  writeFileSync(join(root, 'corrections', 'desc-anna_v002.json'), '{"half": ')
  const { versions } = (await (await request('/api/cases/result')).json()) as { versions: object[] }
  assert.deepEqual(versions, [])
  const saved = await request('/api/cases/result/versions', {
    method: 'POST',
    body: sent(about, reorient(mask, turned).data as Uint8Array),
  })
  assert.equal(((await saved.json()) as { id: string }).id, 'desc-anna_v003')
})

test('what is no mask of this case is refused with one line, and nothing is written', async () => {
  const { root, mask } = await resultFolder()
  const { request } = await openWorkbench(root)
  const voxels = reorient(mask, turned).data as Uint8Array
  const bomb = sent(about, new Uint8Array(0)).slice(0, 4)
  const bodies: [string, Uint8Array][] = [
    ['too few voxels', sent(about, voxels.subarray(1))],
    ['too many', sent(about, new Uint8Array(5_000_000))],
    ['empty', new Uint8Array(0)],
    ['cut short', sent(about, voxels).subarray(0, 30)],
    ['a length that lies', new Uint8Array([255, 255, 255, 255, ...bomb])],
    ['a rater with a path', sent({ ...about, rater: '../x' }, voxels)],
    ['a tab with a path', sent({ ...about, tab: '../x' }, voxels)],
    ['no rater', sent({ ...about, rater: '' }, voxels)],
    ['more than asked', sent({ ...about, more: 1 }, voxels)],
    ['no JSON', Uint8Array.from([2, 0, 0, 0, 123, 123, ...gzipSync(voxels)])],
  ]
  for (const [what, body] of bodies)
    for (const [path, method] of [
      ['/api/cases/result/versions', 'POST'],
      ['/api/cases/result/draft', 'PUT'],
    ]) {
      const answer = await request(path, { method, body: Uint8Array.from(body) })
      assert.equal(answer.status, 400, what)
      assert.ok(((await answer.json()) as { error: string }).error.length > 10)
    }
  assert.ok(!readdirSync(root).includes('corrections'))
})

test('raters are compared with the result and with each other', async () => {
  const { root, mask } = await resultFolder()
  const { request } = await openWorkbench(root)
  const voxels = reorient(mask, turned).data.slice() as Uint8Array
  const post = (rater: string) =>
    request('/api/cases/result/versions', { method: 'POST', body: sent({ ...about, rater }, voxels) })
  await post('anna')
  voxels[voxels.indexOf(1)] = 0
  await post('ben')
  const { masks, pairs } = (await (await request('/api/cases/result/compare')).json()) as {
    masks: { id: string }[]
    pairs: { a: string; b: string; dice: number }[]
  }
  assert.deepEqual(
    masks.map(({ id }) => id),
    ['base', 'desc-anna_v001', 'desc-ben_v001'],
  )
  assert.deepEqual(
    pairs.map(({ dice }) => Number(dice.toFixed(3))),
    [1, 0.8, 0.8],
  )
})

test('a review is kept with its history; the list of cases shows it', async () => {
  const { root } = await resultFolder('sub-01/ses-1')
  await resultIn(join(root, 'sub-02/ses-1'))
  const { request } = await openWorkbench(root)
  const put = (body: object) =>
    request('/api/cases/sub-01%2Fses-1/review', { method: 'PUT', body: JSON.stringify(body) })
  assert.equal((await put({ status: 'accepted', rater: 'anna', note: 'fine' })).status, 200)
  assert.equal((await put({ status: 'rejected', rater: 'ben' })).status, 200)
  assert.equal((await put({ status: 'perfect', rater: 'ben' })).status, 400)
  const list = (await (await request('/api/cases')).json()) as { id: string; review: string; lesionCount: number }[]
  assert.deepEqual(
    list.map(({ id, review, lesionCount }) => [id, review, lesionCount]),
    [
      ['sub-01/ses-1', 'rejected', 2],
      ['sub-02/ses-1', 'to-review', 2],
    ],
  )
  const { review } = (await (await request('/api/cases/sub-01%2Fses-1')).json()) as {
    review: { history: { rater: string; note: string }[] }
  }
  assert.deepEqual(
    review.history.map(({ rater, note }) => [rater, note]),
    [
      ['anna', 'fine'],
      ['ben', ''],
    ],
  )
})

test('derivatives of `bids` are opened, with the raw images that they were made from', async () => {
  const { root } = await resultFolder('plain')
  const raw = join(root, 'raw')
  const source = 'sub-01/ses-2/anat/sub-01_ses-2_space-MNI152_FLAIR.nii.gz'
  mkdirSync(join(raw, 'sub-01/ses-2/anat'), { recursive: true })
  writeFileSync(join(raw, source), '')
  const visit = join(root, 'derivatives/sub-01/ses-2')
  mkdirSync(join(visit, 'anat'), { recursive: true })
  const stem = join(visit, 'anat/sub-01_ses-2')
  for (const [from, to] of [
    ['lesion_mask.nii.gz', `${stem}_space-orig_label-lesion_mask.nii.gz`],
    ['lesions.tsv', `${stem}_lesions.tsv`],
    ['summary.json', join(visit, 'sub-01_ses-2_summary.json')],
    ['provenance.json', join(visit, 'provenance.json')],
  ])
    writeFileSync(to, readFileSync(join(root, 'plain', from)))
  writeFileSync(`${stem}_space-orig_label-lesion_mask.json`, JSON.stringify({ Sources: [`bids:raw:${source}`] }))
  const cases = await openCases(join(root, 'derivatives'), { raw })
  assert.deepEqual([...cases.keys()], ['sub-01/ses-2'])
  assert.deepEqual(cases.get('sub-01/ses-2')!.images, { flair: join(raw, source) })
  const { request } = await openWorkbench(join(root, 'derivatives'))
  const [one] = (await (await request('/api/cases')).json()) as { lesionCount: number }[]
  assert.equal(one.lesionCount, 2)
  assert.equal((await request('/api/cases/sub-01%2Fses-2/mask/base')).status, 200)
})

test('an image whose file is gone or damaged is named, but not its path', async () => {
  const { root } = await resultFolder()
  const [flair, t1] = ['flair.nii.gz', 't1.nii.gz'].map((name) => join(root, name))
  for (const path of [flair, t1]) writeFileSync(path, 'damaged')
  writeFileSync(
    join(root, 'provenance.json'),
    provenanceText({ inputs: [flairInput({ path: flair }), flairInput({ role: 't1', path: t1 })] }),
  )
  const { request } = await openWorkbench(root)
  rmSync(t1)
  const answer = async (name: string) => {
    const response = await request(`/api/cases/result/image/${name}`)
    return [response.status, ((await response.json()) as { error: string }).error] as const
  }
  assert.deepEqual(await answer('t1'), [404, 'The T1 image cannot be read: its file is gone.'])
  const [status, error] = await answer('flair')
  assert.equal(status, 422)
  assert.match(error, /^The FLAIR image cannot be read: /)
  assert.ok(!error.includes(root))
})

test('a folder without a result, a file, and images for several results are refused', async () => {
  const { root } = await resultFolder('one')
  await resultIn(join(root, 'two'))
  await assert.rejects(openCases(root, { images: { flair: 'x.nii' } }), /holds 2 results/)
  await assert.rejects(openCases(join(root, 'one', 'summary.json')), /is a file/)
  await assert.rejects(openCases(join(root, 'three')), /no such folder/)
  mkdirSync(join(root, 'empty'))
  await assert.rejects(openCases(join(root, 'empty')), /holds no result/)
})
