/**
 * Lets work begin only where the memory allows. How much a piece of work takes is learnt from those that have ended: until
 * one has, they run one at a time; then as many as fit with a tenth to spare, and one always.
 */
export class MemoryGate {
  #running = 0
  #peak: number | undefined
  #waiting: (() => void)[] = []

  /** @param limitMegabytes undefined: no limit */
  constructor(readonly limitMegabytes: number | undefined) {}

  /** How many may run at once, as far as is known. */
  get allowed(): number {
    if (this.limitMegabytes === undefined) return Number.POSITIVE_INFINITY
    return this.#peak === undefined ? 1 : Math.max(1, Math.floor(this.limitMegabytes / (1.1 * this.#peak)))
  }

  /** The most that a piece of work has taken. */
  get peakMegabytes(): number | undefined {
    return this.#peak
  }

  /** Tells what such work took, e.g. in an earlier run. */
  learn(megabytes: number | undefined): void {
    if (megabytes !== undefined) this.#peak = Math.max(this.#peak ?? 0, megabytes)
  }

  /** Runs the work when there is room; it says how much it took, undefined where that is not known. */
  async run<T extends { peakMegabytes?: number }>(work: () => Promise<T>): Promise<T> {
    while (this.#running >= this.allowed) await new Promise<void>((resolve) => this.#waiting.push(resolve))
    this.#running++
    try {
      const result = await work()
      this.learn(result.peakMegabytes)
      return result
    } finally {
      this.#running--
      for (const resume of this.#waiting.splice(0)) resume()
    }
  }
}
