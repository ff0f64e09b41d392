import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hill2015 } from '../../src/methods/unsupervised/hill2015.js'
import type { Image, Mask } from '../../src/volume/volume.js'
import { judge, phantomStudy, runMethod } from '../phantom-study.js'

const classic = await phantomStudy({ contrasts: ['t1', 't2', 'pd'] })
/** Candidates of the whole brain, three deviations above grey matter. */
const plain = { white: 0, k: 3, fewest: 1 }

/** What the steps give of T1, T2 and PD, and the clusters they were made of. */
const stages = (async () => {
  let clusters: Mask | undefined
  const show = (step: string, map: Image | Mask) => {
    if (step === 'clusters') clusters = map as Mask
  }
  return {
    raw: await runMethod(hill2015, classic, { ...plain, refine: false, shell: 0, smallest: 0 }, { show }),
    shell: await runMethod(hill2015, classic, { ...plain, refine: false }),
    refined: await runMethod(hill2015, classic, plain),
    clusters: clusters!,
  }
})()

test('T1, T2 and PD: three clusters, found and not asked for; candidates, surroundings and borders step by step', async () => {
  // With the spread within clusters for a measure every exponent from 0.5 to the textbook's 1.5 says three; of the
  // prototype, which measured in that of the data, 1.5 said six.
  const { raw, shell: surrounded, refined: bordered } = await stages
  assert.equal(raw.figures!.clusters, 3)
  const all = judge(raw.mask)
  assert.ok(all.voxels > 1500 && all.dice < 0.4, `${all.voxels} candidates, Dice ${all.dice}`)
  // The prototype went from 0.24 to 0.67 by the shell of white matter, with five lesions of eight.
  const shell = judge(surrounded.mask)
  assert.ok(shell.dice > 0.57 && shell.dice < 0.75, `Dice ${shell.dice}`)
  assert.ok(shell.detected.length >= 5 && !shell.detected.includes('JC1') && !shell.detected.includes('IT1'))
  // The transformed contrast gives the lesions back their rims.
  const refined = judge(bordered.mask)
  assert.ok(refined.dice > shell.dice)
  for (const name of ['PV1', 'PV2', 'SC1', 'SC2', 'SC3', 'BH1'] as const) assert.ok(refined.shares[name] > 0.9, name)
})

test('as it is by default', async () => {
  const study = await phantomStudy({ contrasts: ['flair', 't1'] })
  const { mask, figures, flags } = await runMethod(hill2015, study)
  assert.ok(judge(mask).dice > 0.9)
  assert.equal(figures!.clusters, 3)
  assert.ok(flags!.some(({ code }) => code === 'flair-for-t2'))
  assert.equal(judge((await runMethod(hill2015, await phantomStudy({ lesions: [] }))).mask, []).voxels, 0)
})

test('edges kept, mixed voxels widen the clusters: the fit of three clusters is worse', async () => {
  const { figures } = await runMethod(hill2015, classic, { ...plain, flat: 1, refine: false })
  assert.ok(figures!.jump3 < (await stages).raw.figures!.jump3)
})

test('the order of the contrasts changes no label', async () => {
  let other: Mask | undefined
  const show = (step: string, map: Image | Mask) => {
    if (step === 'clusters') other = map as Mask
  }
  const { t1, t2, pd } = classic.images
  await runMethod(hill2015, { ...classic, images: { t1, t2: pd, pd: t2 } }, { ...plain, refine: false }, { show })
  const { clusters: first } = await stages
  // Up to the numbers that the clusters have.
  const pairs = new Map<string, number>()
  first.data.forEach((v, i) => pairs.set(`${v} ${other!.data[i]}`, (pairs.get(`${v} ${other!.data[i]}`) ?? 0) + 1))
  const same = [...pairs.values()].sort((a, b) => b - a).slice(0, 4)
  assert.ok(same.reduce((sum, n) => sum + n, 0) > 0.999 * first.data.length)
})
