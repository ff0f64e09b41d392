import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { writeNifti } from '../../src/formats/nifti.js'
import { writeTsv } from '../../src/formats/tsv.js'
import { lesionTable } from '../../src/lesions/summary.js'
import type { ReportInput } from '../../src/report/input.js'
import type { Provenance } from '../../src/run/options.js'
import { brain, flair, reportInput } from '../report/phantom.js'

/** A folder as `segment` leaves it, of the report's phantom; faster than segmenting. */
export async function storeResult(folder: string, more: Partial<Provenance> = {}): Promise<ReportInput> {
  mkdirSync(folder, { recursive: true })
  const input = reportInput()
  const { columns, rows } = lesionTable(input.lesions)
  const provenance: Partial<Provenance> = {
    schemaVersion: 1,
    software: { name: 'lesionwise', version: '9.9.9', node: '20.0.0' },
    method: { id: 'roura2015', params: { alpha: 3 }, citation: 'Roura 2015' },
    options: { minimumSizeMm3: 3, minimumVoxels: 3, connectivity: 18, locationRule: 'clinical' },
    inputs: [{ role: 'flair', dims: flair.dims, voxelSizeMm: [2, 2, 3], orientation: 'RAS' }],
    stages: [{ stage: 'Segmenting', seconds: 1.5, peakMegabytes: 100 }],
    started: '2026-05-04T03:02:01.000Z',
    seconds: 2,
    ...more,
  }
  const files: Record<string, Uint8Array | string> = {
    'lesion_instances.nii.gz': await writeNifti(input.labels),
    'brain_mask.nii.gz': await writeNifti(brain),
    'lesions.tsv': writeTsv(columns, rows),
    'summary.json': JSON.stringify({ ...input.summary, method: 'roura2015' }),
    'provenance.json': JSON.stringify(provenance),
  }
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content)
  return input
}

export const flairFile = async (path: string): Promise<void> => writeFileSync(path, await writeNifti(flair))
