import { instancesOf, plainReference, type SourceSeries } from './segmentation.js'
import { brain, type Code, coded, dcm, equipment, lesion, type Making, patientAndStudy, sct } from './source.js'
import type { Dataset } from './write.js'

/** Number and volume of the lesions of one place. */
export interface Measured {
  label: string
  count: number
  volumeMm3: number
  /** The segment that holds them. */
  segment?: number
  trackingUid: string
}

export interface ReportIds {
  instance: string
  series: string
  device: string
}

const noUnits: Code = { value: '1', scheme: 'UCUM', meaning: 'no units' }
const cubicMillimetre: Code = { value: 'mm3', scheme: 'UCUM', meaning: 'cubic millimeter' }
/** The standard has no code for a number of lesions: ours says so. */
const lesionNumber: Code = { value: 'LESIONCOUNT', scheme: '99LESIONWISE', meaning: 'Number of lesions' }

/**
 * A structured report of measurements (Comprehensive 3D SR, TID 1500 of PS3.16): number and volume of all lesions in a
 * group without a region (TID 1501), and of each place with its segment (TID 1411).
 *
 * @param segmentationOf the segmentation that the measures belong to, if there is one
 */
export function measurementReport(
  source: SourceSeries,
  all: Measured,
  places: readonly Measured[],
  segmentationOf: { instance: string; series: string } | undefined,
  ids: ReportIds,
  making: Making,
): Dataset {
  const segSopClass = '1.2.840.10008.5.1.4.1.1.66.4'
  const evidence: Dataset[] = [
    { SeriesInstanceUID: source.series, ReferencedSOPSequence: instancesOf(source.frames).map(plainReference) },
  ]
  if (segmentationOf)
    evidence.push({
      SeriesInstanceUID: segmentationOf.series,
      ReferencedSOPSequence: [
        { ReferencedSOPClassUID: segSopClass, ReferencedSOPInstanceUID: segmentationOf.instance },
      ],
    })
  const group = (one: Measured): Dataset => {
    const region: Dataset[] =
      one.segment !== undefined && segmentationOf
        ? [
            {
              RelationshipType: 'CONTAINS',
              ValueType: 'IMAGE',
              ConceptNameCodeSequence: [coded(dcm('121191', 'Referenced Segment'))],
              ReferencedSOPSequence: [
                {
                  ReferencedSOPClassUID: segSopClass,
                  ReferencedSOPInstanceUID: segmentationOf.instance,
                  ReferencedSegmentNumber: one.segment,
                },
              ],
            },
            uidItem('CONTAINS', dcm('121232', 'Source series for segmentation'), source.series),
          ]
        : []
    return container(
      'CONTAINS',
      dcm('125007', 'Measurement Group'),
      [
        text('HAS OBS CONTEXT', dcm('112039', 'Tracking Identifier'), one.label),
        uidItem('HAS OBS CONTEXT', dcm('112040', 'Tracking Unique Identifier'), one.trackingUid),
        code('CONTAINS', dcm('121071', 'Finding'), lesion),
        ...region,
        code('HAS CONCEPT MOD', sct('363698007', 'Finding Site'), brain),
        number(lesionNumber, one.count, noUnits),
        number(sct('118565006', 'Volume'), Math.round(one.volumeMm3 * 1000) / 1000, cubicMillimetre),
      ],
      region.length > 0 ? '1411' : '1501',
    )
  }
  return {
    ...patientAndStudy(source.elements),
    ...equipment(making),
    SOPClassUID: '1.2.840.10008.5.1.4.1.1.88.34',
    SOPInstanceUID: ids.instance,
    Modality: 'SR',
    SeriesInstanceUID: ids.series,
    SeriesNumber: making.seriesNumber,
    SeriesDescription: 'MS lesion counts and volumes (research)',
    SeriesDate: making.date,
    SeriesTime: making.time,
    ContentDate: making.date,
    ContentTime: making.time,
    InstanceNumber: 1,
    ReferencedPerformedProcedureStepSequence: [],
    PerformedProcedureCodeSequence: [],
    CompletionFlag: 'COMPLETE',
    VerificationFlag: 'UNVERIFIED',
    PreliminaryFlag: 'PRELIMINARY',
    CurrentRequestedProcedureEvidenceSequence: [{ StudyInstanceUID: source.study, ReferencedSeriesSequence: evidence }],
    ValueType: 'CONTAINER',
    ContinuityOfContent: 'SEPARATE',
    ConceptNameCodeSequence: [coded(dcm('126000', 'Imaging Measurement Report'))],
    ContentTemplateSequence: [{ MappingResource: 'DCMR', TemplateIdentifier: '1500' }],
    ContentSequence: [
      code(
        'HAS CONCEPT MOD',
        dcm('121049', 'Language of Content Item and Descendants'),
        { value: 'en-US', scheme: 'RFC5646', meaning: 'English (United States)' },
        [
          code('HAS CONCEPT MOD', dcm('121046', 'Country of Language'), {
            value: 'US',
            scheme: 'ISO3166_1',
            meaning: 'United States',
          }),
        ],
      ),
      code('HAS OBS CONTEXT', dcm('121005', 'Observer Type'), dcm('121007', 'Device')),
      uidItem('HAS OBS CONTEXT', dcm('121012', 'Device Observer UID'), ids.device),
      text('HAS OBS CONTEXT', dcm('121013', 'Device Observer Name'), 'Lesionwise'),
      text(
        'HAS OBS CONTEXT',
        dcm('121015', 'Device Observer Model Name'),
        `Lesionwise ${making.version}, ${making.method}`,
      ),
      code('HAS CONCEPT MOD', dcm('121058', 'Procedure reported'), {
        value: '24590-2',
        scheme: 'LN',
        meaning: 'MR Brain',
      }),
      container('CONTAINS', dcm('126010', 'Imaging Measurements'), [group(all), ...places.map(group)]),
    ],
  }
}

type Relation = 'CONTAINS' | 'HAS CONCEPT MOD' | 'HAS OBS CONTEXT'

const container = (relation: Relation, name: Code, content: Dataset[], template?: string): Dataset => ({
  RelationshipType: relation,
  ValueType: 'CONTAINER',
  ConceptNameCodeSequence: [coded(name)],
  ContinuityOfContent: 'SEPARATE',
  ...(template ? { ContentTemplateSequence: [{ MappingResource: 'DCMR', TemplateIdentifier: template }] } : {}),
  ContentSequence: content,
})

const text = (relation: Relation, name: Code, value: string): Dataset => ({
  RelationshipType: relation,
  ValueType: 'TEXT',
  ConceptNameCodeSequence: [coded(name)],
  TextValue: value,
})

const uidItem = (relation: Relation, name: Code, value: string): Dataset => ({
  RelationshipType: relation,
  ValueType: 'UIDREF',
  ConceptNameCodeSequence: [coded(name)],
  UID: value,
})

const code = (relation: Relation, name: Code, value: Code, content?: Dataset[]): Dataset => ({
  RelationshipType: relation,
  ValueType: 'CODE',
  ConceptNameCodeSequence: [coded(name)],
  ConceptCodeSequence: [coded(value)],
  ...(content ? { ContentSequence: content } : {}),
})

const number = (name: Code, value: number, unit: Code): Dataset => ({
  RelationshipType: 'CONTAINS',
  ValueType: 'NUM',
  ConceptNameCodeSequence: [coded(name)],
  MeasuredValueSequence: [{ MeasurementUnitsCodeSequence: [coded(unit)], NumericValue: value }],
})
