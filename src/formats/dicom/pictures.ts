import { referenceTo, type SourceFrame, type SourceSeries } from './segmentation.js'
import { coded, dcm, equipment, type Making, patientAndStudy } from './source.js'
import type { Dataset } from './write.js'

interface Ids {
  instance: string
  series: string
}

/** A picture in colours (Secondary Capture, PS3.3 A.8.1) of one slice of the source. */
export function secondaryCapture(
  source: SourceSeries,
  frame: SourceFrame,
  picture: { width: number; height: number; rgb: Uint8Array; title: string },
  number: number,
  ids: Ids,
  making: Making,
): Dataset {
  const padded = new Uint8Array(picture.rgb.length + (picture.rgb.length & 1))
  padded.set(picture.rgb)
  return {
    _vrMap: { PixelData: 'OB' },
    ...patientAndStudy(source.elements),
    ...equipment(making),
    SOPClassUID: '1.2.840.10008.5.1.4.1.1.7',
    SOPInstanceUID: ids.instance,
    Modality: 'OT',
    ConversionType: 'WSD',
    SeriesInstanceUID: ids.series,
    SeriesNumber: making.seriesNumber,
    SeriesDescription: 'MS lesion key images (research)',
    SeriesDate: making.date,
    SeriesTime: making.time,
    ContentDate: making.date,
    ContentTime: making.time,
    Laterality: '',
    InstanceNumber: number,
    PatientOrientation: '',
    ImageType: ['DERIVED', 'SECONDARY'],
    ImageComments: picture.title,
    BurnedInAnnotation: 'NO',
    DerivationDescription: 'Outlines of lesions found by a program; research only',
    SourceImageSequence: [
      {
        ...referenceTo(frame),
        PurposeOfReferenceCodeSequence: [coded(dcm('121322', 'Source image for image processing operation'))],
      },
    ],
    SamplesPerPixel: 3,
    PhotometricInterpretation: 'RGB',
    PlanarConfiguration: 0,
    Rows: picture.height,
    Columns: picture.width,
    BitsAllocated: 8,
    BitsStored: 8,
    HighBit: 7,
    PixelRepresentation: 0,
    PixelData: [padded.buffer],
  }
}

/** A PDF as a DICOM object (Encapsulated PDF, PS3.3 A.45.1). */
export function encapsulatedPdf(source: SourceSeries, pdf: Uint8Array, ids: Ids, making: Making): Dataset {
  const padded = new Uint8Array(pdf.length + (pdf.length & 1))
  padded.set(pdf)
  return {
    ...patientAndStudy(source.elements),
    ...equipment(making),
    SOPClassUID: '1.2.840.10008.5.1.4.1.1.104.1',
    SOPInstanceUID: ids.instance,
    Modality: 'DOC',
    ConversionType: 'WSD',
    SeriesInstanceUID: ids.series,
    SeriesNumber: making.seriesNumber,
    SeriesDescription: 'MS lesion report (research)',
    InstanceNumber: 1,
    ContentDate: making.date,
    ContentTime: making.time,
    AcquisitionDateTime: `${making.date}${making.time}`,
    BurnedInAnnotation: 'YES',
    DocumentTitle: 'MS lesion report (research only)',
    ConceptNameCodeSequence: [coded({ value: '18748-4', scheme: 'LN', meaning: 'Diagnostic imaging report' })],
    MIMETypeOfEncapsulatedDocument: 'application/pdf',
    EncapsulatedDocumentLength: pdf.length,
    EncapsulatedDocument: [padded.buffer],
  }
}
