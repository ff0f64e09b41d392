import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { readNifti, readNiftiMask } from '../src/formats/nifti.js'
import { findLesions } from '../src/lesions/instances.js'
import { loadMethod } from '../src/methods/registry.js'
import { type Preparation, prepare, prepareWeight } from '../src/preprocess/pipeline.js'
import { usual } from '../src/preprocess/recipe.js'
import { Stages } from '../src/preprocess/stages.js'
import { diskStore } from '../src/run/cache.js'
import type { LesionMap } from '../src/volume/study.js'
import type { Image, Mask } from '../src/volume/volume.js'
import type { LabelledCase } from './cases.js'

const root = fileURLToPath(new URL('..', import.meta.url))

export interface LabelledStudy {
  prepared: Preparation
  reference: Mask
  flair: Image
}

export interface LabelledOptions {
  /** Contrasts beside FLAIR, T1 by default; a T2 is taken where the scan has one. */
  contrasts?: readonly ('t1' | 't2')[]
  grid?: 'native' | 'isotropic-1mm'
  /** Says what the preparation found odd; default on stderr. */
  onFlag?(message: string): void
}

/** A labelled scan, prepared as `segment` does it with its default options. */
export async function labelledStudy(
  scan: LabelledCase,
  {
    contrasts = ['t1'],
    grid = 'native',
    onFlag = (message) => console.error(`${scan.id}: ${message}`),
  }: LabelledOptions = {},
): Promise<LabelledStudy> {
  const read = async (path: string) => (await readNifti(readFileSync(path), path)).image
  const flair = await read(scan.flair)
  const t2Path = scan.t1.replace('_T1w', '_T2w')
  const t1 = contrasts.includes('t1') ? await read(scan.t1) : undefined
  const t2 = contrasts.includes('t2') && existsSync(t2Path) ? await read(t2Path) : undefined
  const others = [t1, t2].filter((image) => image !== undefined)
  const prepared = await prepare(
    { flair, ...(t1 && { t1 }), ...(t2 && { t2 }) },
    {
      stages: new Stages(prepareWeight(others.length), new AbortController().signal, () => {}),
      recipe: usual,
      grid,
      seed: 1,
      store: diskStore(`${root}.cache/accuracy`),
      inputKeys: { flair: `${scan.id}-flair`, t1: `${scan.id}-t1`, t2: `${scan.id}-t2` },
      onFlag: ({ message }) => onFlag(message),
    },
  )
  return { prepared, reference: await readNiftiMask(readFileSync(scan.mask), scan.mask), flair }
}

/**
 * What a method finds, how long it takes (by the clock, and processor time of all threads together), and the mask on the
 * scan's own grid as `segment` gives it: of 3 mm³ and 3 voxels at least.
 */
export async function runOn(
  id: string,
  { study, toNative }: Preparation,
  params: Record<string, unknown> = {},
): Promise<{ map: LesionMap; mask: Mask; seconds: number; wall: number }> {
  const method = await loadMethod(id)
  const [start, before] = [performance.now(), process.cpuUsage()]
  const map = await method.segment(study, method.params.parse(params), {
    progress: () => {},
    signal: new AbortController().signal,
    seed: 1,
    threads: 2,
    device: 'cpu',
  })
  const { user, system } = process.cpuUsage(before)
  const [seconds, wall] = [(user + system) / 1e6, (performance.now() - start) / 1000]
  return { map, mask: findLesions(await toNative.mask(map.mask), {}).mask, seconds, wall }
}
