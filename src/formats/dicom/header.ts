import type { Vec3 } from '../../volume/affine.js'
import { type Elements, items, numbers, readElements, texts } from './read.js'

/** Where one frame lies: LPS mm, the directions of a row and of a column. */
export interface FramePlace {
  position: Vec3
  row: Vec3
  column: Vec3
  /** Between rows, between columns (as the standard orders them), mm. */
  spacing: readonly [number, number]
}

/** The facts of one DICOM file that decide what it is. Times in ms, angles in degrees, lengths in mm. */
export interface DicomHeader {
  sopClass: string
  instance: string
  study: string
  series: string
  frameOfReference?: string
  patientId: string
  patientName: string
  birthDate?: string
  /** `M`, `F` or `O`. */
  sex?: string
  /** As they stand: 20240131, 101500. */
  studyDate?: string
  studyTime?: string
  modality: string
  seriesNumber?: number
  instanceNumber?: number
  description: string
  protocol: string
  sequenceName: string
  imageType: readonly string[]
  repetitionTime?: number
  echoTime?: number
  /** All echo times of a multi-frame file. */
  echoTimes: readonly number[]
  inversionTime?: number
  flipAngle?: number
  echoTrainLength?: number
  scanningSequence: readonly string[]
  acquisitionType?: string
  /** Text of the contrast agent, empty when the header has none. */
  contrastAgent: string
  sliceThickness?: number
  rows: number
  columns: number
  samplesPerPixel: number
  frames: number
  /** One for each frame that says where it lies. */
  places: readonly FramePlace[]
  /** The number of images that the scanner says it made. */
  imagesInAcquisition?: number
  burnedIn: boolean
  transferSyntax: string
  truncated: boolean
}

/**
 * Reads the header of a DICOM file, classic or enhanced multi-frame.
 *
 * @param source how errors name the file
 * @throws InputError when it is not DICOM or is damaged
 */
export function readDicomHeader(bytes: Uint8Array, source: string): DicomHeader {
  const { elements, transferSyntax, truncated } = readElements(bytes, source)
  return { ...headerOf(elements), transferSyntax, truncated }
}

/** The facts in the elements of a file. */
export function headerOf(elements: Elements): Omit<DicomHeader, 'transferSyntax' | 'truncated'> {
  const shared = items(elements, '52009229')[0]
  const perFrame = items(elements, '52009230')
  const text = (tag: string) => texts(elements, tag)[0] ?? ''
  const number = (tag: string) => numbers(elements, tag)[0]
  /** A fact of the functional groups: the shared one, else that of the first frame. */
  const group = (sequence: string, tag: string): number | undefined => {
    for (const groups of [shared, perFrame[0]]) {
      const found = numbers(items(groups, sequence)[0] ?? {}, tag)[0]
      if (found !== undefined) return found
    }
    return undefined
  }
  const echoTimes = distinct(
    perFrame.length > 0
      ? perFrame.flatMap((frame) => numbers(items(frame, '00189114')[0] ?? {}, '00189082'))
      : numbers(elements, '00180081').slice(0, 1),
  )
  const agent = [
    ...texts(elements, '00180010'),
    ...items(elements, '00180012').flatMap((item) => texts(item, '00080104')),
  ]
  return {
    sopClass: text('00080016'),
    instance: text('00080018'),
    study: text('0020000D'),
    series: text('0020000E'),
    frameOfReference: text('00200052') || undefined,
    patientId: text('00100020'),
    patientName: text('00100010'),
    birthDate: text('00100030') || undefined,
    sex: text('00100040') || undefined,
    studyDate: text('00080020') || text('00080022') || text('00080023') || undefined,
    studyTime: text('00080030') || undefined,
    modality: text('00080060'),
    seriesNumber: number('00200011'),
    instanceNumber: number('00200013'),
    description: text('0008103E'),
    protocol: text('00181030'),
    sequenceName: text('00180024') || text('00189005'),
    imageType: texts(elements, '00080008').map((one) => one.toUpperCase()),
    repetitionTime: number('00180080') ?? group('00189112', '00180080'),
    echoTime: number('00180081') ?? echoTimes[0] ?? group('00189114', '00189082'),
    echoTimes,
    inversionTime: positive(number('00180082') ?? group('00189115', '00189079')),
    flipAngle: number('00181314') ?? group('00189112', '00181314'),
    echoTrainLength: number('00180091') ?? group('00189112', '00180091'),
    scanningSequence: scanningSequence(elements),
    acquisitionType: text('00180023') || text('00189004') || undefined,
    contrastAgent: agent.join(' '),
    sliceThickness: number('00180050') ?? group('00289110', '00180050'),
    rows: number('00280010') ?? 0,
    columns: number('00280011') ?? 0,
    samplesPerPixel: number('00280002') ?? 1,
    frames: number('00280008') ?? 1,
    places: places(elements, shared, perFrame),
    imagesInAcquisition: number('00201002'),
    burnedIn: text('00280301').toUpperCase() === 'YES',
  }
}

/** SE, GR, IR, EP as classic files have them; enhanced files say it in words. */
function scanningSequence(elements: Elements): string[] {
  const classic = texts(elements, '00180020').map((one) => one.toUpperCase())
  if (classic.length > 0) return classic
  const echo = texts(elements, '00189008')[0]?.toUpperCase() ?? ''
  const kinds: string[] = []
  if (echo === 'SPIN' || echo === 'BOTH') kinds.push('SE')
  if (echo === 'GRADIENT' || echo === 'BOTH') kinds.push('GR')
  if (texts(elements, '00189009')[0]?.toUpperCase() === 'YES') kinds.push('IR')
  if (texts(elements, '00189018')[0]?.toUpperCase() === 'YES') kinds.push('EP')
  return kinds
}

function places(elements: Elements, shared: Elements | undefined, perFrame: readonly Elements[]): FramePlace[] {
  if (perFrame.length === 0) {
    const one = place(numbers(elements, '00200032'), numbers(elements, '00200037'), numbers(elements, '00280030'))
    return one ? [one] : []
  }
  const found: FramePlace[] = []
  for (const frame of perFrame) {
    const of = (sequence: string, tag: string) => {
      const own = numbers(items(frame, sequence)[0] ?? {}, tag)
      return own.length > 0 ? own : numbers(items(shared, sequence)[0] ?? {}, tag)
    }
    const one = place(of('00209113', '00200032'), of('00209116', '00200037'), of('00289110', '00280030'))
    if (one) found.push(one)
  }
  return found
}

function place(position: number[], orientation: number[], spacing: number[]): FramePlace | undefined {
  if (position.length !== 3 || orientation.length !== 6 || spacing.length !== 2) return undefined
  if (!spacing.every((mm) => mm > 0)) return undefined
  const row: Vec3 = [orientation[0], orientation[1], orientation[2]]
  const column: Vec3 = [orientation[3], orientation[4], orientation[5]]
  if (![row, column].every((v) => Math.abs(Math.hypot(...v) - 1) < 0.01)) return undefined
  return { position: [position[0], position[1], position[2]], row, column, spacing: [spacing[0], spacing[1]] }
}

const positive = (value: number | undefined) => (value !== undefined && value > 0 ? value : undefined)
const distinct = (values: readonly number[]) => [...new Set(values)].sort((a, b) => a - b)
