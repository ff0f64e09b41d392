import assert from 'node:assert/strict'
import { test } from 'node:test'
import { lesionTable, summarise } from '../../src/lesions/summary.js'
import type { Lesion } from '../../src/lesions/types.js'
import { identity } from '../../src/volume/affine.js'
import type { Mask } from '../../src/volume/volume.js'

const lesion = (id: number, volumeMm3: number, more: Partial<Lesion>): Lesion => ({
  id,
  voxels: volumeMm3,
  volumeMm3,
  centroid: [1.23456789, -2, 3],
  box: { start: [0, 0, 0], dims: [1, 1, 1] },
  longestAxisMm: 4,
  ...more,
})
const lesions = [
  lesion(1, 500, { location: 'periventricular', touches: ['periventricular', 'juxtacortical'], ventricleGapMm: 0 }),
  lesion(2, 20, { location: 'juxtacortical', ventricleGapMm: Number.POSITIVE_INFINITY, intensities: { flair: 812.5 } }),
  lesion(3, 10, { location: 'periventricular' }),
]
const common = { flags: [], method: 'roura2015', connectivity: 18, minimumSizeMm3: 3 } as const

test('the summary counts lesions and millilitres by location', () => {
  const brain: Mask = { dims: [100, 10, 53], affine: identity, data: new Uint8Array(53000).fill(1) }
  const summary = summarise({ lesions, brain, ...common })
  assert.deepEqual(summary, {
    schemaVersion: 1,
    lesionCount: 3,
    lesionVolumeMl: 0.53,
    lesionVolumePercentOfBrain: 1,
    byLocation: {
      periventricular: { count: 2, volumeMl: 0.51 },
      juxtacortical: { count: 1, volumeMl: 0.02 },
      infratentorial: { count: 0, volumeMl: 0 },
      subcortical: { count: 0, volumeMl: 0 },
    },
    flags: [],
    method: 'roura2015',
    connectivity: 18,
    minimumSizeMm3: 3,
  })
  assert.equal(summarise({ lesions, ...common }).lesionVolumePercentOfBrain, null)
  assert.equal(summarise({ lesions, ...common, model: 'unet-1' }).model, 'unet-1')
})

test('the table starts with the promised columns and leaves empty what was not measured', () => {
  const { columns, rows } = lesionTable(lesions)
  assert.equal(columns.slice(0, 7).join(' '), 'id location voxels volume_mm3 centroid_x_mm centroid_y_mm centroid_z_mm')
  assert.equal(columns.at(-1), 'mean_flair')
  assert.deepEqual(rows[0].slice(0, 7), [1, 'periventricular', 500, 500, 1.2346, -2, 3])
  assert.equal(rows[0][columns.indexOf('touches')], 'periventricular,juxtacortical')
  assert.equal(rows[1][columns.indexOf('ventricle_gap_mm')], undefined)
  assert.equal(rows[1].at(-1), 812.5)
  assert.ok(rows.every((row) => row.length === columns.length))
})
