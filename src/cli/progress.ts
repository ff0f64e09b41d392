import type { Flag } from '../errors.js'

/**
 * Shows a run on stderr: one line that is drawn anew on a terminal, a line a stage elsewhere (with `detail`, what changes
 * all the time, once every twentieth of the work), nothing when quiet.
 */
export class ProgressLine {
  #stage = ''
  #drawn = false
  #last = 0
  #logged = 0
  readonly #started = Date.now()
  readonly #terminal = process.stderr.isTTY === true

  constructor(readonly quiet: boolean) {}

  update({ stage, fraction, detail = '' }: { stage: string; fraction: number; detail?: string }): void {
    if (this.quiet) return
    const text = detail ? `${stage}: ${detail}` : stage
    if (!this.#terminal) {
      if (stage !== this.#stage || (detail && fraction >= this.#logged + 0.05)) {
        process.stderr.write(`${text} (${percent(fraction)})\n`)
        this.#logged = fraction
      }
      this.#stage = stage
      return
    }
    const time = Date.now()
    if (stage === this.#stage && time - this.#last < 100) return
    this.#last = time
    this.#stage = stage
    const spent = (time - this.#started) / 1000
    // Before a tenth is done, a guess of what is left would only jump about.
    const left = fraction > 0.1 ? `, ${seconds((spent * (1 - fraction)) / fraction)} left` : ''
    process.stderr.write(`\r\x1b[K${percent(fraction)} ${text}${left}`)
    this.#drawn = true
  }

  flag({ severity, message }: Flag): void {
    if (this.quiet || severity === 'info') return
    this.end()
    process.stderr.write(`${severity === 'serious' ? 'Attention' : 'Note'}: ${message}\n`)
  }

  end(): void {
    if (this.#drawn) process.stderr.write('\r\x1b[K')
    this.#drawn = false
  }
}

const percent = (fraction: number): string => `${Math.round(100 * fraction)}`.padStart(3) + ' %'
const seconds = (s: number): string => (s < 90 ? `${Math.ceil(s)} s` : `${Math.ceil(s / 60)} min`)

/** Aborted by the first Ctrl-C or SIGTERM; a second one ends the process at once. */
export function interruptSignal(): AbortSignal {
  const controller = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM'] as const)
    process.on(name, () => {
      if (controller.signal.aborted) process.exit(130)
      controller.abort()
    })
  return controller.signal
}
