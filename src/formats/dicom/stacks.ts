import type { Vec3 } from '../../volume/affine.js'
import type { DicomHeader, FramePlace } from './header.js'

/** A doubt about a stack; those that forbid its use say so. */
export interface StackProblem {
  code:
    | 'not-mr'
    | 'localizer'
    | 'secondary'
    | 'derived'
    | 'missing-slices'
    | 'several-volumes'
    | 'no-position'
    | 'few-slices'
    | 'truncated'
    | 'tilt'
    | 'mosaic'
    | 'multi-frame'
    | 'incomplete'
    | 'burned-in'
  /** One sentence without anything that could name a person. */
  message: string
  /** The stack makes no sound image. */
  fatal: boolean
}

/** The images of a series that make one volume: same echo, same directions, same kind of picture. */
export interface Stack<F = unknown> {
  study: string
  series: string
  seriesNumber?: number
  /** Counts the stacks of one series, from 1. */
  part: number
  parts: number
  /** By position along the slices where it is known. */
  files: { header: DicomHeader; file: F }[]
  slices: number
  /** Between neighbouring slices, mm. */
  sliceStepMm?: number
  problems: StackProblem[]
}

/** Sorts the files of a folder into volumes. What a file holds twice (the same instance) is taken once. */
export function stacksOf<F>(files: readonly { header: DicomHeader; file: F }[]): Stack<F>[] {
  const series = new Map<string, { header: DicomHeader; file: F }[]>()
  const seen = new Set<string>()
  for (const one of files) {
    const { instance } = one.header
    if (instance !== '' && seen.has(instance)) continue
    seen.add(instance)
    const key = `${one.header.study}\n${one.header.series}`
    const list = series.get(key) ?? []
    list.push(one)
    series.set(key, list)
  }
  const stacks: Stack<F>[] = []
  for (const list of series.values()) {
    const parts = new Map<string, { header: DicomHeader; file: F }[]>()
    for (const one of list) {
      const key = partKey(one.header)
      parts.set(key, [...(parts.get(key) ?? []), one])
    }
    const sorted = [...parts.values()].sort(
      (a, b) => (a[0].header.echoTime ?? 0) - (b[0].header.echoTime ?? 0) || b.length - a.length,
    )
    // A series of many directions with few images each is a localizer, not many volumes.
    const scattered = directionsOf(list) > 1 && sorted.every((part) => part.length < 8)
    for (const [i, part] of (scattered ? [list] : sorted).entries())
      stacks.push(judged(part, i + 1, scattered ? 1 : sorted.length))
  }
  return stacks.sort(
    (a, b) =>
      (a.files[0].header.studyDate ?? '').localeCompare(b.files[0].header.studyDate ?? '') ||
      a.study.localeCompare(b.study) ||
      (a.seriesNumber ?? 0) - (b.seriesNumber ?? 0) ||
      a.series.localeCompare(b.series) ||
      a.part - b.part,
  )
}

const directionKey = ({ places }: DicomHeader): string =>
  places[0] ? [...places[0].row, ...places[0].column].map((x) => (Math.round(x * 50) / 50 + 0).toFixed(2)).join() : ''

const directionsOf = (list: readonly { header: DicomHeader }[]): number =>
  new Set(list.map(({ header }) => directionKey(header))).size

/** Magnitude, phase and the like of one series must not be mixed. */
const pictureKinds = ['P', 'PHASE', 'R', 'REAL', 'I', 'IMAGINARY', 'T1 MAP', 'T2 MAP', 'UNI']
const partKey = (header: DicomHeader): string =>
  [
    header.frames > 1 ? header.instance : '',
    header.echoTime?.toFixed(2) ?? '',
    header.rows,
    header.columns,
    directionKey(header),
    pictureKinds.filter((kind) => header.imageType.includes(kind)).join(),
  ].join('|')

function judged<F>(files: { header: DicomHeader; file: F }[], part: number, parts: number): Stack<F> {
  const { header } = files[0]
  const problems: StackProblem[] = []
  const doubt = (code: StackProblem['code'], message: string, fatal: boolean) => problems.push({ code, message, fatal })

  const mosaic = header.imageType.includes('MOSAIC')
  const multi = files.length === 1 && header.frames > 1
  if (header.modality !== 'MR') doubt('not-mr', `its modality is ${word(header.modality)}, not MR`, true)
  const made = /^1\.2\.840\.10008\.5\.1\.4\.1\.1\.7(\.|$)/.test(header.sopClass)
  if (header.samplesPerPixel > 1) doubt('secondary', 'colours, not grey levels', true)
  // Converters and post-processing call whole volumes derived as well: whoever knows better may say so.
  else if (made || header.imageType[1] === 'SECONDARY')
    doubt('derived', 'made afterwards from other images (DERIVED\\SECONDARY or a secondary capture), not a scan', true)
  if (files.some((one) => one.header.truncated))
    doubt('truncated', `${files.filter((one) => one.header.truncated).length} of its files end too early`, true)
  if (files.some((one) => one.header.burnedIn))
    doubt('burned-in', 'its header says that text is burned into the pixels: look for names', true)

  const named = /localizer|localiser|scout|survey|3[- ]?plane|aahead|smart ?brain/i
  if (header.imageType.includes('LOCALIZER') || named.test(`${header.description} ${header.protocol}`))
    doubt('localizer', 'a localizer', true)
  else if (directionsOf(files) > 1) doubt('localizer', 'slices of several directions, as a localizer has', true)

  const placed = files.flatMap((one) => one.header.places.map((place) => ({ place, one })))
  const expected = files.reduce((sum, one) => sum + Math.max(1, one.header.frames), 0)
  const slices = { count: expected, step: undefined as number | undefined }
  if (mosaic) doubt('mosaic', 'a mosaic: all slices in one picture, as in diffusion and function', false)
  else if (placed.length < expected || placed.length === 0)
    doubt('no-position', `${expected - placed.length} of ${expected} slices do not say where they lie`, true)
  else if (!problems.some(({ code }) => code === 'localizer')) {
    const order = alongNormal(placed.map(({ place }) => place))
    judgeSteps(order.steps, doubt)
    slices.step = order.step
    if (order.tiltDegrees > 1)
      doubt('tilt', `its slices are shifted against each other (tilt of ${order.tiltDegrees.toFixed(1)}°)`, false)
    files = multi ? files : order.order.map((i) => placed[i].one)
  }
  if (!mosaic && slices.count < 8 && !problems.some(({ code }) => code === 'localizer'))
    doubt('few-slices', `only ${slices.count} slices`, true)
  if (multi) doubt('multi-frame', `one file of ${header.frames} frames`, false)
  const promised = header.imagesInAcquisition ?? 0
  if (parts === 1 && promised > expected)
    doubt('incomplete', `its header promises ${promised} images, ${expected} are here`, false)
  return {
    study: header.study,
    series: header.series,
    seriesNumber: header.seriesNumber,
    part,
    parts,
    files,
    slices: slices.count,
    sliceStepMm: slices.step,
    problems,
  }
}

function judgeSteps(
  steps: readonly number[],
  doubt: (code: StackProblem['code'], text: string, fatal: boolean) => void,
) {
  if (steps.length === 0) return
  const moved = steps.filter((mm) => mm > 0.01)
  const same = steps.length - moved.length
  if (moved.length === 0) return doubt('several-volumes', 'all its slices lie at one place', true)
  if (same > 0)
    doubt(
      'several-volumes',
      `${same} slices lie where others do: several volumes in one series (time points, b values)`,
      true,
    )
  const step = median(moved)
  const missing = moved.reduce((sum, mm) => sum + (mm > 1.5 * step ? Math.round(mm / step) - 1 : 0), 0)
  if (missing > 0)
    doubt(
      'missing-slices',
      `${missing} ${missing === 1 ? 'slice is' : 'slices are'} missing (a gap where ${step.toFixed(2)} mm is the rule)`,
      true,
    )
  else if (moved.some((mm) => Math.abs(mm - step) > 0.1 * step + 0.01))
    doubt(
      'missing-slices',
      `its slices are not evenly spaced (${Math.min(...moved).toFixed(2)}–${Math.max(...moved).toFixed(2)} mm)`,
      true,
    )
}

/** Orders slices along their normal. The tilt is the angle between that normal and the way from the first to the last. */
function alongNormal(places: readonly FramePlace[]) {
  const { row, column } = places[0]
  const normal = cross(row, column)
  const at = places.map(({ position }) => dot(position, normal))
  const order = places.map((_, i) => i).sort((a, b) => at[a] - at[b])
  const steps = order.slice(1).map((i, n) => at[i] - at[order[n]])
  const first = places[order[0]].position
  const last = places[order[order.length - 1]].position
  const way: Vec3 = [last[0] - first[0], last[1] - first[1], last[2] - first[2]]
  const along = Math.abs(dot(way, normal))
  const aside = Math.sqrt(Math.max(0, dot(way, way) - along * along))
  const moved = steps.filter((mm) => mm > 0.01)
  return {
    order,
    steps,
    step: moved.length > 0 ? median(moved) : undefined,
    tiltDegrees: along > 0.01 ? (Math.atan2(aside, along) * 180) / Math.PI : 0,
  }
}

const dot = (a: Vec3, b: Vec3) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
export const cross = (a: Vec3, b: Vec3): Vec3 => [
  a[1] * b[2] - a[2] * b[1],
  a[2] * b[0] - a[0] * b[2],
  a[0] * b[1] - a[1] * b[0],
]
const median = (values: readonly number[]) => [...values].sort((a, b) => a - b)[values.length >> 1]
/** A code word of a header, never free text. */
const word = (text: string) => (/^[A-Z]{1,16}$/.test(text) ? text : 'unknown')
