import dcmjs from 'dcmjs'

/** A data set by the keywords of the standard (`PatientID`); sequences are arrays of such objects. */
export type Dataset = Record<string, unknown>

/** Explicit VR little endian. */
export const explicitLittleEndian = '1.2.840.10008.1.2.1'
/** Of the program, in the file's own header: made once for Lesionwise. */
const implementation = '2.25.196043254391025478360137206524843062713'

/**
 * Writes a data set as a DICOM file (part 10), explicit little endian, UTF-8.
 *
 * @param dataset with SOPClassUID and SOPInstanceUID; VRs that depend on the content (PixelData) under `_vrMap`
 */
export function writeDicom(dataset: Dataset): Uint8Array {
  const { DicomDict, DicomMetaDictionary } = dcmjs.data
  const given = Object.fromEntries(Object.entries(dataset).filter(([, value]) => value !== undefined))
  const meta = {
    FileMetaInformationVersion: new Uint8Array([0, 1]).buffer,
    MediaStorageSOPClassUID: dataset.SOPClassUID,
    MediaStorageSOPInstanceUID: dataset.SOPInstanceUID,
    TransferSyntaxUID: explicitLittleEndian,
    ImplementationClassUID: implementation,
    ImplementationVersionName: 'LESIONWISE',
    _vrMap: {},
  }
  const file = new DicomDict(DicomMetaDictionary.denaturalizeDataset(meta))
  file.dict = DicomMetaDictionary.denaturalizeDataset({ _vrMap: {}, SpecificCharacterSet: 'ISO_IR 192', ...given })
  return new Uint8Array(file.write())
}
