import { now, sha256 } from '../platform/index.js'
import type { StepRecord } from '../volume/study.js'
import type { Volume } from '../volume/volume.js'

/** What a preparation step makes: volumes and plain values, so that it can be kept on disk. */
export type StepValue = {
  [name: string]: Volume | number | string | boolean | null | readonly number[] | { [figure: string]: number }
}

/** Keeps what steps made, by key. A store that has lost or damaged an entry answers undefined. */
export interface StepStore {
  load(key: string): Promise<StepValue | undefined>
  save(key: string, value: StepValue): Promise<void>
}

/** A step's value, with the key that names it for the steps after it. */
export interface Kept<T> {
  value: T
  key: string
}

/** Runs preparation steps, each once: what is in the store is not computed again. Keeps a record of each step. */
export class Steps {
  readonly records: StepRecord[] = []

  constructor(readonly store?: StepStore) {}

  /** Keeps the record of a step that is too quick to be worth keeping. */
  note(record: Omit<StepRecord, 'seconds'>): void {
    this.records.push({ ...record, seconds: 0 })
  }

  /**
   * Key = sha256 of the inputs' keys, the step, its version and its parameters. Raise `version` whenever a step's
   * result changes, so that no old value is taken for a new one.
   */
  async run<T extends StepValue>(
    step: { name: string; version: number; params: Record<string, unknown>; inputs: readonly string[] },
    body: () => Promise<T>,
    figures?: (value: T) => Record<string, unknown>,
  ): Promise<Kept<T>> {
    const { name, version, params, inputs } = step
    const started = now()
    const key = await sha256(new TextEncoder().encode(JSON.stringify([inputs, name, version, params])))
    const found = (await this.store?.load(key)) as T | undefined
    const value = found ?? (await body())
    if (!found) await this.store?.save(key, value)
    this.records.push({
      step: name,
      version,
      params,
      ...(figures ? { result: figures(value) } : {}),
      seconds: (now() - started) / 1000,
      ...(found ? { cached: true } : {}),
    })
    return { value, key }
  }
}
