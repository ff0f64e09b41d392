import assert from 'node:assert/strict'
import type { Weights } from '../../../src/network/initialise.js'
import type { TrainingState } from '../../../src/network/trainer.js'
import type { TrainingRun } from '../../../src/network/training.js'

/** Stops a training after a step. @returns its last checkpoint */
export async function stoppedAfter(
  step: number,
  train: (how: Pick<TrainingRun, 'signal' | 'checkpoint' | 'onStep'>) => Promise<Weights>,
): Promise<TrainingState | undefined> {
  let kept: TrainingState | undefined
  const stop = new AbortController()
  const stopped = train({
    signal: stop.signal,
    checkpoint: async (state) => {
      kept = state
    },
    onStep: (done) => {
      if (done.step === step) stop.abort()
    },
  })
  await assert.rejects(stopped, { name: 'AbortError' })
  return kept
}
