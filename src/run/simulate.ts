import { basename } from 'node:path'
import { InputError } from '../errors.js'
import { writeItkAffine } from '../formats/itk.js'
import { writeNifti } from '../formats/nifti.js'
import { writeTsv } from '../formats/tsv.js'
import { setThreads } from '../kernels/index.js'
import { coreCount, gunzip, now } from '../platform/index.js'
import { seededRandom } from '../random.js'
import { type Anatomy, atlasAnatomy, labelAnatomy } from '../simulate/anatomy.js'
import { type LesionBank, lesionBank, unpackMasks } from '../simulate/bank.js'
import { ellipsoidBank } from '../simulate/label-lesions.js'
import { type SimulatedVisit, simulateVisits } from '../simulate/patient.js'
import type { SynthesisedContrast } from '../simulate/synthesise.js'
import { tissueOfFreeSurfer, tissueOfLabel } from '../simulate/tissue-contrast.js'
import { invert } from '../volume/affine.js'
import { type Volume, volumeMl } from '../volume/volume.js'
import { readBytes, readImage, readMask } from './inputs.js'
import { type OutputFolder, openOutputFolder } from './output-folder.js'
import { judgeSimulation, type SimulateFilesOptions } from './simulate-options.js'

export type { SimulateFilesOptions } from './simulate-options.js'

/** What `--json` prints. */
export interface SimulateResult {
  schemaVersion: 1
  out: string
  subjects: { id: string; seed: number; visits: { lesions: number; lesionMl: number; newLesions: number }[] }[]
  seconds: number
}

const suffixes: Record<SynthesisedContrast, string> = {
  flair: 'FLAIR',
  t1: 'T1w',
  t2: 'T2w',
  pd: 'PDw',
  t1gd: 'ce-gadolinium_T1w',
  random: 'acq-random_FLAIR',
}

/**
 * Writes a BIDS data set of patients who do not exist, with the exact truth under derivatives/truth.
 *
 * @throws UsageError, InputError, RunError. A folder that holds anything is refused; what is complete of an interrupted
 * run stays, without dataset_description.json.
 */
export async function simulateFiles(options: SimulateFilesOptions): Promise<SimulateResult> {
  const clock = now()
  const { subjects: count = 1, seed = 1, signal, onProgress } = options
  await judgeSimulation(options)
  setThreads(options.threads ?? coreCount())
  const bank = options.lesionBank?.length
    ? await readBank(options.lesionBank)
    : await ellipsoidBank(seededRandom(seed ^ 0x5eed))
  // All are judged before the work begins, and read again in turn: hundreds would not fit into memory.
  const maps = options.labels ?? []
  for (const path of maps) await readLabels(path, options)
  const folder = await openOutputFolder<string>(options.out, () => false)
  try {
    const digits = Math.max(2, String(count).length)
    const subjects: SimulateResult['subjects'] = []
    const rows: (string | number)[][] = []
    for (let n = 0; n < count; n++) {
      const id = `sub-${String(n + 1).padStart(digits, '0')}`
      const own = Math.imul(seed, 1000003) + n
      const from = maps.length > 0 ? maps[n % maps.length] : undefined
      const anatomy = from ? await readLabels(from, options) : await atlasAnatomy(seededRandom(own ^ 0x7e47))
      const lesionMl = options.lesionMl ?? 2 * 15 ** seededRandom(own ^ 0x10ad)()
      const visits = await writeSubject(folder, id, anatomy, bank, { ...options, lesionMl, seed: own }, (part) =>
        onProgress?.({ stage: `Simulating ${id}`, fraction: (n + part) / count }),
      )
      subjects.push({ id, seed: own, visits })
      rows.push([id, own, visits.length, visits[0].lesionMl, visits[0].lesions, from ? basename(from) : 'atlas'])
    }
    signal?.throwIfAborted()
    await folder.publish(descriptions(rows))
    return { schemaVersion: 1, out: options.out, subjects, seconds: Number(((now() - clock) / 1000).toFixed(1)) }
  } finally {
    await folder.release()
  }
}

async function readBank(paths: readonly string[]): Promise<LesionBank> {
  const masks = []
  for (const path of paths)
    if (/\.json$/i.test(path)) {
      const text = new TextDecoder().decode(await readBytes(path, 'an index', 'give lesions.json or lesion masks'))
      const bits = await gunzip(
        await readBytes(path.replace(/\.json$/i, '.bin.gz'), 'packed masks', 'keep .bin.gz beside its .json'),
      )
      masks.push(...unpackMasks(text, bits, path))
    } else masks.push((await readMask(path, 'lesion mask')).image)
  try {
    return await lesionBank(masks)
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause
    throw new InputError(paths.join(' '), 'the bank holds no lesion of 3 mm³ or more', 'give masks with lesions', {
      cause,
    })
  }
}

async function readLabels(path: string, { labelSet = 'tissue' }: SimulateFilesOptions): Promise<Anatomy> {
  const { image } = await readImage(path, 'labels')
  if (image.data.some((value) => value < 0 || !Number.isInteger(value)))
    throw new InputError(path, 'holds values that are no labels', 'give a map of whole numbers, not probabilities')
  return labelAnatomy(image, labelSet === 'freesurfer' ? tissueOfFreeSurfer : tissueOfLabel, path)
}

async function writeSubject(
  folder: OutputFolder<string>,
  id: string,
  anatomy: Anatomy,
  bank: LesionBank,
  options: SimulateFilesOptions & { lesionMl: number; seed: number },
  progress: (part: number) => void,
): Promise<SimulateResult['subjects'][number]['visits']> {
  const { visits = 1, contrasts = ['flair', 't1'], seed, lesionMl, noise, bias, ghosting, aligned, signal } = options
  const files = new Map<string, Uint8Array | string>()
  const out: SimulateResult['subjects'][number]['visits'] = []
  const sessions: (string | number)[][] = []
  for await (const visit of simulateVisits(anatomy, bank, {
    seed,
    visits,
    contrasts,
    lesionMl,
    activity: { newLesions: options.newLesions },
    atrophyMm: options.atrophy ?? 0.3,
    noise,
    bias,
    ghosting,
    aligned,
    sliceMm: options.sliceThickness,
    pixelMm: options.spacing,
    progress,
  })) {
    signal?.throwIfAborted()
    const session = `ses-${String(out.length + 1).padStart(2, '0')}`
    await addVisit(files, id, session, visit)
    const volume = Number(volumeMl(visit.truth).toFixed(3))
    const fresh = visit.lesions.filter(({ change }) => change === 'new').length
    out.push({ lesions: visit.lesions.length, lesionMl: volume, newLesions: fresh })
    sessions.push([session, visit.lesions.length, volume, fresh, visit.parenchymaMl.toFixed(2)])
  }
  files.set(
    `${id}/${id}_sessions.tsv`,
    writeTsv(['session_id', 'lesions', 'lesion_ml', 'new_lesions', 'parenchyma_ml'], sessions),
  )
  await folder.publish(files)
  return out
}

async function addVisit(
  files: Map<string, Uint8Array | string>,
  id: string,
  session: string,
  { scans, truth, labels, brain, change, lesions, fromFirst }: SimulatedVisit,
): Promise<void> {
  const raw = `${id}/${session}/anat/${id}_${session}`
  const derived = `derivatives/truth/${id}/${session}/anat/${id}_${session}`
  const packed = (volume: Volume) => writeNifti(volume, { level: 3 })
  for (const { contrast, image, map } of scans) {
    const whole = { ...image, data: Int16Array.from(image.data, (value) => Math.min(32767, value)) }
    files.set(`${raw}_${suffixes[contrast]}.nii.gz`, await packed(whole))
    if (contrast === 't1' || contrast === 't1gd')
      // The image is resampled onto the truth by the map of points the other way round (as ITK has it).
      files.set(
        `${derived}_from-${contrast === 't1' ? 'T1w' : 'T1wGd'}_to-FLAIR_mode-image_xfm.txt`,
        writeItkAffine(map),
      )
  }
  files.set(`${derived}_label-lesion_mask.nii.gz`, await packed(truth))
  files.set(`${derived}_label-lesion_dseg.nii.gz`, await packed(labels))
  files.set(`${derived}_label-brain_mask.nii.gz`, await packed(brain))
  if (change) {
    files.set(`${derived}_label-change_dseg.nii.gz`, await packed(change))
    files.set(`${derived}_from-${session}_to-ses-01_mode-image_xfm.txt`, writeItkAffine(fromFirst))
    files.set(`${derived}_from-ses-01_to-${session}_mode-image_xfm.txt`, writeItkAffine(invert(fromFirst)))
  }
  files.set(
    `${derived}_lesions.tsv`,
    writeTsv(
      ['id', 'change', 'enhancing', 'voxels', 'volume_mm3', 'centroid_x_mm', 'centroid_y_mm', 'centroid_z_mm'],
      lesions.map(({ id: number, change: kind, enhancing, voxels, volumeMm3, centre }) => [
        number,
        kind,
        enhancing ? 1 : 0,
        voxels,
        volumeMm3.toFixed(2),
        ...centre.map((mm) => mm.toFixed(2)),
      ]),
    ),
  )
}

/** What makes the folder a data set; it is complete when these are there. */
function descriptions(rows: (string | number)[][]): Map<string, string> {
  const description = (name: string, more: object) =>
    `${JSON.stringify({ Name: name, BIDSVersion: '1.10.0', ...more, GeneratedBy: [{ Name: 'lesionwise simulate' }] }, null, 2)}\n`
  return new Map([
    ['participants.tsv', writeTsv(['participant_id', 'seed', 'visits', 'lesion_ml', 'lesions', 'anatomy'], rows)],
    [
      'derivatives/truth/dataset_description.json',
      description('Truth of synthetic MS patients', { DatasetType: 'derivative' }),
    ],
    ['dataset_description.json', description('Synthetic MS patients', { DatasetType: 'raw' })],
  ])
}
