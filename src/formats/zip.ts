import { InputError } from '../errors.js'

/** The entries of a zip archive by name. Their bytes are looked at in place, not copied. */
export type StoredEntries = ReadonlyMap<string, Uint8Array>

const endSize = 22
const longest = 0xffff

/**
 * Finds the entries of a zip archive that are stored, not compressed, as PyTorch writes its checkpoints; zip64 sizes
 * are read. Checksums are left alone.
 *
 * @throws InputError when it is no zip archive, ends too early, is encrypted or holds compressed entries
 */
export function readStoredZip(bytes: Uint8Array, source: string): StoredEntries {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const damaged = () => new InputError(source, 'the zip archive is damaged or ends too early', 'copy the file again')
  const within = (at: number, length: number) => {
    if (!Number.isSafeInteger(at) || at < 0 || length < 0 || at + length > bytes.length) throw damaged()
    return at
  }
  const u16 = (at: number) => view.getUint16(within(at, 2), true)
  const u32 = (at: number) => view.getUint32(within(at, 4), true)
  const u64 = (at: number) => Number(view.getBigUint64(within(at, 8), true))

  if (bytes.length < 4 || u32(0) !== 0x04034b50)
    throw new InputError(source, 'is no zip archive', 'give a checkpoint that PyTorch 1.6 or later has saved')
  let end = bytes.length - endSize
  const first = Math.max(0, end - longest)
  while (end >= first && u32(end) !== 0x06054b50) end--
  if (end < first) throw damaged()
  let count = u16(end + 10)
  let at = u32(end + 16)
  if ((count === 0xffff || at === 0xffffffff) && end >= 20 && u32(end - 20) === 0x07064b50) {
    const end64 = u64(end - 12)
    if (u32(end64) !== 0x06064b50) throw damaged()
    count = u64(end64 + 32)
    at = u64(end64 + 48)
  }

  const text = new TextDecoder()
  const entries = new Map<string, Uint8Array>()
  for (let i = 0; i < count; i++) {
    if (u32(at) !== 0x02014b50) throw damaged()
    const [flags, method] = [u16(at + 8), u16(at + 10)]
    const [nameLength, extraLength, commentLength] = [u16(at + 28), u16(at + 30), u16(at + 32)]
    const extra = at + 46 + nameLength
    const name = text.decode(bytes.subarray(within(at + 46, nameLength), extra))
    if ((flags & 1) !== 0)
      throw new InputError(source, `its entry "${name}" is encrypted`, 'give the file as PyTorch saved it')
    if (method !== 0)
      throw new InputError(
        source,
        `its entry "${name}" is compressed, which PyTorch never does`,
        'give the file as PyTorch saved it',
      )
    const [size, offset] = sizes(at, extra, extraLength)
    if (u32(offset) !== 0x04034b50) throw damaged()
    const start = offset + 30 + u16(offset + 26) + u16(offset + 28)
    entries.set(name, bytes.subarray(within(start, size), start + size))
    at = extra + extraLength + commentLength
  }
  return entries

  /** Size and offset of an entry: those that do not fit 32 bits stand in the zip64 field, in this order. */
  function sizes(record: number, extra: number, extraLength: number): [size: number, offset: number] {
    const packed = u32(record + 20)
    let [size, offset] = [u32(record + 24), u32(record + 42)]
    for (let field = extra; field + 4 <= extra + extraLength; field += 4 + u16(field + 2)) {
      if (u16(field) !== 1) continue
      let next = field + 4
      if (size === 0xffffffff) {
        size = u64(next)
        next += 8
      }
      if (packed === 0xffffffff) next += 8
      if (offset === 0xffffffff) offset = u64(next)
    }
    return [size, offset]
  }
}
