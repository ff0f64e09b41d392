import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Protocol } from '../evaluate/protocol.js'
import { readNiftiMask } from '../formats/nifti.js'
import type { BenchmarkInput, Picture } from '../report/benchmark-input.js'
import { buildBenchmarkPage } from '../report/benchmark-page.js'
import { overlayPng } from '../report/overlay.js'
import { readImage, readMask } from '../run/inputs.js'
import type { BenchmarkResult } from './benchmark.js'
import type { Case } from './case-list.js'
import type { PlannedMethod } from './plan.js'
import { maskName, type RunRecord, runFolder } from './runs.js'
import { measuresOf } from './scoring.js'

/** What the page needs beyond the result itself. */
export interface PageSources {
  out: string
  methods: readonly PlannedMethod[]
  protocol: Protocol
  cases: readonly Case[]
}

/** The benchmark's page, pictures made anew from the images and the masks of the runs. */
export async function benchmarkPage(result: BenchmarkResult, sources: PageSources): Promise<string> {
  const { machine, options, runs, software } = result
  const { methods, protocol } = sources
  const { repeats, jobs, threads, seed, timeoutSeconds } = options
  const figureOf = (id: string, key: string) =>
    runs.find((run) => run.case === id && run.scored)?.scored?.scores[key] ?? Number.NaN
  const input: BenchmarkInput = {
    software: { ...software, name: 'Lesionwise' },
    date: result.started.slice(0, 10),
    machine: `${machine.processor}, ${machine.cores} cores, ${machine.memoryGb} GB, ${machine.system}, ${machine.runtime}`,
    settings: {
      'Runs of each method on each case': repeats,
      'Cases at a time': jobs,
      'Threads of a run': threads,
      Seed: seed,
      ...(timeoutSeconds === undefined ? {} : { 'Longest time of a process': `${timeoutSeconds} s` }),
    },
    protocol: { id: protocol.id, title: protocol.title, citation: protocol.citation },
    measures: measuresOf(protocol),
    methods: methods.map(({ entry, params, notes }) => ({
      id: entry.id,
      title: entry.title,
      citation: entry.citation.text,
      params,
      notes,
    })),
    cases: result.cases.map(({ id, group }) => ({
      id,
      group,
      referenceMl: figureOf(id, 'reference_ml'),
      referenceLesions: figureOf(id, 'reference_lesions'),
    })),
    runs: runs.map((run) => ({
      ...run,
      scores: run.scored?.scores,
      ...(run.status === 'done' ? { report: reportAddress(run) } : {}),
    })),
    leftOut: result.leftOut,
    analysis: result.analysis,
    pictures: await picturesOf(runs, sources),
  }
  return await buildBenchmarkPage(input)
}

/** The run's own report, relative to the page. */
const reportAddress = (run: RunRecord): string =>
  [...runFolder('', run.method, run.case, run.repeat).split(/[/\\]/), 'report.html'].map(encodeURIComponent).join('/')

/** Each method's best and worst case by Dice, with the outlines of its mask and of the reference. */
async function picturesOf(runs: readonly RunRecord[], { cases, methods, out }: PageSources): Promise<Picture[]> {
  const pictures: Picture[] = []
  for (const { entry } of methods) {
    const ranked = runs
      .filter(
        (run) => run.method === entry.id && run.repeat === 1 && !Number.isNaN(run.scored?.scores.dice ?? Number.NaN),
      )
      .sort((a, b) => b.scored!.scores.dice - a.scored!.scores.dice)
    const shown = ranked.length > 1 ? [ranked[0], ranked[ranked.length - 1]] : ranked
    for (const [n, run] of shown.entries()) {
      const one = cases.find(({ id }) => id === run.case)
      if (!one?.images.flair) continue
      const folder = runFolder(out, run.method, run.case, run.repeat)
      const { image } = await readImage(one.images.flair, 'flair')
      const onImage = async (path: string) => ({
        ...(await readNiftiMask(await readFile(path), path)),
        affine: image.affine,
      })
      const reference = { ...(await readMask(one.masks[0], 'reference mask')).image, affine: image.affine }
      const png = overlayPng(image, await onImage(join(folder, maskName)), reference, {
        slices: 6,
        columns: 3,
        tile: 220,
        brain: await onImage(join(folder, 'brain_mask.nii.gz')),
      })
      pictures.push({
        method: run.method,
        case: run.case,
        dice: run.scored!.scores.dice,
        which: n === 0 ? 'best' : 'worst',
        png,
      })
    }
  }
  return pictures
}
