import { InputError } from '../errors.js'

/** Reads and writes safetensors files: a JSON header of names, types and shapes, then the numbers, little-endian. */

export interface NamedTensor {
  shape: readonly number[]
  data: Float32Array
}

export type TensorPrecision = 'F32' | 'F16'

interface Entry {
  dtype: string
  shape: number[]
  data_offsets: [number, number]
}

/** Headers above this are not written by anyone. */
const largestHeader = 100 * 2 ** 20

/** @param precision `F16` halves the size and keeps three decimal digits; values beyond ±65504 are refused */
export function writeSafetensors(
  tensors: ReadonlyMap<string, NamedTensor>,
  metadata: Readonly<Record<string, string>> = {},
  precision: TensorPrecision = 'F32',
): Uint8Array {
  const width = precision === 'F32' ? 4 : 2
  const header: Record<string, unknown> = { __metadata__: metadata }
  let end = 0
  for (const [name, { shape, data }] of tensors) {
    if (data.length !== product(shape))
      throw new RangeError(`${name}: ${data.length} numbers for [${shape.join(', ')}]`)
    header[name] = { dtype: precision, shape, data_offsets: [end, (end += data.length * width)] }
  }
  const text = new TextEncoder().encode(JSON.stringify(header))
  // The numbers start at a multiple of 8.
  const length = Math.ceil(text.length / 8) * 8
  const bytes = new Uint8Array(8 + length + end)
  const view = new DataView(bytes.buffer)
  view.setBigUint64(0, BigInt(length), true)
  bytes.set(text, 8)
  bytes.fill(0x20, 8 + text.length, 8 + length)
  let at = 8 + length
  for (const [name, { data }] of tensors) {
    for (const value of data) {
      if (precision === 'F32') view.setFloat32(at, value, true)
      else view.setUint16(at, toHalf(value, name), true)
      at += width
    }
  }
  return bytes
}

/**
 * @param source names the file in errors
 * @throws InputError when the file is damaged, or not of this format
 */
export function readSafetensors(
  bytes: Uint8Array,
  source: string,
): { tensors: Map<string, NamedTensor>; metadata: Record<string, string> } {
  const broken = (what: string): InputError =>
    new InputError(source, `not a sound safetensors file (${what})`, 'copy or train it again')
  if (bytes.length < 8) throw broken('too short')
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const length = Number(view.getBigUint64(0, true))
  if (length > largestHeader || 8 + length > bytes.length) throw broken('the header is longer than the file')
  const header = parsed(bytes.subarray(8, 8 + length))
  if (!header) throw broken('the header is not JSON')
  const start = 8 + length
  const tensors = new Map<string, NamedTensor>()
  for (const [name, entry] of Object.entries(header)) {
    if (name === '__metadata__') continue
    if (!isEntry(entry)) throw broken(`${name} is described badly`)
    const width = entry.dtype === 'F32' ? 4 : entry.dtype === 'F16' ? 2 : 0
    if (width === 0) throw broken(`${name} has type ${entry.dtype}; F32 and F16 are read`)
    const [from, to] = entry.data_offsets
    const count = product(entry.shape)
    if (to - from !== count * width || from < 0 || start + to > bytes.length)
      throw broken(`${name} lies outside the file`)
    const data = new Float32Array(count)
    for (let i = 0; i < count; i++)
      data[i] =
        width === 4 ? view.getFloat32(start + from + 4 * i, true) : fromHalf(view.getUint16(start + from + 2 * i, true))
    tensors.set(name, { shape: entry.shape, data })
  }
  return { tensors, metadata: (header.__metadata__ ?? {}) as Record<string, string> }
}

const product = (shape: readonly number[]): number => shape.reduce((n, size) => n * size, 1)

function parsed(bytes: Uint8Array): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(bytes))
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined
  } catch {
    return undefined
  }
}

const isEntry = (value: unknown): value is Entry => {
  const { dtype, shape, data_offsets: offsets } = (value ?? {}) as Partial<Entry>
  const whole = (list: unknown): list is number[] =>
    Array.isArray(list) && list.every((n) => Number.isSafeInteger(n) && n >= 0)
  return typeof dtype === 'string' && whole(shape) && whole(offsets) && offsets.length === 2
}

/** IEEE 754 half precision, rounded to the nearest. */
function toHalf(value: number, name: string): number {
  if (!Number.isFinite(value) || Math.abs(value) > 65504)
    throw new RangeError(`${name} holds ${value}, which half precision cannot`)
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0
  const size = Math.abs(value)
  if (size < 2 ** -14) return sign | Math.round(size * 2 ** 24)
  const exponent = Math.floor(Math.log2(size))
  const mantissa = Math.round((size / 2 ** exponent - 1) * 1024)
  // A mantissa that rounds up to 1024 carries into the exponent, as it should.
  return sign | (((exponent + 15) << 10) + mantissa)
}

function fromHalf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1
  const exponent = (bits >> 10) & 31
  const mantissa = bits & 1023
  if (exponent === 0) return sign * mantissa * 2 ** -24
  if (exponent === 31) return mantissa ? Number.NaN : sign * Number.POSITIVE_INFINITY
  return sign * (1 + mantissa / 1024) * 2 ** (exponent - 15)
}
