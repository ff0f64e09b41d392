import { type NiftiHeader, writeNifti } from '../formats/nifti.js'
import { writeTsv } from '../formats/tsv.js'
import type { LesionSet } from '../lesions/instances.js'
import { lesionTable, type Summary } from '../lesions/summary.js'
import type { Preparation } from '../preprocess/pipeline.js'
import type { LesionMap } from '../volume/study.js'
import type { Image, Mask } from '../volume/volume.js'
import type { OwnFile } from './output-folder.js'
import type { Provenance } from './provenance.js'

/** A method's uncertainty and further maps on the FLAIR's own grid, by the name of their file. */
export async function furtherMaps(map: LesionMap, { toNative }: Preparation): Promise<Record<string, Image | Mask>> {
  const found: Record<string, Image | Mask> = {}
  if (map.uncertainty) found.lesion_uncertainty = await toNative.image(map.uncertainty)
  for (const [name, one] of Object.entries(map.maps ?? {}))
    found[name] =
      one.data instanceof Float32Array ? await toNative.image(one as Image) : await toNative.mask(one as Mask)
  return found
}

/** The files of a result, by name. */
export async function packed({
  set,
  probability,
  further,
  brain,
  summary,
  report,
  pdf,
  provenance,
  header,
}: {
  set: LesionSet
  probability: Image | undefined
  further: Readonly<Record<string, Image | Mask>>
  brain: Mask
  summary: Summary
  report: string
  pdf?: Uint8Array
  provenance: Provenance
  header: NiftiHeader | undefined
}): Promise<Map<OwnFile, Uint8Array | string>> {
  const files = new Map<OwnFile, Uint8Array | string>()
  const like = header ? { like: header } : {}
  files.set('lesion_mask.nii.gz', await writeNifti(set.mask, like))
  files.set('lesion_instances.nii.gz', await writeNifti(set.labels, like))
  // Level 1: probabilities hardly shrink further, and this is the largest file.
  if (probability) files.set('lesion_probability.nii.gz', await writeNifti(probability, { ...like, level: 1 }))
  for (const [name, map] of Object.entries(further)) files.set(`${name}.nii.gz`, await writeNifti(map, like))
  files.set('brain_mask.nii.gz', await writeNifti(brain, like))
  const { columns, rows } = lesionTable(set.lesions)
  files.set('lesions.tsv', writeTsv(columns, rows))
  files.set('summary.json', `${JSON.stringify(summary, null, 2)}\n`)
  files.set('report.html', report)
  if (pdf) files.set('report.pdf', pdf)
  files.set('provenance.json', `${JSON.stringify(provenance, null, 2)}\n`)
  return files
}
