/**
 * Learning rates (or other factors) by step, counted from 0 in whatever unit the caller uses: batches or epochs. Steps past
 * the end of a schedule keep its last value.
 */
export type Schedule = (step: number) => number

export const constant =
  (rate: number): Schedule =>
  () =>
    rate

/** `rate (1 - t / total)^power` (Chen et al. 2018; nnU-Net's, with one step an epoch). */
export const polynomial =
  (rate: number, total: number, power = 0.9): Schedule =>
  (step) =>
    rate * Math.max(0, 1 - step / total) ** power

/** `rate factor^t`. */
export const exponentialDecay =
  (rate: number, factor: number): Schedule =>
  (step) =>
    rate * factor ** step

/** Multiplied by `factor` from each milestone on, or once every so many steps. */
export const stepwise =
  (rate: number, factor: number, at: number | readonly number[]): Schedule =>
  (step) =>
    rate *
    factor ** (typeof at === 'number' ? Math.floor(step / at) : at.filter((milestone) => step >= milestone).length)

/** Constant until `start`, then in a straight line to 0 at `end`. */
export const linearDecayAfter =
  (rate: number, start: number, end: number): Schedule =>
  (step) =>
    rate * Math.min(1, Math.max(0, (end - step) / (end - start)))

/**
 * Half cosines from `rate` to `lowest`, beginning anew after each period, which grows by a factor (Loshchilov & Hutter 2017).
 */
export const cosineRestarts =
  (rate: number, period: number, { lowest = 0, growth = 1 }: { lowest?: number; growth?: number } = {}): Schedule =>
  (step) => {
    let within = step
    let length = period
    if (growth === 1) within = step % period
    else
      while (within >= length) {
        within -= length
        length *= growth
      }
    return lowest + 0.5 * (rate - lowest) * (1 + Math.cos((Math.PI * within) / length))
  }

/** One half cosine from `rate` to `lowest` at `total`. */
export const cosine =
  (rate: number, total: number, lowest = 0): Schedule =>
  (step) =>
    lowest + 0.5 * (rate - lowest) * (1 + Math.cos(Math.PI * Math.min(1, step / total)))

/** A straight line from `from` at step `start` to `to` at step `end`, flat before and after. */
export const ramp =
  (from: number, to: number, start: number, end: number): Schedule =>
  (step) =>
    from + (to - from) * Math.min(1, Math.max(0, (step - start) / (end - start)))

/** Rises in a straight line to the first value of another schedule, which begins after `steps`. */
export const warmUp =
  (steps: number, after: Schedule): Schedule =>
  (step) =>
    step < steps ? (after(0) * (step + 1)) / steps : after(step - steps)
