import dcmjs, { type Elements } from 'dcmjs'
import { InputError } from '../../errors.js'

export type { Element, Elements } from 'dcmjs'

// Ordinary files break small rules of the standard, and dcmjs says so on stderr for each of them.
dcmjs.log.setLevel('silent')
dcmjs.log.getLogger('validation.dcmjs').setLevel('silent')

/** The elements of a DICOM file before its pixels, and the way in which the file is written. */
export interface DicomElements {
  elements: Elements
  transferSyntax: string
  /** The file's bytes end before the pixels do. */
  truncated: boolean
}

/** True when the bytes begin as a DICOM file does (part 10 of the standard: 128 free bytes, then `DICM`). */
export const looksLikeDicom = (bytes: Uint8Array): boolean =>
  bytes.length > 132 && bytes[128] === 0x44 && bytes[129] === 0x49 && bytes[130] === 0x43 && bytes[131] === 0x4d

const pixelData = '7FE00010'
const deflated = '1.2.840.10008.1.2.1.99'

/**
 * Reads the elements of a DICOM file up to its pixels, with dcmjs; any transfer syntax, deflated as well.
 *
 * @param source how errors name the file: must not name a person
 * @throws InputError when it is not DICOM, is damaged, or ends within its header
 */
export function readElements(bytes: Uint8Array, source: string): DicomElements {
  if (!looksLikeDicom(bytes))
    throw new InputError(source, 'is not a DICOM file', 'give files as the scanner wrote them')
  try {
    const buffer = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength)
    const { meta, dict } = dcmjs.data.DicomMessage.readFile(buffer, { untilTag: pixelData })
    const transferSyntax = texts(meta, '00020010')[0] ?? '1.2.840.10008.1.2'
    return { elements: dict, transferSyntax, truncated: endsEarly(bytes, dict, transferSyntax) }
  } catch (cause) {
    throw new InputError(source, 'its DICOM header is damaged or ends too early', 'copy or send the file again', {
      cause,
    })
  }
}

/** Transfer syntaxes whose pixels are stored as they are, and the bytes of the pixels' tag in them. */
const plain: Record<string, readonly number[]> = {
  '1.2.840.10008.1.2': [0xe0, 0x7f, 0x10, 0x00],
  '1.2.840.10008.1.2.1': [0xe0, 0x7f, 0x10, 0x00],
  '1.2.840.10008.1.2.2': [0x7f, 0xe0, 0x00, 0x10],
}
/** What stands behind the last fragment of compressed pixels. */
const delimiter = [0xfe, 0xff, 0xdd, 0xe0]

function endsEarly(bytes: Uint8Array, elements: Elements, transferSyntax: string): boolean {
  const [rows, columns, bits] = ['00280010', '00280011', '00280100'].map((tag) => numbers(elements, tag)[0])
  if (!(rows > 0) || !(columns > 0) || !(bits > 0) || transferSyntax === deflated) return false
  const tag = plain[transferSyntax]
  if (!tag) return !standsBefore(bytes, delimiter, bytes.length - 4)
  const samples = numbers(elements, '00280002')[0] ?? 1
  const frames = numbers(elements, '00280008')[0] ?? 1
  // The tag and the length take eight bytes or more.
  return !standsBefore(bytes, tag, bytes.length - 8 - Math.floor((rows * columns * samples * frames * bits) / 8))
}

function standsBefore(bytes: Uint8Array, [a, b, c, d]: readonly number[], last: number): boolean {
  for (let i = last; i >= 132; i--)
    if (bytes[i] === a && bytes[i + 1] === b && bytes[i + 2] === c && bytes[i + 3] === d) return true
  return false
}

/** The numbers of an element; what is no number is left out. */
export function numbers(elements: Elements, tag: string): number[] {
  const value = elements[tag]?.Value
  if (!Array.isArray(value)) return []
  return value
    .filter((one) => typeof one === 'number' || (typeof one === 'string' && one.trim() !== ''))
    .map(Number)
    .filter(Number.isFinite)
}

/** The texts of an element, without spaces around them; empty ones are left out. */
export function texts(elements: Elements, tag: string): string[] {
  const value = elements[tag]?.Value
  if (!Array.isArray(value)) return []
  return value
    .map((one) =>
      typeof one === 'string' || typeof one === 'number'
        ? String(one)
        : String((one as { Alphabetic?: unknown } | null)?.Alphabetic ?? ''),
    )
    .map((one) => one.replaceAll('\0', '').trim())
    .filter((one) => one !== '')
}

/** The items of a sequence. */
export function items(elements: Elements | undefined, tag: string): Elements[] {
  const value = elements?.[tag]?.Value
  if (!Array.isArray(value)) return []
  return value.filter((one): one is Elements => typeof one === 'object' && one !== null)
}

/**
 * The same file for readers that know no deflated files: as explicit little endian. Others stay as they are.
 * @throws InputError when it is damaged
 */
export function inflated(bytes: Uint8Array, transferSyntax: string, source: string): Uint8Array {
  if (transferSyntax !== deflated) return bytes
  try {
    const buffer = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength)
    const file = dcmjs.data.DicomMessage.readFile(buffer)
    file.meta['00020010'] = { vr: 'UI', Value: ['1.2.840.10008.1.2.1'] }
    return new Uint8Array(file.write())
  } catch (cause) {
    throw new InputError(source, 'its deflated data is damaged', 'copy or send the file again', { cause })
  }
}
