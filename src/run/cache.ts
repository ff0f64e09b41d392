import { createHash } from 'node:crypto'
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { RunError } from '../errors.js'
import type { StepStore, StepValue } from '../preprocess/store.js'
import type { Volume, VoxelArray } from '../volume/volume.js'

/**
 * Keeps what preparation steps made in a folder, one file a key: a line of JSON (sha256 of the rest, then the value with
 * its volumes described), and the voxels. Files are written under another name and renamed; one that is damaged is
 * taken for missing.
 */
export function diskStore(folder: string): StepStore {
  return {
    async load(key) {
      try {
        return decode(await readFile(join(folder, `${key}.step`)))
      } catch {
        return undefined
      }
    },
    async save(key, value) {
      const path = join(folder, `${key}.step`)
      const temporary = `${path}.${process.pid}`
      try {
        await mkdir(folder, { recursive: true })
        await writeFile(temporary, encode(value))
        await rename(temporary, path)
      } catch (cause) {
        await rm(temporary, { force: true }).catch(() => {})
        const reason = cause instanceof Error ? cause.message.split(',')[0] : String(cause)
        throw new RunError(`${folder}: preparation steps cannot be kept here (${reason}); give --work another folder`, {
          cause,
        })
      }
    },
  }
}

const arrays = { Uint8Array, Int8Array, Uint16Array, Int16Array, Uint32Array, Int32Array, Float32Array, Float64Array }

interface Described {
  array: keyof typeof arrays
  dims: Volume['dims']
  affine: Volume['affine']
  bytes: number
}

function encode(value: StepValue): Buffer {
  const parts: Buffer[] = []
  const plain = Object.fromEntries(
    Object.entries(value).map(([name, entry]) => {
      if (!isVolume(entry)) return [name, { plain: entry }]
      const { data, dims, affine } = entry
      parts.push(Buffer.from(data.buffer, data.byteOffset, data.byteLength))
      const described: Described = {
        array: data.constructor.name as Described['array'],
        dims,
        affine,
        bytes: data.byteLength,
      }
      return [name, { volume: described }]
    }),
  )
  const body = Buffer.concat(parts)
  const sum = createHash('sha256').update(body).digest('hex')
  return Buffer.concat([Buffer.from(`${JSON.stringify({ sum, value: plain })}\n`), body])
}

function decode(file: Buffer): StepValue | undefined {
  const end = file.indexOf(10)
  const head = JSON.parse(file.subarray(0, end).toString()) as {
    sum: string
    value: Record<string, { plain?: StepValue[string]; volume?: Described }>
  }
  const body = file.subarray(end + 1)
  if (createHash('sha256').update(body).digest('hex') !== head.sum) return undefined
  let at = 0
  return Object.fromEntries(
    Object.entries(head.value).map(([name, { plain, volume }]) => {
      if (!volume) return [name, plain as StepValue[string]]
      const copy = new Uint8Array(body.subarray(at, at + volume.bytes))
      at += volume.bytes
      const data = new arrays[volume.array](copy.buffer) as VoxelArray
      return [name, { dims: volume.dims, affine: volume.affine, data }]
    }),
  )
}

const isVolume = (entry: StepValue[string]): entry is Volume =>
  typeof entry === 'object' && entry !== null && 'data' in entry && ArrayBuffer.isView(entry.data)
