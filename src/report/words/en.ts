import { contrastNames } from './common.js'

/**
 * Every phrase of the report, in English. Another language is a file beside this one that holds the same phrases (its type
 * says so: a missing one does not compile) and a line in languages.ts. Phrases with figures in them are functions; the
 * figures arrive as they are to be printed.
 */
export const en = {
  /** As in HTML's `lang`, and for figures (BCP 47). */
  language: 'en',
  locale: 'en-GB',
  and: 'and',
  yes: 'yes',
  no: 'no',

  title: 'MS lesion report',
  research: 'Research only. Not for diagnosis.',
  footer: (software: string) =>
    `Made by ${software}. Research only, not a medical device: nothing here is a diagnosis.`,
  sections: 'Sections',
  page: (number: string, of: string) => `Page ${number} of ${of}`,
  voxels: (dims: string, size: string) => `${dims} voxels of ${size} mm`,
  maskGiven: 'lesion mask given',
  visit: (date: string) => `visit ${date}`,
  analysed: (date: string) => `analysed ${date}`,

  locations: {
    periventricular: 'Periventricular',
    juxtacortical: 'Juxtacortical and cortical',
    infratentorial: 'Infratentorial',
    subcortical: 'Subcortical, deep white matter',
  },
  /** The same in a word. */
  shortLocations: {
    periventricular: 'Periventricular',
    juxtacortical: 'Juxtacortical',
    infratentorial: 'Infratentorial',
    subcortical: 'Subcortical',
  },
  planes: { axial: 'Axial', coronal: 'Coronal', sagittal: 'Sagittal' },
  contrasts: contrastNames,

  result: {
    title: 'Result',
    lesions: (n: number): string => (n === 1 ? 'lesion' : 'lesions'),
    counted: (minimumMm3: string, connectivity: string) => `of at least ${minimumMm3} mm³, ${connectivity}-connected`,
    inAll: 'ml in all',
    largest: (ml: string) => `largest ${ml} ml`,
    none: 'no lesion was found',
    ofBrain: 'of the brain',
    ofBrainNote: 'lesions in per cent of the brain mask',
    brain: 'ml of brain',
    brainNote: 'all within the brain mask, fluid too; not corrected for head size',
    location: 'Location',
    count: 'Lesions',
    volume: 'Volume, ml',
    share: 'Share',
    total: 'Total',
  },

  criteria: {
    title: 'Regions of the McDonald criteria',
    lead: (mm: string) =>
      `Which brain regions that the criteria name hold a lesion with a long axis of at least ${mm} mm. These are counts of what the software found, false finds included; they are no diagnosis.`,
    region: 'Region',
    count: (mm: string) => `Lesions ≥ ${mm} mm`,
    longest: 'Longest axis, mm',
    holds: 'Holds a lesion',
    spinalCord: 'Spinal cord',
    opticNerve: 'Optic nerve',
    notImaged: 'not imaged',
    sentence: (held: string, of: string, names: string) =>
      `${held} of the ${of} brain regions hold${held === '1' ? 's' : ''} at least one such lesion${names && `: ${names}`}. Each lesion counts in one region.`,
  },

  earlier: {
    title: 'Compared with the earlier visit',
    lead: 'Counts and volumes of two results, each by itself. Single lesions are not matched: which are new, larger or gone is not said here, and lesions that grow together lower the count.',
    before: (date: string) => `Earlier${date && ` (${date})`}`,
    now: (date: string) => `Now${date && ` (${date})`}`,
    change: 'Change',
    percent: 'Change, %',
    lesions: 'Lesions',
    volume: 'Volume, ml',
    brain: 'Brain mask',
    percentOfBrain: 'Lesions, % of brain',
    differs: (what: string) =>
      `The two results were not made alike (${what}): a difference may come from that and not from the patient.`,
    differences: {
      method: 'method',
      params: 'parameters',
      version: 'version of the software',
      connectivity: 'connectivity',
      minimumSize: 'smallest lesion',
      locationRule: 'location rule',
      contrasts: 'contrasts',
      grid: 'grid of the FLAIR',
    },
  },

  quality: {
    title: 'Doubts and quality',
    lead: 'What was noticed about the images and the run. A flag is a reason to look, not a verdict.',
    none: 'Nothing was noticed that speaks against the result.',
    severities: { serious: 'Serious', warning: 'Warning', info: 'Note' },
    more: (n: string) => `${n} more in report.html and summary.json.`,
  },

  pictures: {
    title: 'Key slices',
    withLesions:
      'In each plane the slice with the most lesion tissue: first as acquired, then with the edges of the lesions',
    withoutLesions: 'The middle of the brain in three planes',
    sides: 'Radiological convention: the patient’s right (R) is on the left of the image.',
    missing: 'The FLAIR was not at hand when this report was made: it has no pictures. Give it with --flair FILE.',
    slice: (plane: string, place: string) => `${plane} slice, ${place}`,
    outlined: 'lesions outlined',
    largest: 'The largest lesions, close up',
    all: 'The lesions, close up',
    closeLead: 'Axial squares of 64 mm at one scale, through the slice that shows most of the lesion.',
    lesion: (id: string) => `Lesion ${id}`,
    montage: 'The whole brain',
    montageLead: 'Axial slices from top to bottom, patient’s right on the left; numbers are heights in mm.',
    brainEdge: 'The thin line is the edge of the brain mask.',
  },

  lesions: {
    title: 'Lesions',
    lead: 'Centroids are in mm towards the right, the front and the head. Gaps run from the surface of the lesion to that of the ventricles and of the cortex. Press a heading to sort.',
    number: 'No.',
    location: 'Location',
    volume: 'Volume, mm³',
    longest: 'Longest axis, mm',
    centroid: 'Centroid, mm',
    toVentricles: 'To ventricles, mm',
    toCortex: 'To cortex, mm',
    flair: 'FLAIR mean',
    printed: (n: string) => `The 60 largest of ${n} lesions are printed; lesions.tsv has them all.`,
  },

  intensities: {
    title: 'Intensities',
    lead: 'FLAIR intensities of the brain and of the lesions, each scaled to its own peak.',
    brain: 'Brain without lesions',
    lesions: 'Lesions',
    threshold: (value: string) => `Threshold ${value}`,
    mark: 'threshold',
    axis: 'FLAIR intensity, in the image’s own units',
  },

  probability: {
    title: 'How sure the method was',
    lead: 'The key slices again, coloured by the probability of being lesion that the method gave each voxel.',
  },

  registration: {
    title: 'Does the T1 fit the FLAIR?',
    lead: 'FLAIR and T1 (bluish) in turns. Where the two fit, ventricles and cortex run on across the borders of the squares.',
    check: 'Registration check',
    best: '1 is best',
  },

  method: {
    title: 'How it was done',
    given: 'Lesion mask given by the user',
    paper: 'For the Methods section',
    settings: 'Parameters and settings',
    smallest: 'Smallest lesion',
    smallestValue: (mm3: string, voxels: string) => `${mm3} mm³${voxels && ` and ${voxels} voxels`}`,
    touching: 'Voxels touch by',
    neighbours: (n: string) => `${n} neighbours`,
    rule: 'Location rule',
    cut: 'Probability cut',
    threshold: 'Intensity threshold found',
    times: 'Where the time went',
    inAll: 'In all',
    stages: (n: number): string => `${n} ${n === 1 ? 'stage' : 'stages'}`,
    versions: 'Versions',
    segmentedBy: (software: string) => `Lesions: ${software}`,
    writtenBy: (software: string) => `This report: ${software}`,
    references: 'References',
    more: (n: string) => `${n} more in report.html and provenance.json.`,
    sentences: {
      given: (images: string, software: string) =>
        `Lesion masks were given; lesions were measured on ${images} images with ${software}.`,
      segmented: (images: string, software: string, method: string, params: string) =>
        `Lesions were segmented on ${images} images with ${software}, method ${method}${params && `, with ${params}`}.`,
      rules: (connectivity: string, minimumMm3: string, rule: string) =>
        `A lesion is ${connectivity === '18' ? 'an' : 'a'} ${connectivity}-connected component of at least ${minimumMm3} mm³. Lesions were classed as infratentorial, periventricular, juxtacortical or cortical, or subcortical by their distance to the ventricles and the cortex${rule && ` (rule: ${rule})`}. Volumes are in the space of the FLAIR as acquired.`,
    },
  },
}

/** The phrases of a language. */
export type Words = typeof en
