// Damaged and hostile files against the readers: each mutation must end in a value or in one clear line (InputError),
// within 10 s and within the memory limit.
//
//   npm run bench:fuzz -- [--mutations 100000] [--seed 1] [--reader NAME …]
//
// Seeds are files that this package writes. Mutations: flipped bits, other bytes, cut, grown, repeated, spliced with another
// file, numbers at the edge (0, −1, 2³¹ − 1, NaN) at places of a header. Then bombs: gzip files that unpack to a gigabyte.
// Runs in one process with a heap of 1 GB (`node --max-old-space-size=1024`): a reader that asks for all the memory that a
// header names ends it. Exits 1 when a reader failed.
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { gzipSync } from 'node:zlib'
import { LesionwiseError } from '../src/errors.js'
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
import { seededRandom } from '../src/random.js'
import { identity } from '../src/volume/affine.js'
import { emptyMask } from '../src/volume/volume.js'
import { flairRecipe, mrSeries } from '../test/formats/dicom/series.js'

const { values: options } = parseArgs({
  options: {
    mutations: { type: 'string', default: '100000' },
    seed: { type: 'string', default: '1' },
    reader: { type: 'string', multiple: true },
    inside: { type: 'boolean', default: false },
  },
})
if (!options.inside) {
  const { status } = spawnSync(
    process.execPath,
    [
      ...['--max-old-space-size=1024', '--import', 'tsx', fileURLToPath(import.meta.url), '--inside'],
      ...process.argv.slice(2),
    ],
    { stdio: 'inherit' },
  )
  process.exit(status ?? 1)
}

interface Reader {
  name: string
  seeds: Uint8Array[]
  read(bytes: Uint8Array): unknown
}
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes)
const bytesOf = (content: string) => new TextEncoder().encode(content)
const random = seededRandom(Number(options.seed))
const below = (n: number) => Math.floor(random() * n)
const longest = 10

const readers = (await all()).filter(({ name }) => !options.reader || options.reader.includes(name))
const each = Math.ceil(Number(options.mutations) / readers.length)
let failed = 0
console.log('| reader | mutations | read | refused in one line | failed | longest, ms | memory, MB |')
console.log('|---|---|---|---|---|---|---|')
for (const reader of readers) {
  const found = { read: 0, refused: 0, faults: [] as string[], slowest: 0 }
  for (let n = 0; n < each; n++) await attempt(reader, mutated(reader.seeds), found)
  for (const bomb of bombs(reader)) await attempt(reader, bomb, found)
  failed += found.faults.length
  const memory = Math.round(process.memoryUsage().rss / 1e6)
  console.log(
    `| ${reader.name} | ${each} | ${found.read} | ${found.refused} | ${found.faults.length} | ${found.slowest.toFixed(0)} | ${memory} |`,
  )
  for (const fault of [...new Set(found.faults)].slice(0, 5)) console.log(`    ${fault}`)
}
process.exit(failed > 0 ? 1 : 0)

async function attempt(
  { read }: Reader,
  bytes: Uint8Array,
  found: { read: number; refused: number; faults: string[]; slowest: number },
): Promise<void> {
  const start = performance.now()
  try {
    await read(bytes)
    found.read++
  } catch (error) {
    if (error instanceof LesionwiseError && !error.message.includes('\n')) found.refused++
    else
      found.faults.push(
        `${(error as Error).name}: ${(error as Error).message} ${(error as Error).stack?.split('\n')[1]}`,
      )
  }
  const ms = performance.now() - start
  if (ms > 1000 * longest) found.faults.push(`took ${(ms / 1000).toFixed(1)} s`)
  found.slowest = Math.max(found.slowest, ms)
}

function mutated(seeds: readonly Uint8Array[]): Uint8Array {
  let bytes = Uint8Array.from(seeds[below(seeds.length)])
  for (let times = 1 + below(4); times > 0; times--) {
    const at = below(bytes.length + 1)
    const kind = below(7)
    if (kind === 0) bytes[at] ^= 1 << below(8)
    else if (kind === 1) bytes[at] = below(256)
    else if (kind === 2) bytes = bytes.slice(0, at)
    else if (kind === 3) bytes = joined(bytes.subarray(0, at), bytes.subarray(below(bytes.length + 1)))
    else if (kind === 4)
      bytes = joined(
        bytes,
        Uint8Array.from({ length: below(200) }, () => below(256)),
      )
    else if (kind === 5) bytes = joined(bytes.subarray(0, at), seeds[below(seeds.length)].subarray(at))
    // At the beginning: that is where headers are.
    else edge(bytes, below(Math.min(bytes.length, 600)))
  }
  return bytes
}

function edge(bytes: Uint8Array, at: number): void {
  const values = [0, -1, 1, 2 ** 31 - 1, -(2 ** 31), 32767, -32768, Number.NaN]
  const value = values[below(values.length)]
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const little = random() < 0.8
  if (at + 8 > bytes.length) return
  const kind = below(4)
  if (kind === 0) view.setInt16(at, value, little)
  else if (kind === 1) view.setInt32(at, value, little)
  else if (kind === 2) view.setFloat32(at, value, little)
  else view.setFloat64(at, value, little)
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(a.length + b.length)
  whole.set(a)
  whole.set(b, a.length)
  return whole
}

/** A gigabyte of zeros in a megabyte, by itself and behind each seed's first bytes. */
function bombs({ seeds }: Reader): Uint8Array[] {
  const zeros = Buffer.alloc(2 ** 28)
  return seeds
    .slice(0, 1)
    .flatMap((seed) => [
      new Uint8Array(gzipSync(Buffer.concat([zeros, zeros, zeros, zeros]), { level: 1 })),
      new Uint8Array(gzipSync(Buffer.concat([seed.subarray(0, 400), zeros, zeros, zeros]), { level: 1 })),
    ])
}

async function all(): Promise<Reader[]> {
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
