import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { UsageError } from '../../src/errors.js'
import { nnunet } from '../../src/methods/deep/nnunet.js'
import { defaultMethod } from '../../src/methods/registry.js'
import { loadNnunet } from '../../src/network/nnunet/card.js'
import { segmentNnunet } from '../../src/network/nnunet/predict.js'
import { importModel } from '../../src/run/import-model.js'
import { parametersOf } from '../../src/run/segment.js'
import type { PreparedStudy } from '../../src/volume/study.js'
import { emptyImage, emptyMask, type Grid, maskWhere, sameGrid } from '../../src/volume/volume.js'

const folder = mkdtempSync(join(tmpdir(), 'nnunet-'))
after(() => rmSync(folder, { recursive: true }))
await importModel({ from: fileURLToPath(new URL('../golden/nnunet/tiny', import.meta.url)), out: folder })

const grid: Grid = { dims: [18, 20, 6], affine: [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 3, 0, 0, 0, 0, 1] }
const flair = { ...grid, data: Float32Array.from({ length: 2160 }, (_, i) => (i * 7919) % 101) }
const image = () => emptyImage(grid)
const [csf, gm, wm] = [image(), image(), image()]
const empty = emptyMask(grid)
const study: PreparedStudy = {
  grid,
  images: { flair },
  brain: maskWhere(flair, (_, i) => i % 18 > 3),
  tissue: { csf, gm, wm },
  atlas: { csf, gm, wm, cortex: gm, lesionPrior: gm, ventricles: empty, infratentorial: empty, deepGrey: empty },
  toAtlas: [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1],
  flags: [],
  records: [],
}
const run = (params: Record<string, unknown>, signal = new AbortController().signal) =>
  nnunet.segment(study, parametersOf(nnunet, { model: folder, ...params }), {
    progress: () => {},
    signal,
    seed: 1,
    threads: 1,
    device: 'cpu',
  })

test("a model is run on the study's grid as on the bare arrays", async () => {
  const { mask, probability } = await run({})
  assert.ok(sameGrid(mask, grid) && sameGrid(probability!, grid))
  const bare = { shape: [6, 20, 18], spacing: [3, 1, 1], channels: [flair.data] } as const
  const { labels, probabilities } = await segmentNnunet(bare, await loadNnunet(folder), 'case', { probabilities: true })
  assert.deepEqual(mask.data, labels)
  assert.deepEqual(probability!.data, probabilities![1])
})

test('images are turned to how those of the training lay, and masked where these were', async () => {
  // Rows from left to right instead of right to left, and back again.
  const turned = (data: Float32Array) => data.map((_, i) => data[i - (i % 18) + 17 - (i % 18)])
  const model = await loadNnunet(folder)
  const bare = async (data: Float32Array) => {
    const image = { shape: [6, 20, 18], spacing: [3, 1, 1], channels: [data] } as const
    return (await segmentNnunet(image, model, 'case', { probabilities: true })).probabilities![1]
  }
  assert.deepEqual((await run({ orientation: 'LAS' })).probability!.data, turned(await bare(turned(flair.data))))
  const inside = flair.data.map((value, i) => (study.brain.data[i] ? value : 0))
  assert.deepEqual((await run({ stripped: true })).probability!.data, await bare(inside))
  assert.ok(sameGrid((await run({ orientation: 'PIR' })).mask, grid))
})

test('what is missing or does not fit is said in one line', async () => {
  const refused = (params: Record<string, unknown>, pattern: RegExp) =>
    assert.rejects(
      async () => await run(params),
      (error: Error) => {
        assert.match(error.message, pattern)
        assert.ok(!error.message.includes('\n'))
        return true
      },
    )
  assert.throws(
    () => parametersOf(nnunet, {}),
    (error: Error) => error instanceof UsageError && /lesionwise import-model --from/.test(error.message),
  )
  await refused({ model: join(folder, 'nowhere') }, /nowhere\/model\.json: cannot be read/)
  await refused({ lesion: 2 }, /has no label 2; set lesion to one of 1/)
  await refused({ channels: 'flair,t1' }, /channels = flair,t1 does not fit FLAIR/)
  await refused({ channels: 't1' }, /the model takes FLAIR; give one with --t1/)
  await refused({ orientation: 'RRS' }, /orientation = "RRS" will not do: give three letters/)
  await assert.rejects(run({}, AbortSignal.abort()), { name: 'AbortError' })
})

test('it is never chosen by itself', () => {
  assert.notEqual(defaultMethod(['flair']).id, 'nnunet')
  assert.throws(() => defaultMethod(['t2']))
})
