import { now, peakMegabytes } from '../platform/index.js'

/** Time and memory of one stage of a run. */
export interface StageRecord {
  stage: string
  seconds: number
  /** Highest memory of the process up to the end of this stage, in MB (0 where the platform does not tell). */
  peakMegabytes: number
}

/**
 * The stages of a run: says how far it is, stops between stages when it is cancelled, and keeps where the time went.
 * `total` is the sum of the weights of all the stages to come; a weight is about the seconds a stage takes.
 */
export class Stages {
  readonly records: StageRecord[] = []
  #done = 0

  constructor(
    readonly total: number,
    readonly signal: AbortSignal,
    readonly onProgress: (event: { stage: string; fraction: number }) => void,
  ) {}

  /** Runs one stage; `body` may report the fraction of it that is done. */
  async run<T>(
    stage: string,
    weight: number,
    body: (progress: (fraction: number) => void) => Promise<T> | T,
  ): Promise<T> {
    this.signal.throwIfAborted()
    const started = now()
    const say = (fraction: number) => {
      const within = Math.min(1, Math.max(0, fraction)) * weight
      this.onProgress({ stage, fraction: Math.min(1, (this.#done + within) / this.total) })
    }
    say(0)
    const value = await body(say)
    this.#done += weight
    this.records.push({ stage, seconds: (now() - started) / 1000, peakMegabytes: peakMegabytes() })
    this.signal.throwIfAborted()
    return value
  }
}
