import type { Mask } from '../volume/volume.js'
import { detectionOf, sizeBinsMm3 } from './detection.js'
import { lesionF1 } from './lesionwise.js'
import { matchLesions } from './matching.js'
import { overlap } from './overlap.js'
import { panopticQuality } from './panoptic.js'
import type { Measure, Protocol, Scores } from './protocol.js'
import { measure } from './protocols/common.js'
import { overRaters } from './protocols/raters.js'
import { aggregateThenRank, caseValues, handedIn, meanScores, withMissing } from './ranking.js'
import { surfaceDistances } from './surface.js'

/** Measures of one kind. */
export interface MeasureGroup {
  id: string
  /** Says how lesions are counted, where they are. */
  title: string
  measures: readonly Measure[]
}

/** `0–10`, `10–100`, …, `1000 and more` mm³, by the bins' keys. */
const bins = [...sizeBinsMm3, Number.POSITIVE_INFINITY].map((to, i) => {
  const from = [0, ...sizeBinsMm3][i]
  return to === Number.POSITIVE_INFINITY
    ? { key: `From${from}`, label: `${from} mm³ and more` }
    : { key: `${from}To${to}`, label: `${from}–${to} mm³` }
})

const groups: readonly MeasureGroup[] = [
  {
    id: 'voxel',
    title: 'Voxel-wise',
    measures: [
      measure('dice', 'Dice', '', 'higher'),
      measure('jaccard', 'Jaccard', '', 'higher'),
      measure('sensitivity', 'Sensitivity', '', 'higher'),
      measure('ppv', 'PPV', '', 'higher'),
      measure('specificity', 'Specificity', '', 'higher'),
      measure('npv', 'NPV', '', 'higher'),
      measure('relativeVolumeError', 'Relative volume error', '%', 'neither'),
      measure('absoluteVolumeError', 'Absolute volume error', '%', 'lower'),
      measure('referenceMl', 'Reference volume', 'ml', 'neither'),
      measure('candidateMl', 'Candidate volume', 'ml', 'neither'),
    ],
  },
  {
    id: 'surface',
    title: 'Surfaces',
    measures: [
      measure('hausdorffDistance', 'Hausdorff distance', 'mm', 'lower'),
      measure('hausdorff95', 'Hausdorff, 95th percentile', 'mm', 'lower'),
      measure('assd', 'Average symmetric surface distance', 'mm', 'lower'),
      measure('contourMeanDistance', 'Contour mean distance', 'mm', 'lower'),
      measure('surfaceDice1mm', 'Surface Dice at 1 mm', '', 'higher'),
      measure('surfaceDice2mm', 'Surface Dice at 2 mm', '', 'higher'),
    ],
  },
  {
    id: 'lesion',
    title: 'Lesions: 18-connected, of any size, met by one shared voxel',
    measures: [
      measure('referenceLesions', 'Reference lesions', 'lesions', 'neither'),
      measure('candidateLesions', 'Candidate lesions', 'lesions', 'neither'),
      measure('ltpr', 'LTPR', '', 'higher'),
      measure('lfpr', 'LFPR', '', 'lower'),
      measure('lesionF1', 'Lesion F1', '', 'higher'),
      measure('splits', 'Split lesions', 'lesions', 'lower'),
      measure('merges', 'Merged lesions', 'lesions', 'lower'),
    ],
  },
  {
    id: 'msseg',
    title: 'Lesions by the MSSEG rule: face-connected, above 3 mm³',
    measures: [
      measure('f1Score', 'F1', '', 'higher'),
      measure('sensL', 'Sensitivity', '', 'higher'),
      measure('ppvL', 'PPV', '', 'higher'),
    ],
  },
  {
    id: 'size',
    title: 'Lesions by size: 18-connected, met by one shared voxel',
    measures: bins.flatMap(({ key, label }) => [
      measure(`referenceLesions${key}`, `Reference lesions, ${label}`, 'lesions', 'neither'),
      measure(`ltpr${key}`, `LTPR, ${label}`, '', 'higher'),
      measure(`lfpr${key}`, `LFPR, ${label}`, '', 'lower'),
    ]),
  },
  {
    id: 'panoptic',
    title: 'Panoptic quality: 18-connected, paired above an IoU of 0.5',
    measures: [measure('pq', 'PQ', '', 'higher'), measure('sq', 'SQ', '', 'higher'), measure('rq', 'RQ', '', 'higher')],
  },
]

const measures = groups.flatMap((group) => group.measures)

/**
 * Every measure of a pair of masks, as a protocol of its own for those who follow no challenge: voxel-wise, surfaces,
 * lesions (two rules), lesions by size, panoptic. What is undefined is NaN, as the measures' own files say. Against
 * several raters the mean. Candidates are ranked by mean Dice and by mean F1 of the MSSEG rule; a case that was not
 * handed in counts as 0.
 */
export const everyMeasure: Protocol = {
  id: 'all',
  title: 'Every measure',
  citation: 'Maier-Hein et al. 2024, Nature Methods 21:195; Commowick et al. 2018, Scientific Reports 8:13650',
  raters: 'several',
  measures,
  async score(references: readonly Mask[], candidate: Mask) {
    const raters: Scores[] = []
    for (const reference of references) raters.push(await scoresOf(reference, candidate))
    return raters.length === 1 ? { scores: raters[0] } : overRaters(raters)
  },
  overall: (cases) => meanScores(handedIn(cases)),
  rank(teams) {
    const complete = withMissing(teams, measures, { dice: 0, f1Score: 0 })
    return [
      aggregateThenRank('Mean Dice', caseValues(complete, 'dice'), 'higher'),
      aggregateThenRank('Mean lesion F1 (MSSEG rule)', caseValues(complete, 'f1Score'), 'higher'),
    ]
  },
}

/** A protocol's measures by kind: several groups of `everyMeasure`, one without a title of a challenge. */
export const groupsOf = (protocol: Protocol): readonly MeasureGroup[] =>
  protocol.id === everyMeasure.id ? groups : [{ id: 'scores', title: '', measures: protocol.measures }]

/** What a value is that a protocol corrects or adds: its own measure, or the one of that name among all. */
export function measureOf(protocol: Protocol, key: string): Measure {
  const known = [...protocol.measures, ...measures].find((measure) => measure.key === key)
  if (known) return known
  const words = key.replace(/([a-z\d])([A-Z])/g, (_, a, b) => `${a} ${b.toLowerCase()}`)
  const label = words[0].toUpperCase() + words.slice(1)
  return { key, label, unit: /distance/i.test(key) ? 'mm' : '', better: 'neither' }
}

async function scoresOf(reference: Mask, candidate: Mask): Promise<Scores> {
  const voxels = overlap(reference, candidate)
  const surface = await surfaceDistances(reference, candidate, { tolerancesMm: [1, 2] })
  const found = detectionOf(matchLesions(reference, candidate), sizeBinsMm3)
  const rule = lesionF1(reference, candidate)
  const { pq, sq, rq } = panopticQuality(reference, candidate)
  const bySize = found.bins.flatMap((bin, i) => [
    [`referenceLesions${bins[i].key}`, bin.referenceLesions],
    [`ltpr${bins[i].key}`, bin.ltpr],
    [`lfpr${bins[i].key}`, bin.lfpr],
  ])
  return {
    dice: voxels.dice,
    jaccard: voxels.jaccard,
    sensitivity: voxels.sensitivity,
    ppv: voxels.precision,
    specificity: voxels.specificity,
    npv: voxels.negativePredictiveValue,
    relativeVolumeError: finite(voxels.relativeVolumeError),
    absoluteVolumeError: finite(voxels.absoluteVolumeError),
    referenceMl: voxels.referenceMl,
    candidateMl: voxels.candidateMl,
    hausdorffDistance: surface.hausdorff,
    hausdorff95: surface.hausdorff95,
    assd: surface.assd,
    contourMeanDistance: surface.contourMean,
    surfaceDice1mm: surface.surfaceDice[0],
    surfaceDice2mm: surface.surfaceDice[1],
    referenceLesions: found.referenceLesions,
    candidateLesions: found.candidateLesions,
    ltpr: found.ltpr,
    lfpr: found.lfpr,
    lesionF1: found.f1,
    splits: found.splits,
    merges: found.merges,
    f1Score: rule.f1,
    sensL: rule.sensitivity,
    ppvL: rule.precision,
    ...Object.fromEntries(bySize),
    pq,
    sq,
    rq,
  }
}

/** A volume in per cent of nothing is not a number. */
const finite = (value: number): number => (Number.isFinite(value) ? value : Number.NaN)
