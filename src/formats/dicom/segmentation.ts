import type { FramePlace } from './header.js'
import type { Elements } from './read.js'
import { abnormal, brain, coded, equipment, lesion, type Making, patientAndStudy } from './source.js'
import type { Dataset } from './write.js'

/** A frame of the source series, in the order of the slices. */
export interface SourceFrame {
  sopClass: string
  instance: string
  /** In a multi-frame file, from 1. */
  frame?: number
  place: FramePlace
}

/** The series that lesions were found in. */
export interface SourceSeries {
  /** Elements of one of its files. */
  elements: Elements
  study: string
  series: string
  frameOfReference: string
  rows: number
  columns: number
  frames: readonly SourceFrame[]
  /** From slice to slice, mm. */
  sliceStepMm: number
  sliceThicknessMm: number
}

export interface Segment {
  label: string
  /** CIELab colour, each 0–65535. */
  colour: readonly [number, number, number]
  /** One plane of rows × columns for each source frame; undefined where it is empty. Values 0/1, or 0–255 for probabilities. */
  planes: readonly (Uint8Array | undefined)[]
}

export interface SegmentationIds {
  instance: string
  series: string
  dimensions: string
  /** By segment. */
  tracking: readonly string[]
}

/**
 * A DICOM Segmentation (Segmentation Storage, PS3.3 A.51) on the planes of its source series: binary, one bit a voxel,
 * or fractional, the probability from 0 to 255. Only planes that hold something are written, segment after segment.
 *
 * @throws RangeError when no plane holds anything
 */
export function segmentation(
  source: SourceSeries,
  segments: readonly Segment[],
  kind: 'BINARY' | 'FRACTIONAL',
  ids: SegmentationIds,
  making: Making,
): Dataset {
  const frames: { segment: number; at: number; plane: Uint8Array }[] = []
  for (const [s, { planes }] of segments.entries())
    for (const [at, plane] of planes.entries()) if (plane) frames.push({ segment: s + 1, at, plane })
  if (frames.length === 0) throw new RangeError('a segmentation needs one voxel')
  const used = [...new Set(frames.map(({ at }) => at))].sort((a, b) => a - b)
  const first = source.frames[0].place
  const binary = kind === 'BINARY'
  const fractional = { SegmentationFractionalType: 'PROBABILITY', MaximumFractionalValue: 255 }
  return {
    _vrMap: { PixelData: 'OB' },
    ...patientAndStudy(source.elements),
    ...equipment(making),
    SOPClassUID: '1.2.840.10008.5.1.4.1.1.66.4',
    SOPInstanceUID: ids.instance,
    Modality: 'SEG',
    SeriesInstanceUID: ids.series,
    SeriesNumber: making.seriesNumber,
    SeriesDescription: binary ? 'MS lesions by location (research)' : 'MS lesion probability (research)',
    SeriesDate: making.date,
    SeriesTime: making.time,
    ContentDate: making.date,
    ContentTime: making.time,
    InstanceNumber: 1,
    ContentLabel: binary ? 'LESIONS' : 'PROBABILITY',
    ContentDescription: 'Lesions of multiple sclerosis, found by a program; research only',
    ContentCreatorName: 'Lesionwise^',
    ImageType: ['DERIVED', 'PRIMARY'],
    FrameOfReferenceUID: source.frameOfReference,
    PositionReferenceIndicator: '',
    SamplesPerPixel: 1,
    PhotometricInterpretation: 'MONOCHROME2',
    Rows: source.rows,
    Columns: source.columns,
    BitsAllocated: binary ? 1 : 8,
    BitsStored: binary ? 1 : 8,
    HighBit: binary ? 0 : 7,
    PixelRepresentation: 0,
    LossyImageCompression: '00',
    BurnedInAnnotation: 'NO',
    NumberOfFrames: frames.length,
    SegmentationType: kind,
    ...(binary ? {} : fractional),
    SegmentsOverlap: binary ? 'NO' : undefined,
    SegmentSequence: segments.map(({ label, colour }, i) => ({
      SegmentNumber: i + 1,
      SegmentLabel: label,
      SegmentAlgorithmType: 'AUTOMATIC',
      SegmentAlgorithmName: `Lesionwise ${making.method}`.slice(0, 64),
      SegmentedPropertyCategoryCodeSequence: [coded(abnormal)],
      SegmentedPropertyTypeCodeSequence: [coded(lesion)],
      AnatomicRegionSequence: [coded(brain)],
      TrackingID: label,
      TrackingUID: ids.tracking[i],
      RecommendedDisplayCIELabValue: [...colour],
    })),
    DimensionOrganizationSequence: [{ DimensionOrganizationUID: ids.dimensions }],
    DimensionIndexSequence: [
      {
        DimensionOrganizationUID: ids.dimensions,
        DimensionIndexPointer: 0x0062000b,
        FunctionalGroupPointer: 0x0062000a,
        DimensionDescriptionLabel: 'ReferencedSegmentNumber',
      },
      {
        DimensionOrganizationUID: ids.dimensions,
        DimensionIndexPointer: 0x00200032,
        FunctionalGroupPointer: 0x00209113,
        DimensionDescriptionLabel: 'ImagePositionPatient',
      },
    ],
    SharedFunctionalGroupsSequence: [
      {
        PlaneOrientationSequence: [{ ImageOrientationPatient: [...first.row, ...first.column] }],
        PixelMeasuresSequence: [
          {
            PixelSpacing: [...first.spacing],
            SliceThickness: source.sliceThicknessMm,
            SpacingBetweenSlices: source.sliceStepMm,
          },
        ],
      },
    ],
    PerFrameFunctionalGroupsSequence: frames.map(({ segment, at }) => ({
      DerivationImageSequence: [
        {
          SourceImageSequence: [
            {
              ...referenceTo(source.frames[at]),
              SpatialLocationsPreserved: 'YES',
              PurposeOfReferenceCodeSequence: [
                coded({ value: '121322', scheme: 'DCM', meaning: 'Source image for image processing operation' }),
              ],
            },
          ],
          DerivationCodeSequence: [coded({ value: '113076', scheme: 'DCM', meaning: 'Segmentation' })],
        },
      ],
      FrameContentSequence: [{ DimensionIndexValues: [segment, used.indexOf(at) + 1] }],
      PlanePositionSequence: [{ ImagePositionPatient: [...source.frames[at].place.position] }],
      SegmentIdentificationSequence: [{ ReferencedSegmentNumber: segment }],
    })),
    ReferencedSeriesSequence: [
      { SeriesInstanceUID: source.series, ReferencedInstanceSequence: instancesOf(source.frames).map(plainReference) },
    ],
    PixelData: [binary ? packedBits(frames.map(({ plane }) => plane)) : joined(frames.map(({ plane }) => plane))],
  }
}

export const plainReference = ({ sopClass, instance }: SourceFrame): Dataset => ({
  ReferencedSOPClassUID: sopClass,
  ReferencedSOPInstanceUID: instance,
})

export const referenceTo = (frame: SourceFrame): Dataset => ({
  ...plainReference(frame),
  ...(frame.frame === undefined ? {} : { ReferencedFrameNumber: frame.frame }),
})

/** Each file once. */
export const instancesOf = (frames: readonly SourceFrame[]): SourceFrame[] => [
  ...new Map(frames.map((frame) => [frame.instance, frame])).values(),
]

/** One bit a voxel, the lowest first, frames right behind each other; an even number of bytes. */
export function packedBits(planes: readonly Uint8Array[]): ArrayBuffer {
  const count = planes.reduce((sum, { length }) => sum + length, 0)
  const out = new Uint8Array(2 * Math.ceil(count / 16))
  let at = 0
  for (const plane of planes)
    for (const value of plane) {
      if (value > 0) out[at >> 3] |= 1 << (at & 7)
      at++
    }
  return out.buffer
}

function joined(planes: readonly Uint8Array[]): ArrayBuffer {
  const count = planes.reduce((sum, { length }) => sum + length, 0)
  const out = new Uint8Array(count + (count & 1))
  let at = 0
  for (const plane of planes) {
    out.set(plane, at)
    at += plane.length
  }
  return out.buffer
}
