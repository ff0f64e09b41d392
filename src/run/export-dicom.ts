import { randomUUID } from 'node:crypto'
import { type Flag, InputError, RunError } from '../errors.js'
import { dicomLab } from '../formats/dicom/colour.js'
import { uidOf } from '../formats/dicom/identity.js'
import { encapsulatedPdf, secondaryCapture } from '../formats/dicom/pictures.js'
import { type Measured, measurementReport } from '../formats/dicom/report.js'
import { type Segment, type SourceSeries, segmentation } from '../formats/dicom/segmentation.js'
import type { Making } from '../formats/dicom/source.js'
import { type Dataset, writeDicom } from '../formats/dicom/write.js'
import { readNiftiValues } from '../formats/nifti.js'
import { replaceVoxels } from '../formats/nifti-patch.js'
import { type Location, locationColours, locations } from '../lesions/types.js'
import { invert } from '../volume/affine.js'
import { countVoxels, type Image } from '../volume/volume.js'
import { judgeAddress, storeInstances } from './dicom/dicomweb.js'
import { keyImages } from './dicom/key-images.js'
import { findSource, stepsOn } from './dicom/source-series.js'
import { hash } from './inputs.js'
import type { Progress } from './options.js'
import { openOutputFolder } from './output-folder.js'
import { locationOf, ResultFolder } from './result-files.js'

export interface ExportDicomOptions {
  /** Folder that `segment` wrote. */
  result: string
  /** Folder with the series that was segmented. */
  dicom: string
  out: string
  /** Its number, as `import-dicom --dry-run` lists it; default: the series that the result lies on. */
  series?: string
  /** DICOMweb address of a PACS to send the objects to as well. */
  toPacs?: string
  signal?: AbortSignal
  onProgress?(event: Progress): void
  onFlag?(flag: Flag): void
}

/** What `--json` prints. */
export interface ExportDicomResult {
  schemaVersion: 1
  /** Number of the source series. */
  series: string
  files: string[]
  lesionCount: number
  /** Lesion voxels of the result, and pixels of the segmentation: the same on the same grid. */
  voxels: number
  pixels: number
  sent: number
  flags: Flag[]
}

const titles: Record<Location, string> = {
  periventricular: 'Periventricular lesions',
  juxtacortical: 'Juxtacortical lesions',
  infratentorial: 'Infratentorial lesions',
  subcortical: 'Subcortical lesions',
}

/**
 * Writes a result of `segment` as DICOM objects of the study that it came from: a segmentation by location, one of the
 * probability if there is one, a structured report with numbers and volumes, key images, and report.pdf if it is there.
 *
 * @throws InputError (no result, no series that fits), UsageError, RunError; nothing is written then
 */
export async function exportDicom(options: ExportDicomOptions): Promise<ExportDicomResult> {
  const { result, signal, onProgress } = options
  if (options.toPacs !== undefined) judgeAddress(options.toPacs)
  const flags: Flag[] = []
  const onFlag = (flag: Flag) => {
    flags.push(flag)
    options.onFlag?.(flag)
  }
  const stage = (text: string, fraction: number) => {
    signal?.throwIfAborted()
    onProgress?.({ stage: text, fraction })
  }
  const stored = await ResultFolder.open(result)
  const provenance = await stored.provenance()
  const table = await stored.table()
  const [ids, beliefs] = ['lesion_instances.nii.gz', 'lesion_probability.nii.gz']
  const { image: instances } = await readNiftiValues(await stored.bytes(ids), stored.path(ids))
  const probability = await stored.optional(beliefs)
  stage('Reading the source series', 0)
  const { id, source, sameGrid, nifti } = await findSource(options.dicom, instances, options.series, onFlag, signal)

  const placeOf = new Map(table.rows.map((row) => [Number(row.id), locationOf(row)]))
  const present = locations.filter((one) => table.rows.some((row) => locationOf(row) === one))
  const classes = planesOf(source, instances, present.length, 1, (value) => {
    const at = present.indexOf(placeOf.get(value) ?? 'subcortical')
    return value === 0 || at < 0 ? undefined : [at, 1]
  })
  const voxels = countVoxels(instances)
  const pixels = classes.reduce(
    (sum, planes) => sum + planes.reduce((n, plane) => n + (plane?.reduce((a, b) => a + b, 0) ?? 0), 0),
    0,
  )
  if (voxels > 0 && pixels === 0)
    throw new InputError(
      options.dicom,
      `no lesion of the result lies within series ${id}`,
      'give the series that was segmented',
    )
  if (sameGrid && pixels !== voxels)
    onFlag({ code: 'voxels-lost', severity: 'serious', message: `${voxels} voxels became ${pixels} pixels.` })

  const { date, time } = moment()
  const method = provenance.method.id
  const making = (seriesNumber: number): Making => ({
    version: provenance.software.version,
    method,
    date,
    time,
    seriesNumber,
  })
  const fresh = () => uidOf(randomUUID())
  const made = new Map<string, Dataset>()
  const tracking = await Promise.all(present.map(fresh))
  let segmented: { instance: string; series: string } | undefined
  stage('Writing the segmentation', 0.2)
  if (pixels > 0) {
    const ids = { instance: await fresh(), series: await fresh(), dimensions: await fresh(), tracking }
    const segments = present.map(
      (one, i): Segment => ({ label: titles[one], colour: dicomLab(locationColours[one]), planes: classes[i] }),
    )
    made.set('seg_lesions.dcm', segmentation(source, segments, 'BINARY', ids, making(9001)))
    segmented = ids
  } else
    onFlag({
      code: 'no-lesions',
      severity: 'info',
      message: 'There is no lesion: the report says so, and there is no segmentation.',
    })
  if (probability) {
    const { image } = await readNiftiValues(probability, stored.path(beliefs))
    const [planes] = planesOf(source, image, 1, 255, (value) => {
      const level = Math.round(255 * Math.min(1, Math.max(0, value)))
      return level > 0 ? [0, level] : undefined
    })
    if (planes.some(Boolean)) {
      const ids = {
        instance: await fresh(),
        series: await fresh(),
        dimensions: await fresh(),
        tracking: [await fresh()],
      }
      const segment: Segment = {
        label: 'Lesion probability',
        colour: dicomLab(locationColours.periventricular),
        planes,
      }
      made.set('seg_probability.dcm', segmentation(source, [segment], 'FRACTIONAL', ids, making(9002)))
    }
  }
  const measured = (label: string, rows: typeof table.rows, trackingUid: string, segment?: number): Measured => ({
    label,
    count: rows.length,
    volumeMm3: rows.reduce((sum, row) => sum + Number(row.volume_mm3 ?? 0), 0),
    segment,
    trackingUid,
  })
  const all = measured('All lesions', table.rows, await fresh())
  const groups = present.map((one, i) =>
    measured(
      titles[one],
      table.rows.filter((row) => locationOf(row) === one),
      tracking[i],
      i + 1,
    ),
  )
  const reportIds = { instance: await fresh(), series: await fresh(), device: await uidOf('lesionwise device') }
  made.set('sr_measurements.dcm', measurementReport(source, all, groups, segmented, reportIds, making(9003)))

  stage('Drawing key images', 0.5)
  const pictureSeries = await fresh()
  try {
    const bytes = await nifti(signal)
    const given = provenance.inputs?.find(({ role }) => role === 'flair')?.sha256
    if (given !== undefined && given !== hash(await replaceVoxels(bytes, `series ${id}`, [], [])))
      onFlag({
        code: 'source-not-proved',
        severity: 'info',
        message: `That the result is of series ${id} rests on its grid: the image that was segmented is not the one import-dicom makes of it.`,
      })
    const { image } = await readNiftiValues(bytes, `series ${id}`)
    const outlined = present.map((one, i) => ({ label: titles[one], rgb: locationColours[one], planes: classes[i] }))
    for (const [i, picture] of keyImages(source, image, outlined).entries()) {
      const ids = { instance: await fresh(), series: pictureSeries }
      const frame = source.frames[picture.at]
      made.set(`key_image_${i + 1}.dcm`, secondaryCapture(source, frame, picture, i + 1, ids, making(9004)))
    }
  } catch (error) {
    if (!(error instanceof InputError)) throw error
    onFlag({ code: 'no-key-images', severity: 'warning', message: `There are no key images: ${error.problem}.` })
  }
  const pdf = await stored.optional('report.pdf')
  if (pdf) {
    const ids = { instance: await fresh(), series: await fresh() }
    made.set('report_pdf.dcm', encapsulatedPdf(source, pdf, ids, making(9005)))
  }

  stage('Writing', 0.9)
  const files = new Map<string, Uint8Array | string>([...made].map(([name, dataset]) => [name, writeDicom(dataset)]))
  const folder = await openOutputFolder<string>(options.out, (name) => ours.test(name))
  try {
    await folder.publish(files)
  } finally {
    await folder.release()
  }
  let sent = 0
  if (options.toPacs) {
    stage('Sending', 0.95)
    sent = await storeInstances(options.toPacs, [...files.values()] as Uint8Array[], { signal }).catch((error) => {
      if (!(error instanceof RunError)) throw error
      throw new RunError(`${error.message}; the objects lie in ${options.out} and were not sent`, { cause: error })
    })
  }
  return { schemaVersion: 1, series: id, files: [...files.keys()], lesionCount: all.count, voxels, pixels, sent, flags }
}

/** The names in the folder that are ours to replace. */
const ours = /^(seg_lesions|seg_probability|sr_measurements|key_image_\d+|report_pdf)\.dcm$/

/** Planes of some classes on the frames of a series: each pixel takes what `say` makes of the nearest voxel. */
function planesOf(
  { rows, columns, frames }: SourceSeries,
  { data, dims, affine }: Image,
  classes: number,
  most: number,
  say: (value: number) => [number, number] | undefined,
): (Uint8Array | undefined)[][] {
  const [nx, ny, nz] = dims
  const toVoxel = invert(affine)
  const out = Array.from({ length: classes }, () => frames.map((): Uint8Array | undefined => undefined))
  for (const [at, { place }] of frames.entries()) {
    const { first, column, row } = stepsOn(place, toVoxel)
    for (let r = 0; r < rows; r++)
      for (let c = 0; c < columns; c++) {
        const i = Math.round(first[0] + c * column[0] + r * row[0])
        const j = Math.round(first[1] + c * column[1] + r * row[1])
        const k = Math.round(first[2] + c * column[2] + r * row[2])
        if (i < 0 || j < 0 || k < 0 || i >= nx || j >= ny || k >= nz) continue
        const value = data[i + nx * (j + ny * k)]
        if (value === 0) continue
        const said = say(value)
        if (!said) continue
        const plane = (out[said[0]][at] ??= new Uint8Array(rows * columns))
        plane[c + columns * r] = Math.min(most, said[1])
      }
  }
  return out
}

function moment(): { date: string; time: string } {
  const text = new Date().toISOString().replace(/[-:]/g, '')
  return { date: text.slice(0, 8), time: text.slice(9, 15) }
}
