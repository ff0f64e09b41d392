import type { Modality } from '../../volume/study.js'
import type { DicomHeader } from './header.js'
import type { Stack } from './stacks.js'

/** What a series is taken for, and why. */
export interface ContrastGuess {
  role?: Modality
  /** 0 nothing known, 1 name or header alone, 2 one against the other, 3 both agree. */
  sureness: 0 | 1 | 2 | 3
  /** Facts and words of our own list only: never free text of the header. */
  why: string
}

/** Words of series names. The first that fits tells; those of `other` are asked before all. */
const otherWords: [RegExp, string][] = [
  [/\b(dwi|dti|adc|trace|diff(usion)?|tensor|hardi|b[ _]?1000)\b|ep2d|_adc|_tracew|_fa\b|colfa/, 'diffusion'],
  [/perf(usion)?\b|\bdsc\b|\basl\b|\bcbf\b|\bcbv\b|\bmtt\b|\bttp\b/, 'perfusion'],
  [/\bswi\b|\bswan\b|\bmip\b|\bminip\b|\bqsm\b|venbold/, 'susceptibility or projection'],
  [/\b(bold|fmri|rest(ing)?)\b/, 'function'],
  [/\btof\b|angio|\bmra\b|\bmrv\b/, 'vessels'],
  [/\b(fieldmap|field_map|b0map|b1map|gre_field)\b/, 'field map'],
  [/\bspectro|\bsvs\b|\bcsi\b|\bmrs\b/, 'spectroscopy'],
  [/\bdir\b|double.?inversion/, 'double inversion'],
  [/\bt2\*|t2star|\bhemo\b/, 'T2*'],
  [/c[- ]?spine|t[- ]?spine|cervical|thorac|lumbar|\bspine\b|myelo|\bhws\b|\bbws\b/, 'spine'],
  [/\borbit|optic/, 'orbits'],
]
const flairWords = /flair|dark.?fluid|\btirm\b/
const t1Words = /\bt1|_t1|t1w|mprage|mp2rage|\bspgr\b|\bfspgr\b|bravo|\btfe\b|\bvibe\b|\bflash\b/
const t2Words = /\bt2|_t2|t2w/
const pdWords = /\bpd\b|_pd|pdw|\bproton/
const gadWords =
  /\+ ?(c|gd|gad|km|k\b)|\b(post|gad|gd|gado|gadolinium|km|ce|dotarem|gadovist|magnevist|prohance)\b|_(gd|km|ce|post|c)\b|t1c\b|t1gd|contrast/
const noGadWords = /\b(pre|ohne|nativ|without|sans|w\/?o)\b|non.?contrast/

/** Tells the contrast of a volume by its name and by what the scanner did. */
export function guessContrast({ files }: Pick<Stack, 'files'>): ContrastGuess {
  const { header } = files[0]
  const words = `${header.description} ${header.protocol}`.toLowerCase().replaceAll('_', ' _').replace(/\s+/g, ' ')
  const other =
    otherWords.find(([pattern]) => pattern.test(words))?.[1] ??
    (header.imageType.includes('DIFFUSION') ? 'diffusion' : undefined)
  if (other) return { sureness: 0, why: `its name says ${other}` }
  if (header.imageType.some((kind) => ['P', 'PHASE', 'ADC', 'PROJECTION IMAGE', 'PERFUSION'].includes(kind)))
    return { sureness: 0, why: 'its image type is a phase, a map or a projection' }

  const named = byName(words)
  const measured = byPhysics(header)
  const gad = gadolinium(header, words)
  const withGad = (role: Modality, why: string, sureness: 1 | 2 | 3): ContrastGuess =>
    role === 't1' && gad ? { role: 't1gd', why: `${why}; ${gad}`, sureness } : { role, why, sureness }

  if (named && measured.role === named.role) return withGad(named.role, `${named.why}, and ${measured.why} agrees`, 3)
  if (named && measured.role)
    return withGad(measured.role, `${measured.why} is ${titles[measured.role]}, although ${named.why}`, 2)
  if (measured.role) return withGad(measured.role, `${measured.why} is ${titles[measured.role]}`, 1)
  if (named) return withGad(named.role, `${named.why}; ${measured.why}`, 1)
  return { sureness: 0, why: `${measured.why}, and its name tells nothing` }
}

const titles: Record<Modality, string> = {
  flair: 'FLAIR',
  t1: 'T1',
  t2: 'T2',
  pd: 'PD',
  t1gd: 'T1 with contrast agent',
}

function byName(words: string): { role: Modality; why: string } | undefined {
  const flair = flairWords.test(words)
  // "T1 FLAIR" is a T1: the inversion is short.
  if (flair && !/t1/.test(words)) return { role: 'flair', why: 'its name says FLAIR' }
  if (t1Words.test(words)) return { role: 't1', why: 'its name says T1' }
  if (flair) return { role: 'flair', why: 'its name says FLAIR' }
  const [t2, pd] = [t2Words.test(words), pdWords.test(words)]
  // "PD T2" names the two echoes of one series: the echo time tells them apart.
  if (t2 && pd) return undefined
  if (t2) return { role: 't2', why: 'its name says T2' }
  if (pd) return { role: 'pd', why: 'its name says PD' }
  return undefined
}

/**
 * The contrast that the times of a sequence make, at 1 to 3 tesla (times in ms).
 * Bounds: FLAIR inverts late (1400–3200) and reads late (TE 60 or more); T1 by inversion 350–1300 with a short echo; spin
 * echoes with TR up to 1200 are T1, with a long TR PD (TE up to 45) or T2 (TE from 60); fast spoiled gradient echoes are T1.
 */
function byPhysics(header: DicomHeader): { role?: Modality; why: string } {
  const { repetitionTime: tr, echoTime: te, inversionTime: ti, scanningSequence: kinds } = header
  const why =
    [
      kinds.length > 0 && kinds.every((kind) => /^[A-Z]{2}$/.test(kind)) ? kinds.join('/') : '',
      tr !== undefined ? `TR ${round(tr)}` : '',
      te !== undefined ? `TE ${round(te)}` : '',
      ti !== undefined ? `TI ${round(ti)}` : '',
    ]
      .filter(Boolean)
      .join(', ') || 'its header has no times'
  if (te === undefined || tr === undefined) return { why }
  const gradient = kinds.includes('GR') && !kinds.includes('SE')
  if (kinds.includes('EP')) return { why: `${why} (echo planar)` }
  if (ti !== undefined) {
    if (ti >= 1400 && ti <= 3200 && te >= 60) return { role: 'flair', why }
    if (ti >= 350 && ti <= 1300 && te < 40) return { role: 't1', why }
    // Short inversions suppress fat (STIR): no contrast of ours.
    if (ti < 350) return { why: `${why} (fat suppressed by inversion)` }
    return { why }
  }
  if (gradient) return te < 15 && tr < 60 ? { role: 't1', why } : te < 15 && tr < 3500 ? { role: 't1', why } : { why }
  if (tr <= 1200 && te < 40) return { role: 't1', why }
  if (tr > 1500 && te <= 45) return { role: 'pd', why }
  if (tr > 1500 && te >= 60) return { role: 't2', why }
  return { why }
}

function gadolinium(header: DicomHeader, words: string): string | undefined {
  if (noGadWords.test(words)) return undefined
  if (header.contrastAgent !== '' && !/^(no|none|n|nein|0|without)\b/i.test(header.contrastAgent))
    return 'its header names a contrast agent'
  return gadWords.test(words) ? 'its name speaks of a contrast agent' : undefined
}

const round = (ms: number) => String(Math.round(ms * 10) / 10)

/**
 * How well a volume serves its role, larger is better: what name and header agree on before guesses, originals before
 * derived ones, 3-D before 2-D, small voxels before large ones.
 */
export function serves({ files, sliceStepMm }: Stack, guess: ContrastGuess): number {
  const { header } = files[0]
  const spacing = header.places[0]?.spacing ?? [1, 1]
  const voxel = spacing[0] * spacing[1] * (sliceStepMm ?? header.sliceThickness ?? 5)
  return (
    guess.sureness * 1000 +
    (header.imageType[0] === 'DERIVED' ? 0 : 100) +
    (header.imageType.includes('MPR') ? 0 : 50) +
    (header.acquisitionType === '3D' ? 20 : 0) +
    10 / (1 + Math.max(0.01, voxel))
  )
}
