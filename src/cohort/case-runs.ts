import { createHash } from 'node:crypto'
import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Protocol } from '../evaluate/protocol.js'
import { readNiftiMask } from '../formats/nifti.js'
import { contrastsUsed } from '../run/prepare.js'
import { type Modality, modalities } from '../volume/study.js'
import type { JudgedCase } from './judge.js'
import type { PlannedMethod } from './plan.js'
import {
  assertSame,
  maskName,
  preparation,
  type RunIdentity,
  type RunRecord,
  type RunSettings,
  readRecord,
  runFolder,
  segmentation,
  writeRecord,
} from './runs.js'
import { type Scored, scoreMask } from './scoring.js'

/** What all runs of a benchmark share. */
export interface Bench {
  out: string
  version: string
  methods: readonly PlannedMethod[]
  protocol: Protocol
  repeats: number
  settings: Omit<RunSettings, 'signal'>
  /** Folder of the preparations, kept or not. */
  work: string
  keepWork: boolean
  /** A run begins. */
  onStart(text: string): void
  /** A run has ended, now or in an earlier benchmark. */
  onRun(record: RunRecord): void
}

/**
 * Runs all methods on one case, as often as asked, and scores the masks. What an earlier benchmark has done is taken as
 * it is; what failed there is tried again. Each record is written as soon as it is known.
 *
 * @throws RunError when the folder holds a run with other parameters or images
 */
export async function runCase(one: JudgedCase, bench: Bench, signal: AbortSignal): Promise<RunRecord[]> {
  const records: RunRecord[] = []
  for (const method of bench.methods)
    for (let repeat = 1; repeat <= bench.repeats; repeat++) {
      signal.throwIfAborted()
      bench.onStart(`${method.entry.id} on ${one.id}${bench.repeats > 1 ? `, run ${repeat}` : ''}`)
      const record = await run(one, method, repeat, bench, signal)
      records.push(record)
      bench.onRun(record)
    }
  if (!bench.keepWork) await rm(bench.work, { recursive: true, force: true })
  return records
}

async function run(
  one: JudgedCase,
  { entry, params }: PlannedMethod,
  repeat: number,
  bench: Bench,
  signal: AbortSignal,
): Promise<RunRecord> {
  const folder = runFolder(bench.out, entry.id, one.id, repeat)
  const given = modalities.filter((modality) => one.images[modality] !== undefined)
  const used = contrastsUsed(entry, given)
  const only = <T>(of: Partial<Record<Modality, T>>) =>
    Object.fromEntries(used.flatMap((m) => (of[m] === undefined ? [] : [[m, of[m]]]))) as Partial<Record<Modality, T>>
  const identity: RunIdentity = {
    version: bench.version,
    method: entry.id,
    params,
    images: only(one.sha256),
    seed: bench.settings.seed,
  }
  const before = await readRecord(folder)
  const record: RunRecord = { ...identity, case: one.id, repeat, status: 'failed' }
  const fail = async (failure: Pick<RunRecord, 'reason' | 'exitCode'>) => {
    const failed = { ...record, ...failure }
    await writeRecord(folder, failed)
    return failed
  }
  if (one.fault) return await fail({ reason: one.fault.message, exitCode: one.fault.exitCode })
  if (before?.status === 'done') {
    assertSame(before, identity, folder)
    return await scored(before, one, folder, bench)
  }

  const key = createHash('sha256')
    .update(JSON.stringify([identity.version, identity.images, identity.seed, entry.needs.grid, entry.needs.bias]))
    .digest('hex')
  const work = join(bench.work, key.slice(0, 16))
  const task = { method: entry.id, params, images: only(one.images), work, ...bench.settings }
  const settings = { ...bench.settings, signal }
  const prepared = await preparation(task, settings)
  if ('failure' in prepared) return await fail(prepared.failure)
  const ran = await segmentation(task, prepared.value, folder, settings)
  if ('failure' in ran) return await fail(ran.failure)
  return await scored({ ...record, ...ran.value, status: 'done' }, one, folder, bench)
}

/** The record with its scores, written to its folder; scores of the same protocol and references are kept. */
async function scored(record: RunRecord, one: JudgedCase, folder: string, { protocol }: Bench): Promise<RunRecord> {
  const references = one.references.map(({ sha256 }) => sha256)
  const known = record.scored
  if (known?.protocol === protocol.id && String(known.references) === String(references)) return record
  const path = join(folder, maskName)
  const mask = await readNiftiMask(await readFile(path), path)
  // The method answers on the FLAIR's grid, where the references lie too: only rounding keeps the two apart.
  const candidate = { ...mask, affine: one.references[0].mask.affine }
  const scores = await scoreMask(
    one.references.map((reference) => reference.mask),
    candidate,
    protocol,
  )
  const complete: RunRecord = { ...record, scored: { ...scores, references } satisfies Scored }
  await writeRecord(folder, complete)
  return complete
}
