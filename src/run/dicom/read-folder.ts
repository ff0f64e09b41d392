import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { InputError } from '../../errors.js'
import { type DicomHeader, readDicomHeader } from '../../formats/dicom/header.js'
import { looksLikeDicom } from '../../formats/dicom/read.js'
import type { Progress } from '../options.js'

/** What a folder of DICOM files holds. */
export interface DicomFolder {
  files: { header: DicomHeader; file: string }[]
  /** Files that are not DICOM, and DICOM files whose header cannot be read. */
  others: number
  damaged: number
}

/** The directory of a disc: names files, is no image. */
const dicomDir = '1.2.840.10008.1.3.10'

/**
 * Reads the headers of all DICOM files in a folder and the folders below it. Links are not followed.
 *
 * @throws InputError when the folder cannot be read or holds no DICOM file
 */
export async function readDicomFolder(
  folder: string,
  { signal, onProgress }: { signal?: AbortSignal; onProgress?(event: Progress): void } = {},
): Promise<DicomFolder> {
  const paths = await filesBelow(folder)
  const found: DicomFolder = { files: [], others: 0, damaged: 0 }
  for (const [i, path] of paths.entries()) {
    signal?.throwIfAborted()
    if (i % 50 === 0) onProgress?.({ stage: 'Reading headers', fraction: i / paths.length })
    const bytes = await readFile(path).catch(() => undefined)
    if (!bytes || !looksLikeDicom(bytes)) {
      found.others++
      continue
    }
    try {
      const header = readDicomHeader(bytes, folder)
      if (header.sopClass === dicomDir) continue
      // Reports and presentation states have no rows; an MR without them has lost the end of its header.
      if (header.series === '' || header.rows === 0 || header.columns === 0)
        header.series === '' || header.modality === 'MR' || header.modality === '' ? found.damaged++ : found.others++
      else found.files.push({ header, file: path })
    } catch (error) {
      if (!(error instanceof InputError)) throw error
      found.damaged++
    }
  }
  if (found.files.length === 0)
    throw new InputError(
      folder,
      `holds no DICOM image that can be read (${paths.length} files, ${found.damaged} of them damaged DICOM)`,
      'give the folder of a study as the scanner or the PACS wrote it',
    )
  return found
}

async function filesBelow(folder: string): Promise<string[]> {
  const about = await stat(folder).catch(() => undefined)
  if (!about) throw new InputError(folder, 'there is no such folder', 'check the path')
  if (!about.isDirectory()) throw new InputError(folder, 'is a file, not a folder', 'give the folder that holds it')
  const paths: string[] = []
  const open = [folder]
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const entries = await readdir(next, { withFileTypes: true }).catch((cause) => {
      throw new InputError(folder, 'a folder in it may not be read', 'give yourself read permission', { cause })
    })
    for (const entry of entries) {
      if (entry.name.startsWith('.')) continue
      const path = join(next, entry.name)
      if (entry.isDirectory()) open.push(path)
      else if (entry.isFile()) paths.push(path)
    }
  }
  return paths.sort()
}
