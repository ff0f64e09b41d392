import { readFileSync } from 'node:fs'
import { analyse } from '../src/cohort/analysis.js'
import { thisMachine } from '../src/cohort/machine.js'
import { planMethods } from '../src/cohort/plan.js'
import type { RunRecord } from '../src/cohort/runs.js'
import { measuresOf, scoreMask } from '../src/cohort/scoring.js'
import { findProtocol } from '../src/evaluate/protocols.js'
import { readNifti, readNiftiMask } from '../src/formats/nifti.js'
import { standInsOf } from '../src/methods/contrasts.js'
import { methodEntry } from '../src/methods/registry.js'
import type { BenchmarkInput, Picture } from '../src/report/benchmark-input.js'
import { buildBenchmarkPage } from '../src/report/benchmark-page.js'
import { overlayPng } from '../src/report/overlay.js'
import { packageVersion } from '../src/run/segment.js'
import type { LabelledCase } from './cases.js'
import type { MethodResult } from './unsupervised.js'

/**
 * The page of `lesionwise benchmark` from the masks that the methods left in `out`. Cases are grouped by patient: visits of
 * one are resampled and tested together. Trained methods' masks are those of the fold that left the patient out.
 */
export async function unsupervisedPage(
  results: readonly MethodResult[],
  cases: readonly LabelledCase[],
  out: string,
): Promise<string> {
  const protocol = findProtocol('msseg2016')
  const methods = await planMethods(
    results.map(({ id }) => id),
    Object.fromEntries(
      results.filter(({ id }) => trained(id)).map(({ id }) => [`${id}.model`, 'of the fold without the patient']),
    ),
  )
  const runs: RunRecord[] = []
  const pictures: Picture[] = []
  const version = await packageVersion()
  for (const scan of cases) {
    const reference = await readNiftiMask(readFileSync(scan.mask), scan.mask)
    const { image: flair } = await readNifti(readFileSync(scan.flair), scan.flair)
    for (const { id, rows, peakMb } of results) {
      const row = rows.find((one) => one.scan === scan.id)
      if (!row) continue
      const path = `${out}/${id}-${scan.id}.nii.gz`
      const mask = { ...(await readNiftiMask(readFileSync(path), path)), affine: reference.affine }
      runs.push({
        version,
        method: id,
        params: {},
        images: {},
        seed: 1,
        case: scan.id,
        repeat: 1,
        status: 'done',
        scored: { ...(await scoreMask([reference], mask, protocol)), references: [] },
        seconds: { prepare: Number.NaN, method: row.wall, total: Number.NaN },
        peakMegabytes: { prepare: Number.NaN, run: Math.round(peakMb) },
        standIns: standInsOf(row.flags),
      })
      const dices = rows.map(({ dice }) => dice)
      if (row.dice === Math.max(...dices) || row.dice === Math.min(...dices))
        pictures.push({
          method: id,
          case: scan.id,
          dice: row.dice,
          which: row.dice === Math.max(...dices) ? 'best' : 'worst',
          png: await overlayPng({ ...flair, affine: reference.affine }, mask, reference, {
            slices: 6,
            columns: 3,
            tile: 160,
          }),
        })
    }
  }
  const plain = methods.map(({ entry, params }) => ({
    id: entry.id,
    title: entry.title,
    citation: entry.citation.text,
    params,
  }))
  const machine = thisMachine()
  const input: BenchmarkInput = {
    software: { name: 'Lesionwise', version },
    date: new Date().toISOString().slice(0, 10),
    machine: `${machine.processor}, ${machine.cores} cores, ${machine.memoryGb} GB, ${machine.system}, ${machine.runtime}`,
    settings: {
      'Threads of a run': 2,
      Seed: 1,
      Parameters: 'defaults, in whose choice these scans were seen',
      'Trained methods': results.filter(({ id }) => trained(id)).length > 0 ? 'out of fold, by patient' : 'none',
    },
    protocol: { id: protocol.id, title: protocol.title, citation: protocol.citation },
    measures: measuresOf(protocol),
    methods: plain.map((one, i) => ({ ...one, notes: methods[i].notes })),
    cases: cases.map(({ id, patient }) => {
      const scores = runs.find((run) => run.case === id)?.scored?.scores
      return {
        id,
        group: patient,
        referenceMl: scores?.reference_ml ?? Number.NaN,
        referenceLesions: scores?.reference_lesions ?? Number.NaN,
      }
    }),
    runs: runs.map((run) => ({ ...run, scores: run.scored?.scores })),
    leftOut: [],
    analysis: analyse(
      {
        runs,
        methods: plain,
        cases: cases.map(({ id, patient }) => ({ id, group: patient, images: {}, references: [] })),
      },
      protocol,
    ),
    pictures: pictures.sort((a, b) => a.method.localeCompare(b.method) || b.dice - a.dice),
  }
  return await buildBenchmarkPage(input)
}

const trained = (id: string): boolean => methodEntry(id).supervision === 'supervised'
