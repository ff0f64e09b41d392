import assert from 'node:assert/strict'
import { test } from 'node:test'
import { chiSquareQuantile } from '../../src/evaluate/statistics/distributions.js'
import type { HealthyImages } from '../../src/learn/local-model.js'
import { mopsLesions, tomasfernandez2015, typicality } from '../../src/methods/unsupervised/tomasfernandez2015.js'
import type { PreparedStudy } from '../../src/volume/study.js'
import { phantomGrid, phantomImage, phantomLabels } from '../phantom.js'
import { judge, phantomStudy, runMethod } from '../phantom-study.js'

const contrasts = ['flair', 't1', 't2'] as const
const labels = phantomLabels()
const context = {
  progress: () => {},
  signal: new AbortController().signal,
  seed: 1,
  threads: 1,
  device: 'cpu',
} as const
const defaults = tomasfernandez2015.params.parse({}) as Parameters<typeof mopsLesions>[1]
/** A Gaussian as wide as a neighbourhood of one voxel around each. */
const oneVoxel = 2 * Math.sqrt(2 / 3)

/** Ten lesion-free phantoms with their own noise. */
const population = Array.from(
  { length: 10 },
  (_, i): HealthyImages => ({
    channels: contrasts.map((contrast) => phantomImage({ contrast, seed: 11 + i, lesions: [] })),
    tissue: [1, 2, 3].map((label) => ({
      ...phantomGrid,
      data: Float32Array.from(labels.data, (v) => (v === label ? 1 : 0)),
    })),
  }),
)
const study = await phantomStudy({ contrasts })
const healthy = await phantomStudy({ contrasts, lesions: [] })

test('PH-1 with ten controls and the published rules: Dice of at least 0.9 for any chance of an outlier', async () => {
  for (const tau of [1e-3, 1e-6]) {
    const params = { ...defaults, tau, window: oneVoxel, bright: 0, white: 0.2, whiteSigma: 2 }
    const { mask, flags } = await mopsLesions(study, params, context, population)
    const { dice, detected } = judge(mask)
    assert.ok(dice >= 0.9, `Dice ${dice} with ${tau}`)
    assert.equal(detected.length, 8)
    assert.deepEqual(flags, [])
  }
})

/** Healthy, but for a ball of white matter that is as bright on FLAIR as grey matter is elsewhere. */
function withBall(): { ball: number[]; odd: PreparedStudy } {
  const flair = { ...healthy.images.flair!, data: healthy.images.flair!.data.slice() }
  const [nx, ny] = phantomGrid.dims
  const ball = [...labels.data.keys()].filter((i) => {
    const place = [i % nx, Math.floor(i / nx) % ny, Math.floor(i / (nx * ny))]
    const [x, y, z] = place.map((v, axis) => (v - [39.5, 47.5, 39.5][axis]) * 2)
    return labels.data[i] === 3 && Math.hypot(x - 34, y - 30, z - 10) <= 6
  })
  for (const i of ball) flair.data[i] += 92 - 75
  return { ball, odd: { ...healthy, images: { ...healthy.images, flair } } }
}

test('the place tells what the whole subject does not: grey-matter intensities in white matter', async () => {
  const { ball, odd } = withBall()
  for (const [heads, window, least] of [
    [population, oneVoxel, 0.22],
    [undefined, defaults.window, 0.1],
  ] as const) {
    const { voxels, joint, global } = await typicality(odd, { ...defaults, window }, context, heads)
    const at = new Map(Array.from(voxels, (voxel, i) => [voxel, i]))
    const share = (distance: Float32Array, tau: number, df: number) =>
      ball.filter((voxel) => distance[at.get(voxel)!] > chiSquareQuantile(1 - tau, df)).length / ball.length
    for (const tau of [1e-3, 1e-6]) {
      const gain = share(joint, tau, 6) - share(global, tau, 3)
      assert.ok(gain >= least, `${heads ? 'population' : 'subject'}, ${tau}: ${gain}`)
    }
    if (heads) assert.ok(share(joint, 1e-3, 6) > 0.75 && share(joint, 1e-6, 6) > 0.4)
  }
})

test('without a population: said in a flag, and as good on PH-1, from FLAIR alone too', async () => {
  for (const images of [study.images, { flair: study.images.flair }]) {
    const { mask, probability, flags } = await runMethod(tomasfernandez2015, { ...study, images })
    const { dice, detected } = judge(mask)
    assert.ok(flags!.some(({ code }) => code === 'no-population'))
    // The two lesions at the cortex lie where the smoothed atlas has little white matter.
    assert.ok(dice >= 0.88 && detected.length >= 6, `Dice ${dice}, ${detected}`)
    mask.data.forEach((v, i) => {
      if (v !== 0) assert.ok(probability!.data[i] > 0.5)
    })
  }
})

test('a local model that is the whole subject everywhere adds nothing: twice the distance', async () => {
  const images = { flair: study.images.flair }
  const alike = await typicality({ ...study, images }, { ...defaults, window: 3, shrink: 1e9 }, context, [
    {
      channels: [study.images.flair!],
      tissue: [1, 2, 3].map(() => ({ ...phantomGrid, data: new Float32Array(labels.data.length) })),
    },
  ])
  let furthest = 0
  // Both models are of the subject; the joint fit moves its own only where the sharper posteriors do.
  alike.joint.forEach((far, i) => {
    if (alike.kept[i] && alike.tissue[i] === 2) furthest = Math.max(furthest, Math.abs(far / 2 - alike.global[i]))
  })
  assert.ok(furthest < 1, `${furthest}`)
})

test('PH-1 without lesions: nothing', async () => {
  const { mask } = await runMethod(tomasfernandez2015, healthy)
  assert.equal(judge(mask).voxels, 0)
})
