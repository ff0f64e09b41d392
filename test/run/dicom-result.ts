import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { readNifti, writeNifti } from '../../src/formats/nifti.js'
import { writeTsv } from '../../src/formats/tsv.js'
import { importDicom } from '../../src/run/import-dicom.js'
import { hash } from '../../src/run/inputs.js'
import { voxelVolume } from '../../src/volume/volume.js'
import { mrSeries, type SeriesRecipe } from '../formats/dicom/series.js'
import { flairInput, provenanceText } from './made-up-result.js'

/** Writes series as a folder of files. */
export function writeSeries(folder: string, ...recipes: SeriesRecipe[]): string {
  mkdirSync(folder, { recursive: true })
  let n = readdirSync(folder).length
  for (const recipe of recipes)
    for (const bytes of mrSeries(recipe)) writeFileSync(join(folder, `${String(n++).padStart(4, '0')}.dcm`), bytes)
  return folder
}

/** Boxes [x, y, z, edge] of lesions in voxels of the image, and where they are. */
export const boxes = [
  [3, 4, 2, 3, 'periventricular'],
  [10, 5, 4, 2, 'periventricular'],
  [15, 12, 7, 3, 'juxtacortical'],
  [6, 14, 9, 2, 'infratentorial'],
] as const

/** A result as `segment` leaves it, on the FLAIR that `import-dicom` makes of a folder. */
export async function resultOf(dicom: string, folder: string, lesions: readonly (typeof boxes)[number][] = boxes) {
  const bids = join(folder, 'bids')
  await importDicom({ folder: dicom, out: bids })
  const path = join(bids, 'sub-001/anat/sub-001_FLAIR.nii.gz')
  const bytes = readFileSync(path)
  const { image } = await readNifti(bytes, path)
  const [nx, ny] = image.dims
  const ids = new Int16Array(image.data.length)
  const chance = new Float32Array(image.data.length)
  lesions.forEach(([x, y, z, edge], n) => {
    for (let k = z; k < z + edge; k++)
      for (let j = y; j < y + edge; j++)
        for (let i = x; i < x + edge; i++) {
          ids[i + nx * (j + ny * k)] = n + 1
          chance[i + nx * (j + ny * k)] = i === x ? 0.4 : 0.9
        }
  })
  const result = join(folder, 'result')
  mkdirSync(result, { recursive: true })
  const mm3 = voxelVolume(image)
  const files: [string, Uint8Array | string][] = [
    ['lesion_instances.nii.gz', await writeNifti({ ...image, data: ids })],
    ['lesion_probability.nii.gz', await writeNifti({ ...image, data: chance })],
    [
      'lesions.tsv',
      writeTsv(
        ['id', 'location', 'voxels', 'volume_mm3'],
        lesions.map(([, , , edge, where], n) => [n + 1, where, edge ** 3, (edge ** 3 * mm3).toFixed(3)]),
      ),
    ],
    ['provenance.json', provenanceText({ inputs: [flairInput({ sha256: hash(bytes) })] })],
    ['report.pdf', '%PDF-1.4\n1 0 obj <<>> endobj\ntrailer <<>>\n%%EOF\n'],
  ]
  for (const [name, content] of files) writeFileSync(join(result, name), content)
  return { result, image, ids }
}
