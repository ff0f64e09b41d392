import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { UsageError } from '../../src/errors.js'
import { dice } from '../../src/evaluate/overlap.js'
import { readNifti, readNiftiMask } from '../../src/formats/nifti.js'
import { allUnsupervised, loadPanel } from '../../src/methods/panel.js'
import { methodList } from '../../src/methods/registry.js'
import { segment } from '../../src/run/segment.js'
import { simulateStudy } from '../../src/simulate/study.js'

test('several methods share a preparation; the mask is what most of them say', async () => {
  const { flair, t1, truth } = await simulateStudy({ seed: 5, pixelMm: 1.8, sliceMm: 5, lesionMl: 15 })
  const out = mkdtempSync(join(tmpdir(), 'panel-'))
  const method = 'roura2015,schmidt2012'
  const { mask, probability, provenance, summary } = await segment({ flair, t1, out, method })
  const { mask: staple } = await segment({ flair, t1, method, params: { rule: 'staple', 'schmidt2012.kappa': 0.25 } })
  const files = readdirSync(out)
  for (const name of [
    'lesion_uncertainty',
    'consensus_majority',
    'consensus_staple',
    'mask_roura2015',
    'mask_schmidt2012',
  ])
    assert.ok(files.includes(`${name}.nii.gz`), name)
  const read = async (name: string) => await readNiftiMask(readFileSync(join(out, name)), name)
  const [a, b] = [await read('mask_roura2015.nii.gz'), await read('mask_schmidt2012.nii.gz')]
  const uncertainty = (await readNifti(readFileSync(join(out, 'lesion_uncertainty.nii.gz')), 'uncertainty')).image
  let unlike = 0
  a.data.forEach((v, i) => {
    const votes = (v !== 0 ? 1 : 0) + (b.data[i] !== 0 ? 1 : 0)
    if (votes === 1) unlike++
    assert.ok(Math.abs(probability!.data[i] - votes / 2) < 1e-6)
    assert.equal(uncertainty.data[i], votes === 1 ? 1 : 0)
    // Of two methods both must say so; what is smaller than 3 mm³ is left out.
    if (mask.data[i] !== 0) assert.equal(votes, 2)
  })
  assert.ok(unlike > 0)
  assert.equal(summary.method, method)
  assert.equal(provenance.method.params['schmidt2012.phi'], 1)
  assert.ok(dice(mask, truth) > 0.6 && dice(staple, truth) > 0.6)
  // A later run with one method leaves nothing of the panel behind.
  await segment({ flair, t1, out, method: 'roura2015' })
  assert.ok(!readdirSync(out).some((name) => name.startsWith('mask_') || name.startsWith('consensus_')))
})

test('all-unsupervised is every unsupervised statistical method that runs with what is given', async () => {
  const { method } = await loadPanel(allUnsupervised, ['flair', 't1'])
  const ids = methodList
    .filter(({ supervision, strategy }) => supervision === 'unsupervised' && strategy === 'statistical')
    .map(({ id }) => id)
  for (const id of ids) assert.ok(method.describe.includes(id), id)
  assert.doesNotMatch(method.describe, /schmidt2017|subbanna2015|unet/)
})

test('a panel of one, of a method that is not there, or of what cannot share a preparation is refused in one line', async () => {
  await assert.rejects(loadPanel('roura2015,', ['flair']), UsageError)
  await assert.rejects(loadPanel('roura2015,roura2015', ['flair']), /two methods or more/)
  await assert.rejects(loadPanel('roura2015,rura2015', ['flair']), /did you mean roura2015/)
  await assert.rejects(loadPanel('roura2015,schmidt2012', ['t1']), /needs --flair/)
  await assert.rejects(loadPanel('roura2015,unet3d', ['flair', 't1']), /prepared otherwise/)
  await assert.rejects(loadPanel(allUnsupervised, []), UsageError)
})
