import type { Element, Elements } from './read.js'
import type { Dataset } from './write.js'

/** Attributes of patient and study that every object made from a series has from it, by tag and keyword. */
const passedOn: readonly [tag: string, keyword: string][] = [
  ['00100010', 'PatientName'],
  ['00100020', 'PatientID'],
  ['00100030', 'PatientBirthDate'],
  ['00100040', 'PatientSex'],
  ['0020000D', 'StudyInstanceUID'],
  ['00080020', 'StudyDate'],
  ['00080030', 'StudyTime'],
  ['00080050', 'AccessionNumber'],
  ['00080090', 'ReferringPhysicianName'],
  ['00200010', 'StudyID'],
]
/** Those that may be there, and are only passed on when they are. */
const alsoPassedOn: readonly [tag: string, keyword: string][] = [
  ['00081030', 'StudyDescription'],
  ['00101010', 'PatientAge'],
  ['00101020', 'PatientSize'],
  ['00101030', 'PatientWeight'],
]

/** Patient and study of a source image, so that what is made of it is filed beside it. */
export function patientAndStudy(source: Elements): Dataset {
  const dataset: Dataset = {}
  for (const [tag, keyword] of passedOn) dataset[keyword] = firstValue(source[tag])
  for (const [tag, keyword] of alsoPassedOn) {
    const value = firstValue(source[tag])
    if (value !== '') dataset[keyword] = value
  }
  return dataset
}

function firstValue(element: Element | undefined): unknown {
  const value = Array.isArray(element?.Value) ? element.Value[0] : undefined
  if (value === undefined || value === null) return ''
  if (typeof value === 'object') return String((value as { Alphabetic?: unknown }).Alphabetic ?? '')
  return value
}

export interface Code {
  value: string
  scheme: string
  meaning: string
}

/** An item of a code sequence. */
export const coded = ({ value, scheme, meaning }: Code): Dataset => ({
  CodeValue: value,
  CodingSchemeDesignator: scheme,
  CodeMeaning: meaning,
})

export const sct = (value: string, meaning: string): Code => ({ value, scheme: 'SCT', meaning })
export const dcm = (value: string, meaning: string): Code => ({ value, scheme: 'DCM', meaning })

export const brain = sct('12738006', 'Brain')
export const lesion = sct('52988006', 'Lesion')
export const abnormal = sct('49755003', 'Morphologically Altered Structure')

/** What is said about the program and the moment in each object. */
export interface Making {
  /** Of the program. */
  version: string
  /** How the lesions were found, e.g. the method's name. */
  method: string
  /** When it was made: 20240131, 101500. */
  date: string
  time: string
  seriesNumber: number
}

/** The equipment that made an object. */
export const equipment = ({ version }: Making): Dataset => ({
  Manufacturer: 'Lesionwise',
  ManufacturerModelName: 'lesionwise',
  DeviceSerialNumber: version,
  SoftwareVersions: version,
})
