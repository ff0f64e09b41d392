import type { Summary } from '../../src/lesions/summary.js'
import type { Provenance } from '../../src/run/provenance.js'

/** What `segment` writes of a run, as text; `more` is what a test looks at. */
export const provenanceText = (more: Partial<Provenance> = {}): string =>
  JSON.stringify({
    schemaVersion: 1,
    software: { name: 'lesionwise', version: '9.9.9', node: '20.0.0' },
    method: { id: 'roura2015', params: { alpha: 3 }, citation: 'Roura 2015' },
    options: { minimumSizeMm3: 3, minimumVoxels: 3, connectivity: 18, locationRule: 'clinical' },
    inputs: [],
    steps: [],
    stages: [{ stage: 'Segmenting', seconds: 1.5, peakMegabytes: 100 }],
    started: '2026-05-04T03:02:01.000Z',
    finished: '2026-05-04T03:02:03.000Z',
    seconds: 2,
    peakMegabytes: 100,
    ...more,
  } satisfies Provenance)

/** The FLAIR among a run's inputs. */
export const flairInput = (more: Partial<Provenance['inputs'][number]> = {}): Provenance['inputs'][number] => ({
  role: 'flair',
  dims: [4, 4, 4],
  voxelSizeMm: [1, 1, 1],
  orientation: 'RAS',
  ...more,
})

const none = { count: 0, volumeMl: 0 }

export const summaryText = (more: Partial<Summary> = {}): string =>
  JSON.stringify({
    schemaVersion: 1,
    lesionCount: 0,
    lesionVolumeMl: 0,
    lesionVolumePercentOfBrain: null,
    byLocation: { periventricular: none, juxtacortical: none, infratentorial: none, subcortical: none },
    flags: [],
    method: 'roura2015',
    connectivity: 18,
    minimumSizeMm3: 3,
    ...more,
  } satisfies Summary)
