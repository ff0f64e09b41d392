import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { writeNifti } from '../../src/formats/nifti.js'
import { writeTsv } from '../../src/formats/tsv.js'
import { lesionTable } from '../../src/lesions/summary.js'
import type { ReportInput } from '../../src/report/input.js'
import type { Provenance } from '../../src/run/provenance.js'
import { brain, flair, reportInput } from '../report/phantom.js'
import { flairInput, provenanceText } from './made-up-result.js'

/** A folder as `segment` leaves it, of the report's phantom; faster than segmenting. */
export async function storeResult(folder: string, more: Partial<Provenance> = {}): Promise<ReportInput> {
  mkdirSync(folder, { recursive: true })
  const input = reportInput()
  const { columns, rows } = lesionTable(input.lesions)
  const files: Record<string, Uint8Array | string> = {
    'lesion_instances.nii.gz': await writeNifti(input.labels),
    'brain_mask.nii.gz': await writeNifti(brain),
    'lesions.tsv': writeTsv(columns, rows),
    'summary.json': JSON.stringify({ ...input.summary, method: 'roura2015' }),
    'provenance.json': provenanceText({
      inputs: [flairInput({ dims: flair.dims, voxelSizeMm: [2, 2, 3] })],
      ...more,
    }),
  }
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content)
  return input
}

export const flairFile = async (path: string): Promise<void> => writeFileSync(path, await writeNifti(flair))
