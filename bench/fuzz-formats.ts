import { gzipSync } from 'node:zlib'
import { parseBidsName } from '../src/formats/bids.js'
import { readDicomHeader } from '../src/formats/dicom/header.js'
import { readItkAffine, writeItkAffine } from '../src/formats/itk.js'
import { readItkMat } from '../src/formats/itk-mat.js'
import { readMgh, writeMgh } from '../src/formats/mgh.js'
import { readNifti, readNiftiVectors, writeNifti } from '../src/formats/nifti.js'
import { readSafetensors, writeSafetensors } from '../src/formats/safetensors.js'
import { readTorchCheckpoint } from '../src/formats/torch-checkpoint.js'
import { readTsv, writeTsv } from '../src/formats/tsv.js'
import { readStoredZip } from '../src/formats/zip.js'
import { identity } from '../src/volume/affine.js'
import { emptyMask } from '../src/volume/volume.js'
import { flairRecipe, mrSeries } from '../test/formats/dicom/series.js'

/** What is fed with damaged files. */
export interface Reader {
  name: string
  seeds: Uint8Array[]
  read(bytes: Uint8Array): unknown
  /** It must do without a file that is damaged: to refuse it is a fault too. */
  doesWithout?: boolean
}

export const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)
export const bytesOf = (content: string): Uint8Array => new TextEncoder().encode(content)

export function joined(a: Uint8Array, b: Uint8Array): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(a.length + b.length)
  whole.set(a)
  whole.set(b, a.length)
  return whole
}

/** Readers of image, table, transform and weight formats, with seeds that this package writes. */
export async function formatReaders(): Promise<Reader[]> {
  const mask = emptyMask({ dims: [6, 5, 4], affine: [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 2, 0, 0, 0, 0, 1] })
  const image = { ...mask, data: Float32Array.from(mask.data, (_, i) => i) }
  const zipped = [await writeNifti(image), await writeNifti(mask)]
  const plain = [await writeNifti(image, { plain: true }), await writeNifti(mask, { plain: true })]
  const version2 = await writeNifti(image, {
    plain: true,
    like: { version: 2, sformCode: 1, qformCode: 1, timeUnit: 0 },
  })
  // A header is worth mutating inside the gzip too.
  const repacked = (read: (bytes: Uint8Array) => unknown) => (bytes: Uint8Array) =>
    read(new Uint8Array(gzipSync(bytes, { level: 1 })))
  const nifti = (bytes: Uint8Array) => readNifti(bytes, 'file')
  const weights = writeSafetensors(new Map([['w', { shape: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) }]]))
  const zip = storedZip({
    'archive/data.pkl': pickled(),
    'archive/data/0': new Uint8Array(24),
    'archive/version': bytesOf('3\n'),
  })
  return [
    { name: 'nifti', seeds: [...plain, version2], read: nifti },
    { name: 'nifti.gz', seeds: zipped, read: nifti },
    { name: 'nifti in gzip', seeds: [...plain, version2], read: repacked(nifti) },
    { name: 'nifti vectors', seeds: plain, read: (bytes) => readNiftiVectors(bytes, 'file') },
    { name: 'mgh', seeds: [await writeMgh(mask)], read: (bytes) => readMgh(bytes, 'file') },
    { name: 'dicom header', seeds: mrSeries(flairRecipe).slice(0, 2), read: (bytes) => readDicomHeader(bytes, 'file') },
    {
      name: 'tsv',
      seeds: [
        bytesOf(
          writeTsv(
            ['a', 'b'],
            [
              [1, 'x'],
              [2, undefined],
            ],
          ),
        ),
      ],
      read: (bytes) => readTsv(text(bytes), 'file'),
    },
    {
      name: 'itk transform',
      seeds: [bytesOf(writeItkAffine(identity))],
      read: (bytes) => readItkAffine(text(bytes), 'file'),
    },
    { name: 'itk .mat', seeds: [matFile()], read: (bytes) => readItkMat(bytes, 'file') },
    { name: 'safetensors', seeds: [weights], read: (bytes) => readSafetensors(bytes, 'file') },
    { name: 'zip', seeds: [zip], read: (bytes) => readStoredZip(bytes, 'file') },
    { name: 'checkpoint', seeds: [zip], read: (bytes) => readTorchCheckpoint(bytes, 'file') },
    {
      name: 'bids name',
      seeds: [bytesOf('sub-01_ses-2_acq-3d_run-1_FLAIR.nii.gz')],
      read: (bytes) => parseBidsName(text(bytes)),
    },
  ]
}

/** {'a': (1, 2.5, b'x')} in pickle's protocol 2. */
function pickled(): Uint8Array {
  return Uint8Array.of(
    ...[0x80, 2, 0x7d, 0x71, 0, 0x58, 1, 0, 0, 0, 0x61, 0x71, 1, 0x4b, 1],
    ...[0x47, 0x40, 4, 0, 0, 0, 0, 0, 0, 0x55, 1, 0x78, 0x87, 0x71, 2, 0x73, 0x2e],
  )
}

/** A MATLAB level 4 file as ITK writes affines: 12 parameters and 3 of a centre. */
function matFile(): Uint8Array {
  const one = (name: string, values: readonly number[]) => {
    const head = new DataView(new ArrayBuffer(20))
    for (const [i, value] of [0, values.length, 1, 0, name.length + 1].entries()) head.setInt32(4 * i, value, true)
    const body = new DataView(new ArrayBuffer(8 * values.length))
    for (const [i, value] of values.entries()) body.setFloat64(8 * i, value, true)
    return joined(joined(new Uint8Array(head.buffer), bytesOf(`${name}\0`)), new Uint8Array(body.buffer))
  }
  return joined(one('AffineTransform_double_3_3', [1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0]), one('fixed', [0, 0, 0]))
}

/** A zip archive whose entries are stored as they are. */
function storedZip(entries: Record<string, Uint8Array>): Uint8Array {
  let [whole, directory] = [new Uint8Array(0), new Uint8Array(0)]
  const record = (size: number, fill: (view: DataView) => void) => {
    const view = new DataView(new ArrayBuffer(size))
    fill(view)
    return new Uint8Array(view.buffer)
  }
  for (const [name, content] of Object.entries(entries)) {
    const at = whole.length
    const local = record(30, (view) => {
      view.setUint32(0, 0x04034b50, true)
      view.setUint16(4, 20, true)
      view.setUint32(18, content.length, true)
      view.setUint32(22, content.length, true)
      view.setUint16(26, name.length, true)
    })
    const central = record(46, (view) => {
      view.setUint32(0, 0x02014b50, true)
      view.setUint32(20, content.length, true)
      view.setUint32(24, content.length, true)
      view.setUint16(28, name.length, true)
      view.setUint32(42, at, true)
    })
    whole = joined(joined(whole, joined(local, bytesOf(name))), content)
    directory = joined(directory, joined(central, bytesOf(name)))
  }
  const end = record(22, (view) => {
    view.setUint32(0, 0x06054b50, true)
    view.setUint16(8, Object.keys(entries).length, true)
    view.setUint16(10, Object.keys(entries).length, true)
    view.setUint32(12, directory.length, true)
    view.setUint32(16, whole.length, true)
  })
  return joined(joined(whole, directory), end)
}
