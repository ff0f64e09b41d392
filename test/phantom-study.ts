import type { AnySegmentationMethod, MethodContext } from '../src/methods/define.js'
import { tissueClasses } from '../src/preprocess/tissue.js'
import { gaussian } from '../src/volume/filter.js'
import type { LesionMap, PreparedStudy } from '../src/volume/study.js'
import { type Image, type Mask, maskWhere } from '../src/volume/volume.js'
import {
  type PhantomContrast,
  type PhantomLesion,
  phantomBrain,
  phantomGrid,
  phantomImage,
  phantomLabels,
  phantomLesionMask,
  phantomLesionNames,
} from './phantom.js'

/** PH-1 prepared for a method: its atlas is its own labels, blurred; its tissue classes are found as in any study. */
export function phantomStudy(options: PhantomStudyOptions = {}): Promise<PreparedStudy> {
  const key = JSON.stringify(options)
  const known = studies.get(key) ?? prepared(options)
  studies.set(key, known)
  return known
}

interface PhantomStudyOptions {
  contrasts?: readonly PhantomContrast[]
  seed?: number
  noise?: number
  bias?: number
  lesions?: readonly PhantomLesion[]
}

/** Methods leave their study as it is, so that tests of one file share it. */
const studies = new Map<string, Promise<PreparedStudy>>()

async function prepared({
  contrasts = ['flair', 't1'],
  seed = 1,
  noise = 4,
  bias = 0,
  lesions = phantomLesionNames,
}: PhantomStudyOptions): Promise<PreparedStudy> {
  const brain = phantomBrain()
  const labels = phantomLabels()
  const images = Object.fromEntries(
    contrasts.map((contrast) => [contrast, phantomImage({ contrast, seed, noise, bias, lesions })]),
  ) as Partial<Record<PhantomContrast, Image>>
  const part = async (label: number): Promise<Image> =>
    await gaussian({ ...labels, data: Float32Array.from(labels.data, (v) => (v === label ? 1 : 0)) }, 3)
  const [csf, gm, wm] = [await part(1), await part(2), await part(3)]
  const { t1, flair } = images
  const tissue = await tissueClasses({ ...(t1 && { t1 }), ...(flair && { flair }) }, brain, { csf, gm, wm })
  const world = (index: number) => {
    const [nx, ny] = phantomGrid.dims
    return [
      ((index % nx) - 39.5) * 2,
      ((Math.floor(index / nx) % ny) - 47.5) * 2,
      (Math.floor(index / (nx * ny)) - 39.5) * 2,
    ]
  }
  const where = (label: number, test: (x: number, y: number, z: number) => boolean): Mask =>
    maskWhere(labels, (v, i) => {
      const [x, y, z] = world(i)
      return v === label && test(x, y, z)
    })
  const deepGrey = where(2, (x, y, z) => [-1, 1].some((s) => Math.hypot(x - 22 * s, y - 6, z + 6) <= 7))
  const infratentorial = maskWhere(brain, (v, i) => {
    const [, y, z] = world(i)
    return v !== 0 && z < -38 && y < -20
  })
  const inside = (x: number, y: number, z: number) =>
    [-1, 1].some((s) => ((x - 9 * s) / 5) ** 2 + ((y - 2) / 22) ** 2 + ((z - 4) / 9) ** 2 <= 1)
  return {
    grid: phantomGrid,
    images,
    brain,
    tissue,
    atlas: {
      csf,
      gm,
      wm,
      ventricles: where(1, inside),
      infratentorial,
      deepGrey,
      cortex: { ...gm, data: gm.data.map((p, i) => (deepGrey.data[i] || infratentorial.data[i] ? 0 : p)) },
      // As often in white matter as our atlas has it where lesions are common.
      lesionPrior: { ...wm, data: wm.data.map((p) => 0.05 * p) },
    },
    toAtlas: [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1],
    flags: [],
    records: [],
  }
}

/** Runs a method on a study, its parameters parsed. */
export async function runMethod(
  method: AnySegmentationMethod,
  study: PreparedStudy,
  params: Record<string, unknown> = {},
  context: Partial<MethodContext> = {},
): Promise<LesionMap> {
  return await method.segment(study, method.params.parse(params), {
    progress: () => {},
    signal: new AbortController().signal,
    seed: 1,
    threads: 1,
    device: 'cpu',
    ...context,
  })
}

/** Dice with all lesions of PH-1, the share of each lesion's voxels that was found, and how many findings are none. */
export function judge(mask: Mask, lesions: readonly PhantomLesion[] = phantomLesionNames) {
  const truth = phantomLesionMask(lesions)
  let [both, found, there] = [0, 0, 0]
  mask.data.forEach((v, i) => {
    if (v !== 0) found++
    if (truth.data[i] !== 0) there++
    if (v !== 0 && truth.data[i] !== 0) both++
  })
  const shares = Object.fromEntries(
    lesions.map((name) => {
      const one = phantomLesionMask([name])
      let [inside, all] = [0, 0]
      one.data.forEach((v, i) => {
        if (v === 0) return
        all++
        if (mask.data[i] !== 0) inside++
      })
      return [name, inside / all]
    }),
  ) as Record<PhantomLesion, number>
  return {
    dice: found + there > 0 ? (2 * both) / (found + there) : 1,
    shares,
    detected: lesions.filter((name) => shares[name] > 0),
    voxels: found,
  }
}
