import assert from 'node:assert/strict'
import { test } from 'node:test'
import { UsageError } from '../../src/errors.js'
import type { MethodContext } from '../../src/methods/define.js'
import { loadMethod, methodList, requireContrasts } from '../../src/methods/registry.js'
import { parametersOf } from '../../src/run/segment.js'
import type { Vec3 } from '../../src/volume/affine.js'
import type { Modality, PreparedStudy } from '../../src/volume/study.js'
import { countVoxels, emptyImage, emptyMask, type Grid, type Image, sameGrid } from '../../src/volume/volume.js'

/** Every method of the registry passes every check here; the suite knows none of them by name. */
const context = (signal = new AbortController().signal): MethodContext => ({
  progress: () => {},
  signal,
  seed: 1,
  threads: 1,
  device: 'cpu',
})

/**
 * A head of nested balls (fluid, grey, white matter) with lesions in the white matter, on any voxel size; its own tissue
 * and atlas maps are exact.
 */
function phantom(size: Vec3, { lesions = true, contrast = true } = {}): PreparedStudy {
  const dims = size.map((mm) => Math.round(110 / mm)) as unknown as Vec3
  const grid: Grid = { dims, affine: [size[0], 0, 0, -55, 0, size[1], 0, -55, 0, 0, size[2], -55, 0, 0, 0, 1] }
  const image = () => emptyImage(grid)
  const [flair, t1, csf, gm, wm, prior] = [image(), image(), image(), image(), image(), image()]
  const brain = emptyMask(grid)
  let state = 11
  const noise = () => (state = (state * 48271) % 2147483647) / 2147483647 - 0.5
  for (let k = 0, at = 0; k < dims[2]; k++)
    for (let j = 0; j < dims[1]; j++)
      for (let i = 0; i < dims[0]; i++, at++) {
        const [x, y, z] = [i, j, k].map((v, axis) => v * size[axis] - 55)
        const r = Math.hypot(x, y, z)
        if (r > 50) continue
        brain.data[at] = 1
        const part = r > 47 || r < 8 ? 0 : r > 38 ? 1 : 2
        ;[csf, gm, wm][part].data[at] = 1
        prior.data[at] = part === 2 ? 0.5 : 0
        const lesion = lesions && part === 2 && (Math.hypot(x - 20, y, z) < 7 || Math.hypot(x + 15, y - 12, z - 4) < 8)
        flair.data[at] = contrast ? (lesion ? 160 : [25, 95, 78][part]) + 12 * noise() : 80
        t1.data[at] = (lesion ? 75 : [30, 70, 110][part]) + 8 * noise()
      }
  const none = emptyMask(grid)
  return {
    grid,
    images: { flair, t1 },
    brain,
    tissue: { csf, gm, wm },
    atlas: { csf, gm, wm, cortex: gm, lesionPrior: prior, ventricles: none, infratentorial: none, deepGrey: none },
    toAtlas: [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1],
    flags: [],
    records: [],
  }
}

/** What the study has, or else T2 or PD: fluid and lesions bright, white matter dark. */
function imageOf(study: PreparedStudy, modality: Modality): Image | undefined {
  const [fluid, grey, white, lesion] = modality === 't2' ? [160, 100, 75, 140] : [120, 110, 90, 140]
  const { csf, gm } = study.tissue
  return (
    study.images[modality] ?? {
      ...study.grid,
      data: study.images.flair!.data.map((v, i) => {
        if (study.brain.data[i] === 0) return 0
        const level = v > 140 ? lesion : csf.data[i] > 0 ? fluid : gm.data[i] > 0 ? grey : white
        // As noisy as FLAIR, and not the same noise.
        return level + ((v * 7919) % 8) - 4
      }),
    }
  )
}

const truthOf = (study: PreparedStudy): Image => ({
  ...study.grid,
  data: study.images.flair!.data.map((v) => (v > 140 ? 1 : 0)),
})

for (const entry of methodList.filter(({ needs }) => !needs.model)) {
  const run = async (study: PreparedStudy, params: Record<string, unknown> = {}, signal?: AbortSignal) => {
    const method = await loadMethod(entry.id)
    return await method.segment(study, method.params.parse(params), context(signal))
  }

  for (const [name, size] of [
    ['2 mm voxels', [2, 2, 2]],
    ['thick slices', [1.2, 1.2, 6]],
  ] as [string, Vec3][])
    test(`${entry.id}: finds plain lesions on ${name}, on the study's grid, without touching its input, twice the same`, async () => {
      const study = phantom(size)
      const before = study.images.flair!.data.slice()
      const [first, second] = [await run(study), await run(study)]
      assert.deepEqual(study.images.flair!.data, before)
      assert.ok(sameGrid(first.mask, study.grid))
      assert.deepEqual(first, second)
      const truth = truthOf(study)
      const both = first.mask.data.filter((v, i) => v !== 0 && truth.data[i] !== 0).length
      const overlap = (2 * both) / (countVoxels(first.mask) + countVoxels(truth))
      assert.ok(overlap > 0.75, `Dice ${overlap}`)
      if (first.probability) assert.ok(first.probability.data.every((p) => p >= 0 && p <= 1))
      if (first.probability) assert.ok(sameGrid(first.probability, study.grid))
    })

  test(`${entry.id}: each set of contrasts it names is enough`, async () => {
    const study = phantom([2, 2, 2])
    for (const set of entry.needs.contrasts) {
      const images = Object.fromEntries(set.map((modality) => [modality, imageOf(study, modality)]))
      assert.ok(countVoxels((await run({ ...study, images })).mask) > 0, set.join('+'))
    }
    assert.throws(() => requireContrasts(entry, []), UsageError)
  })

  test(`${entry.id}: no lesions, no white matter, or no brain: an empty mask or a plain error, never a crash`, async () => {
    const healthy = await run(phantom([2, 2, 2], { lesions: false }))
    assert.ok(countVoxels(healthy.mask) < 30, `${countVoxels(healthy.mask)} voxels in a healthy phantom`)
    const study = phantom([2, 2, 2])
    const nothing = {
      ...study,
      tissue: { ...study.tissue, wm: emptyImage(study.grid) },
      atlas: { ...study.atlas, wm: emptyImage(study.grid) },
    }
    for (const odd of [nothing, { ...study, brain: emptyMask(study.grid) }, phantom([2, 2, 2], { contrast: false })])
      await run(odd).then(
        ({ mask }) => assert.equal(countVoxels(mask), 0),
        (error: Error) => assert.equal(error.name, 'MethodError'),
      )
  })

  test(`${entry.id}: stops when it is cancelled`, async () => {
    await assert.rejects(run(phantom([2, 2, 2]), {}, AbortSignal.abort()), { name: 'AbortError' })
  })

  test(`${entry.id}: parameters have a description, a default and a range, and values outside are refused`, async () => {
    const method = await loadMethod(entry.id)
    for (const [name, { description, default: usual, minimum, maximum }] of Object.entries(
      entry.parameters.properties ?? {},
    )) {
      assert.ok(description && description.length > 10, name)
      assert.notEqual(usual, undefined, name)
      if (typeof usual !== 'number') continue
      assert.ok(minimum !== undefined && maximum !== undefined && usual >= minimum && usual <= maximum, name)
      for (const value of [minimum - 1, maximum + 1, 'much', Number.NaN])
        assert.throws(() => parametersOf(method, { [name]: value }), UsageError, `${name} = ${value}`)
    }
    assert.throws(() => parametersOf(method, { 'no such parameter': 1 }), UsageError)
  })

  test(`${entry.id}: says who it is`, () => {
    assert.match(entry.id, /^[a-z]+(\d{4}|\dd)$/)
    assert.ok(entry.citation.text.length > 40 && entry.describe.length > 80)
    assert.ok(entry.use.for.length > 30 && entry.use.not.length > 30)
    assert.ok(entry.needs.contrasts.length > 0)
  })
}
