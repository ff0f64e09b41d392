import { createHash } from 'node:crypto'
import { type Dataset, writeDicom } from '../../../src/formats/dicom/write.js'

type Triple = readonly [number, number, number]

export interface SeriesRecipe {
  number: number
  description?: string
  protocol?: string
  /** ms */
  tr?: number
  te?: number
  ti?: number
  scanningSequence?: string[]
  imageType?: string[]
  contrastAgent?: string
  acquisition?: '2D' | '3D'
  /** columns, rows, slices */
  size?: Triple
  /** Between columns, between rows, between slices, mm. */
  spacing?: Triple
  row?: Triple
  column?: Triple
  /** LPS mm of the first slice's first pixel. */
  origin?: Triple
  /** Slices that are not written. */
  missing?: number[]
  /** Shift of each slice against the one before, along its columns, mm. */
  shear?: number
  value?(ras: Triple): number
  study?: string
  studyDate?: string
  patient?: string
  /** PatientID. */
  patientId?: string
  modality?: string
  extra?: Dataset
}

/** A UID that is the same for the same text. */
export const uid = (text: string) =>
  `2.25.${BigInt(`0x${createHash('sha256').update(text).digest('hex').slice(0, 31)}`)}`

/** Linear in space, so that every voxel of a converted image tells where it should lie. */
export const ramp = ([x, y, z]: Triple): number => Math.round(3000 + 7 * x + 5 * y + 3 * z)

/** Decimal strings hold sixteen characters. */
const decimal = (value: number): number => Number(value.toFixed(8))

const cross = (a: Triple, b: Triple): Triple => [
  a[1] * b[2] - a[2] * b[1],
  a[2] * b[0] - a[0] * b[2],
  a[0] * b[1] - a[1] * b[0],
]

/** The datasets of a classic MR series, one a slice, whose voxels hold `value` of their place. */
export function mrDatasets(recipe: SeriesRecipe): Dataset[] {
  const {
    size: [columns, rows, slices] = [24, 20, 12],
    spacing = [2, 2.5, 4],
    row = [1, 0, 0],
    column = [0, 1, 0],
    origin = [-24, -25, -24],
    value = ramp,
    missing = [],
    shear = 0,
    study = 'study-1',
    studyDate = '20240131',
    patient = 'DOE^JANE',
    patientId = `ID-${patient}`,
    acquisition = '2D',
  } = recipe
  const normal = cross(row, column)
  const out: Dataset[] = []
  for (let k = 0; k < slices; k++) {
    if (missing.includes(k)) continue
    const at = [0, 1, 2].map((i) => origin[i] + k * (spacing[2] * normal[i] + shear * column[i]))
    const pixels = new Uint16Array(rows * columns)
    for (let r = 0; r < rows; r++)
      for (let c = 0; c < columns; c++) {
        const lps = [0, 1, 2].map((i) => at[i] + c * spacing[0] * row[i] + r * spacing[1] * column[i])
        pixels[r * columns + c] = Math.max(0, Math.min(65535, value([-lps[0], -lps[1], lps[2]])))
      }
    const name = `${study}/${recipe.number}/${k}`
    out.push({
      _vrMap: { PixelData: 'OW' },
      SOPClassUID: '1.2.840.10008.5.1.4.1.1.4',
      SOPInstanceUID: uid(name),
      StudyInstanceUID: uid(study),
      SeriesInstanceUID: uid(`${study}/${recipe.number}`),
      FrameOfReferenceUID: uid(`${study}/frame`),
      PatientName: patient,
      PatientID: patientId,
      PatientBirthDate: '19800229',
      PatientSex: 'F',
      StudyDate: studyDate,
      StudyTime: '101112',
      SeriesDate: studyDate,
      AcquisitionDate: studyDate,
      AcquisitionTime: '101213',
      ContentDate: studyDate,
      ContentTime: '101314',
      AccessionNumber: 'ACC77',
      ReferringPhysicianName: 'HOUSE^GREGORY',
      InstitutionName: 'Princeton Plainsboro',
      StationName: 'MRROOM3',
      DeviceSerialNumber: '4711',
      StudyID: '1',
      Modality: recipe.modality ?? 'MR',
      Manufacturer: 'SIEMENS',
      ManufacturerModelName: 'Skyra',
      MagneticFieldStrength: 3,
      SeriesNumber: recipe.number,
      AcquisitionNumber: 1,
      InstanceNumber: k + 1,
      SeriesDescription: recipe.description,
      ProtocolName: recipe.protocol,
      ImageType: recipe.imageType ?? ['ORIGINAL', 'PRIMARY', 'M', 'NORM'],
      ScanningSequence: recipe.scanningSequence ?? ['SE'],
      SequenceVariant: ['SK'],
      ScanOptions: '',
      MRAcquisitionType: acquisition,
      RepetitionTime: recipe.tr,
      EchoTime: recipe.te,
      InversionTime: recipe.ti,
      EchoTrainLength: 1,
      FlipAngle: 90,
      ContrastBolusAgent: recipe.contrastAgent,
      SliceThickness: decimal(spacing[2]),
      SpacingBetweenSlices: decimal(spacing[2]),
      PatientPosition: 'HFS',
      PositionReferenceIndicator: '',
      Laterality: '',
      ImagePositionPatient: at.map(decimal),
      ImageOrientationPatient: [...row, ...column].map(decimal),
      PixelSpacing: [spacing[1], spacing[0]].map(decimal),
      SamplesPerPixel: 1,
      PhotometricInterpretation: 'MONOCHROME2',
      Rows: rows,
      Columns: columns,
      BitsAllocated: 16,
      BitsStored: 16,
      HighBit: 15,
      PixelRepresentation: 0,
      PixelData: [pixels.buffer],
      ...recipe.extra,
    })
  }
  for (const one of out) for (const key of Object.keys(one)) if (one[key] === undefined) delete one[key]
  return out
}

export const mrSeries = (recipe: SeriesRecipe): Uint8Array[] => mrDatasets(recipe).map(writeDicom)

/** Series as they come from a scanner. */
export const flairRecipe: SeriesRecipe = {
  number: 5,
  description: 't2_tirm_tra_dark-fluid_p2',
  tr: 9000,
  te: 94,
  ti: 2500,
  scanningSequence: ['SE', 'IR'],
}
export const mprageRecipe: SeriesRecipe = {
  number: 3,
  description: 't1_mprage_sag_p2_iso',
  tr: 2300,
  te: 2.98,
  ti: 900,
  scanningSequence: ['GR', 'IR'],
  acquisition: '3D',
  size: [20, 26, 22],
  spacing: [2, 2, 2.2],
  row: [0, 1, 0],
  column: [0, 0, -1],
  origin: [-22, -24, 26],
}
