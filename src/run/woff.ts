import { inflateSync } from 'node:zlib'

/**
 * The font in a WOFF 1.0 file as plain TrueType: its tables inflated, under the directory that TrueType begins with.
 * Font readers inflate a table each time they look at it, which takes seconds for a page of text.
 */
export function trueTypeOf(woff: Uint8Array): Uint8Array {
  const from = new DataView(woff.buffer, woff.byteOffset, woff.byteLength)
  if (woff.length < 44 || from.getUint32(0) !== 0x774f4646) throw new RangeError('This is no WOFF 1.0 file.')
  const count = from.getUint16(12)
  const tables = Array.from({ length: count }, (_, n) => {
    const entry = 44 + 20 * n
    const [tag, offset, packed, length, checksum] = [0, 4, 8, 12, 16].map((at) => from.getUint32(entry + at))
    const bytes = woff.subarray(offset, offset + packed)
    return { tag, checksum, data: packed < length ? new Uint8Array(inflateSync(bytes)) : bytes }
  })
  const padded = (length: number) => (length + 3) & ~3
  const start = 12 + 16 * count
  const out = new Uint8Array(tables.reduce((sum, { data }) => sum + padded(data.length), start))
  const to = new DataView(out.buffer)
  const power = 2 ** Math.floor(Math.log2(count))
  to.setUint32(0, from.getUint32(4))
  to.setUint16(4, count)
  to.setUint16(6, 16 * power)
  to.setUint16(8, Math.log2(power))
  to.setUint16(10, 16 * (count - power))
  let at = start
  for (const [n, { tag, checksum, data }] of tables.entries()) {
    ;[tag, checksum, at, data.length].forEach((value, i) => to.setUint32(12 + 16 * n + 4 * i, value))
    out.set(data, at)
    at += padded(data.length)
  }
  return out
}
