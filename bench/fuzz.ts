// Damaged and hostile files against the readers: each mutation must end in a value or in one clear line (InputError),
// within 10 s and within the memory limit.
//
//   npm run bench:fuzz -- [--mutations 100000] [--seed 1] [--reader NAME …]
//
// Seeds are files that this package writes. Mutations: flipped bits, other bytes, cut, grown, repeated, spliced with another
// file, numbers at the edge (0, −1, 2³¹ − 1, NaN) at places of a header; of JSON also values of another type, fields missing
// or too many. Then bombs: gzip files that unpack to a gigabyte. Some readers must do without what is damaged: a version of a
// rater, one visit of a cohort, a job of the server stop no other.
// Runs in one process with a heap of 1 GB (`node --max-old-space-size=1024`): a reader that asks for all the memory that a
// header names ends it. Exits 1 when a reader failed.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { gzipSync } from 'node:zlib'
import { LesionwiseError } from '../src/errors.js'
import { seededRandom } from '../src/random.js'
import { folderReaders } from './fuzz-folders.js'
import { bytesOf, formatReaders, joined, type Reader, text } from './fuzz-formats.js'

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

const random = seededRandom(Number(options.seed))
const below = (n: number) => Math.floor(random() * n)
const longest = 10
const isJson = (bytes: Uint8Array) => bytes[0] === 0x7b
const odd: readonly unknown[] = [
  ...[
    null,
    true,
    0,
    -1,
    0.5,
    1e308,
    2 ** 53,
    '',
    'x',
    '../../etc/passwd',
    '__proto__',
    '\u0000\n\u001b[2J',
    '2026-13-99',
  ],
  ...['9'.repeat(10_000), [], [[]], [null], {}, { __proto__: null, constructor: 1 }],
  ...[Array.from({ length: 1000 }, () => 1), JSON.parse('['.repeat(200) + ']'.repeat(200))],
]

const folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'lesionwise-fuzz-'))
process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
const readers = [...(await formatReaders()), ...(await folderReaders(folder))].filter(
  ({ name }) => !options.reader || options.reader.includes(name),
)
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
  { read, doesWithout }: Reader,
  bytes: Uint8Array,
  found: { read: number; refused: number; faults: string[]; slowest: number },
): Promise<void> {
  const start = performance.now()
  try {
    await read(bytes)
    found.read++
  } catch (error) {
    if (error instanceof LesionwiseError && !error.message.includes('\n') && !doesWithout) found.refused++
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
  if (isJson(bytes) && random() < 0.7) return bytesOf(JSON.stringify(otherForm(JSON.parse(text(bytes)))))
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

/** JSON that is sound and has another form: values of another type, fields that are missing or too many. */
function otherForm(value: unknown): unknown {
  for (let times = 1 + below(3); times > 0; times--) {
    const places: { holder: Record<string, unknown>; key: string }[] = []
    const walk = (holder: Record<string, unknown>) => {
      for (const key of Object.keys(holder)) {
        places.push({ holder, key })
        if (typeof holder[key] === 'object' && holder[key] !== null) walk(holder[key] as Record<string, unknown>)
      }
    }
    const whole = { value }
    walk(whole)
    const { holder, key } = places[below(places.length)]
    const kind = below(4)
    if (kind === 0) delete holder[key]
    else if (kind === 1) {
      const other = places[below(places.length)]
      holder[key] = structuredClone(other.holder[other.key])
    } else holder[key] = structuredClone(odd[below(odd.length)])
    value = whole.value
    if (value === undefined) return null
  }
  return value
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

/** A gigabyte of zeros in a megabyte, by itself and behind a seed's first bytes; for JSON, millions of brackets. */
function bombs({ seeds: [seed] }: Reader): Uint8Array[] {
  if (isJson(seed)) return [bytesOf('['.repeat(5e6)), bytesOf('{"a":'.repeat(1e6)), new Uint8Array(5e7).fill(0x31)]
  const zeros = Buffer.alloc(2 ** 28)
  return [[zeros], [seed.subarray(0, 400)]].map(
    (start) => new Uint8Array(gzipSync(Buffer.concat([...start, zeros, zeros, zeros]), { level: 1 })),
  )
}
