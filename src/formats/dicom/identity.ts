import { sha256 } from '../../platform/index.js'

/** A number of 128 bits from a salted hash, as a UID that nobody else has (2.25.…, ITU-T X.667). */
export async function remappedUid(uid: string, salt: string): Promise<string> {
  return uidOf(`${salt}\n${uid}`)
}

/** The same UID for the same text. */
export async function uidOf(text: string): Promise<string> {
  const digest = await sha256(new TextEncoder().encode(text))
  return `2.25.${BigInt(`0x${digest.slice(0, 32)}`)}`
}

/**
 * By how many days the dates of one person are brought back, the same for all of that person's dates: at least 100 years,
 * so that everybody sees that they are not true (BIDS asks for years before 1925).
 */
export async function dayShift(person: string, salt: string): Promise<number> {
  const digest = await sha256(new TextEncoder().encode(`${salt}\ndays\n${person}`))
  return 36525 + 365 * 3 + (Number.parseInt(digest.slice(0, 8), 16) % 730)
}

/** A date of DICOM (20240131), so many days earlier, as 1921-05-07; undefined when it is no date. */
export function shiftedDate(date: string | undefined, days: number): string | undefined {
  const [, y, m, d] = /^(\d{4})\.?(\d{2})\.?(\d{2})/.exec(date ?? '') ?? []
  if (y === undefined) return undefined
  const time = Date.UTC(Number(y), Number(m) - 1, Number(d)) - days * 86_400_000
  return Number.isFinite(time) ? new Date(time).toISOString().slice(0, 10) : undefined
}

/**
 * Fields of dcm2niix's sidecar that describe the scan and never a person, a place or a day. All others are left out:
 * a list of what may stay cannot forget a name.
 */
const kept = new Set([
  ...[
    'Modality',
    'MagneticFieldStrength',
    'ImagingFrequency',
    'Manufacturer',
    'ManufacturersModelName',
    'BodyPartExamined',
  ],
  ...['PatientPosition', 'MRAcquisitionType', 'ScanningSequence', 'SequenceVariant', 'ScanOptions', 'ImageType'],
  ...['NonlinearGradientCorrection', 'SliceThickness', 'SpacingBetweenSlices', 'SAR', 'EchoNumber', 'EchoTime'],
  ...['RepetitionTime', 'InversionTime', 'FlipAngle', 'PartialFourier', 'BaseResolution', 'PercentPhaseFOV'],
  ...['PercentSampling', 'EchoTrainLength', 'PhaseEncodingSteps', 'AcquisitionMatrixPE', 'ReconMatrixPE'],
  ...['ParallelReductionFactorInPlane', 'ParallelAcquisitionTechnique', 'PixelBandwidth', 'DwellTime'],
  ...['ImageOrientationPatientDICOM', 'InPlanePhaseEncodingDirectionDICOM', 'NumberOfAverages', 'RefLinesPE'],
  ...['CoilCombinationMethod', 'MatrixCoilMode', 'ConversionSoftware', 'ConversionSoftwareVersion', 'RawImage'],
  ...['PhaseEncodingAxis', 'PhaseEncodingDirection', 'SpoilingState', 'WaterFatShift', 'PhaseOversampling'],
])

/** Texts of a header that are code words; anything longer or freer is left out. */
const codeWord = /^[A-Za-z0-9 ._+\-/\\:]{0,40}$/

/** A sidecar of dcm2niix without what could name a person, a place or a day. */
export function withoutIdentity(sidecar: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const clean = (value: unknown): boolean =>
    typeof value === 'number' ||
    typeof value === 'boolean' ||
    (typeof value === 'string' && codeWord.test(value)) ||
    (Array.isArray(value) && value.every(clean))
  return Object.fromEntries(Object.entries(sidecar).filter(([key, value]) => kept.has(key) && clean(value)))
}
