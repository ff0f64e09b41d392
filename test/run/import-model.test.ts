import assert from 'node:assert/strict'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { LesionwiseError } from '../../src/errors.js'
import { loadNnunet } from '../../src/network/nnunet/card.js'
import { importNnunet } from '../../src/network/nnunet/import.js'
import { type ImportModelOptions, importModel } from '../../src/run/import-model.js'

const golden = fileURLToPath(new URL('../golden/nnunet/', import.meta.url))
const work = mkdtempSync(join(tmpdir(), 'import-model-'))
after(() => rmSync(work, { recursive: true }))
const results = join(work, 'Dataset700_Made')
const training = join(results, 'nnUNetTrainer__nnUNetPlans__3d_fullres')
cpSync(join(golden, 'tiny'), training, { recursive: true })
cpSync(join(training, 'fold_0'), join(training, 'fold_1'), { recursive: true })
mkdirSync(join(training, 'fold_2'))
const checkpoint = join('fold_0', 'checkpoint_final.pth')
const bytes = (path: string) => new Uint8Array(readFileSync(path))

test('a model is brought over and read again as it was', async () => {
  const out = join(work, 'model')
  const card = await importModel({ from: results, out, configuration: '3d_fullres', folds: ['0', '1'] })
  assert.deepEqual(readdirSync(out).sort(), ['fold_0.safetensors', 'fold_1.safetensors', 'model.json'])
  assert.equal(card.network.kind, 'nnunet')
  assert.deepEqual(Object.keys(card.network.plans.configurations), ['3d_fullres'])
  const original = importNnunet(
    {
      plans: bytes(join(training, 'plans.json')),
      dataset: bytes(join(training, 'dataset.json')),
      folds: new Map([['fold_0', bytes(join(training, checkpoint))]]),
    },
    'model',
  )
  const model = await loadNnunet(out)
  assert.deepEqual([...model.folds.keys()], ['fold_0', 'fold_1'])
  assert.deepEqual(model.folds.get('fold_1'), original.folds.get('fold_0'))
  for (const part of ['name', 'network', 'labels', 'channels', 'mirrorAxes', 'trainer'] as const)
    assert.deepEqual(model[part], original[part])
  assert.deepEqual(model.configuration, original.configuration)

  const weights = bytes(join(out, 'fold_1.safetensors'))
  weights[weights.length - 1] ^= 1
  writeFileSync(join(out, 'fold_1.safetensors'), weights)
  await assert.rejects(loadNnunet(out), /fold_1\.safetensors: is not the file that model\.json describes/)
  // Fewer folds: what the earlier import left of the others goes.
  await importModel({ from: training, out, folds: ['0'] })
  assert.deepEqual(readdirSync(out).sort(), ['fold_0.safetensors', 'model.json'])
})

test('bad input is refused in one line, and nothing is written', async () => {
  const out = join(work, 'nothing')
  const refused = async (options: Partial<ImportModelOptions>, pattern: RegExp) => {
    await assert.rejects(importModel({ from: training, out, folds: ['0'], ...options }), (error: Error) => {
      assert.ok(error instanceof LesionwiseError)
      assert.match(error.message, pattern)
      assert.ok(!error.message.includes('\n'))
      return true
    })
    assert.ok(!existsSync(out))
  }
  const changed = (name: string, change: (folder: string) => void) => {
    const folder = join(work, name)
    cpSync(training, folder, { recursive: true })
    change(folder)
    return folder
  }
  await refused({ from: join(work, 'nowhere') }, /nowhere: is no folder that can be read/)
  await refused({ from: work }, /holds no plans\.json; give a result folder/)
  await refused({ from: results, configuration: '2d' }, /has no training of 2d; choose among nnUNetTrainer__/)
  await refused({ configuration: '2d' }, /checkpoint_final\.pth: was trained for 3d_fullres, not 2d/)
  await refused({ folds: ['7'] }, /has no fold_7; choose among fold_0, fold_1, fold_2/)
  await refused({ folds: ['../x'] }, /--folds \.\.\/x: give numbers/)
  await refused({ folds: undefined }, /fold_2\/checkpoint_final\.pth: is not there; finish its training/)
  await refused({ checkpoint: 'checkpoint_best.pth' }, /fold_0\/checkpoint_best\.pth: is not there/)
  const noDataset = changed('no-dataset', (folder) => rmSync(join(folder, 'dataset.json')))
  await refused({ from: noDataset }, /dataset\.json: is not there/)
  const foreign = changed('foreign', (folder) => cpSync(join(golden, 'module.pth'), join(folder, checkpoint)))
  await refused({ from: foreign }, /fold_0\/checkpoint_final\.pth: /)
  const other = changed('other', (folder) => {
    const plans = JSON.parse(readFileSync(join(folder, 'plans.json'), 'utf8'))
    plans.configurations['3d_fullres'].architecture.arch_kwargs.features_per_stage = [2, 5]
    writeFileSync(join(folder, 'plans.json'), JSON.stringify(plans))
  })
  await refused(
    { from: other },
    /checkpoint_final\.pth: its weight "[^"]+" is 4 × 2.*and the planned network's is 5 × 2/,
  )
})
