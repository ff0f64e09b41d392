import { measure } from './common.js'

/** What animaSegPerfAnalyzer prints of a case whose reference has lesions, in its order. */
export const lesionCaseMeasures = [
  measure('jaccard', 'Jaccard', '', 'higher'),
  measure('dice', 'Dice', '', 'higher'),
  measure('sensitivity', 'Sensitivity', '', 'higher'),
  measure('specificity', 'Specificity', '', 'higher'),
  measure('ppv', 'PPV', '', 'higher'),
  measure('npv', 'NPV', '', 'higher'),
  // Signed: what is best is nearest to zero.
  measure('relativeVolumeError', 'Relative volume error', '%', 'neither'),
  measure('hausdorffDistance', 'Hausdorff distance', 'mm', 'lower'),
  measure('contourMeanDistance', 'Contour mean distance', 'mm', 'lower'),
  measure('surfaceDistance', 'Surface distance (as printed)', 'mm', 'lower'),
  measure('ppvL', 'Lesion PPV', '', 'higher'),
  measure('sensL', 'Lesion sensitivity', '', 'higher'),
  measure('f1Score', 'Lesion F1', '', 'higher'),
]

/** What it prints of a case whose reference is empty. */
export const emptyCaseMeasures = [
  measure('nbTestedLesions', 'Lesions found where there are none', 'lesions', 'lower'),
  measure('volTestedLesions', 'Volume found where there is none', 'mm³', 'lower'),
]

/** The bounds that stand for a case that was not handed in. */
export const worstByDefinition = { jaccard: 0, dice: 0, sensitivity: 0, ppv: 0, ppvL: 0, sensL: 0, f1Score: 0 }
