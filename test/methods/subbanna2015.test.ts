import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  fit,
  type Round,
  type SubbannaParameters,
  segmentWith,
  subbanna2015,
} from '../../src/methods/unsupervised/subbanna2015.js'
import { labelComponents } from '../../src/volume/components.js'
import { countVoxels, type Mask } from '../../src/volume/volume.js'
import { runMethod } from '../phantom-study.js'
import { lesionVariant, phantomSlab, type Variant } from './lesion-variants.js'

// Fitted to six variants of PH-1 with lesions of 2–6 mm and bright vessels, and tried on three others, whose lesions are
// of 2–4 mm. The region level has to have met vessels: a supervised model knows no others than what it was shown.
const slab = await phantomSlab()
const training: Variant[] = []
for (let seed = 1; seed <= 6; seed++) training.push(await lesionVariant(slab, { seed }))
const unseen: Variant[] = []
for (const seed of [11, 12, 13]) unseen.push(await lesionVariant(slab, { seed, radii: [2, 4] }))
const model = await fit(training)
const context = { progress: () => {}, signal: new AbortController().signal }
const { model: _, ...defaults } = subbanna2015.params.parse({}) as SubbannaParameters & { model: string }

interface Tally {
  /** Lesions of 3–10 voxels: all of them, those found, and the share of their voxels that was found. */
  small: { all: number; found: number; share: number }
  falseFindings: number
  findings: number
  vessels: number
  dice: number
  rounds: Round[][]
}

async function run(params: Partial<SubbannaParameters>): Promise<Tally> {
  const tally: Tally = {
    small: { all: 0, found: 0, share: 0 },
    falseFindings: 0,
    findings: 0,
    vessels: 0,
    dice: 0,
    rounds: [],
  }
  for (const { study, truth, lesions, vessels } of unseen) {
    const rounds: Round[] = []
    const { mask } = await segmentWith(model, study, { ...defaults, ...params }, context, (round) => rounds.push(round))
    tally.rounds.push(rounds)
    const inside = (voxels: number[]) => voxels.filter((at) => mask.data[at] !== 0).length
    for (const voxels of lesions.filter(({ length }) => length >= 3 && length <= 10)) {
      tally.small.all++
      if (inside(voxels) > 0) tally.small.found++
      tally.small.share += inside(voxels) / voxels.length
    }
    tally.vessels += vessels.filter((voxels) => inside(voxels) > 0).length
    const { count, falseOnes } = findingsOf(mask, truth)
    tally.findings += count
    tally.falseFindings += falseOnes
    const both = mask.data.filter((v, i) => v !== 0 && truth.data[i] !== 0).length
    tally.dice += (2 * both) / (countVoxels(mask) + countVoxels(truth)) / unseen.length
  }
  tally.small.share /= tally.small.all
  return tally
}

function findingsOf(mask: Mask, truth: Mask): { count: number; falseOnes: number } {
  const { labels, count } = labelComponents(mask, 26)
  const real = new Set<number>()
  truth.data.forEach((v, i) => {
    if (v !== 0 && labels.data[i] > 0) real.add(labels.data[i])
  })
  return { count, falseOnes: count - real.size }
}

const two = await run({})
const one = await run({ iterations: 0 })

test('two levels find the small lesions with far fewer false findings than the voxel level alone', () => {
  // Lesions of PH-1 stand out so far that the voxel level finds every one already: more cannot be found, and the second
  // level shows in the findings that are none. Ours: 11 of 11 at LFPR 0 and Dice 0.997, alone 11 of 11 at 0.23 and 0.90.
  assert.ok(two.small.all >= 10)
  assert.equal(two.small.found, two.small.all)
  assert.ok(two.small.share > 0.95, `${two.small.share}`)
  const [withRegions, alone] = [two, one].map(({ falseFindings, findings }) => falseFindings / findings)
  assert.ok(alone > 0.15 && withRegions < alone / 5, `${withRegions} ${alone}`)
  assert.ok(two.dice > 0.97 && two.dice > one.dice + 0.05, `${two.dice} ${one.dice}`)
})

test('without the intensity differences small lesions lose voxels', async () => {
  // At the paper's full weight of a neighbour: ours 1 with them, 0.85 without.
  const [seen, unheeded] = [
    await run({ iterations: 0, neighbourWeight: 1 }),
    await run({ iterations: 0, neighbourWeight: 1, differences: false }),
  ]
  assert.ok(seen.small.share > 0.95, `${seen.small.share}`)
  assert.ok(unheeded.small.share < seen.small.share - 0.08, `${unheeded.small.share}`)
})

test('a bright vessel of 1 × 1 × 12 voxels is a candidate that the region level rejects, and it goes', () => {
  unseen.forEach(({ vessels }, at) => {
    const [{ labels, regions }] = two.rounds[at]
    for (const voxels of vessels) {
      const own = new Set(voxels.map((v) => labels[v]).filter((label) => label > 0))
      assert.ok(own.size > 0)
      for (const label of own) assert.ok(regions[label - 1] < 0.5, `${regions[label - 1]}`)
    }
  })
  assert.equal(one.vessels, 9)
  assert.equal(two.vessels, 0)
})

test('from round to round there is not more lesion', () => {
  for (const rounds of two.rounds)
    rounds.forEach(({ voxels }, at) => assert.ok(at === 0 || voxels <= rounds[at - 1].voxels))
  assert.ok(two.falseFindings < one.falseFindings)
})

test('FLAIR alone is enough, and healthy tissue has no lesion', async () => {
  const { study, truth } = unseen[0]
  const { mask } = await segmentWith(model, { ...study, images: { flair: study.images.flair! } }, defaults, context)
  const both = mask.data.filter((v, i) => v !== 0 && truth.data[i] !== 0).length
  assert.ok((2 * both) / (countVoxels(mask) + countVoxels(truth)) > 0.85)
  const healthy = await lesionVariant(slab, { seed: 21, lesions: 0, vessels: 0 })
  assert.equal(countVoxels((await segmentWith(model, healthy.study, defaults, context)).mask), 0)
})

test('a model that is not there is said so', async () => {
  await assert.rejects(runMethod(subbanna2015, slab.study, { model: '/no/such/folder' }), { name: 'InputError' })
})
