import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EarlyStopping } from '../../src/network/early-stopping.js'
import * as s from '../../src/network/schedules.js'

const near = (found: number, wanted: number) => assert.ok(Math.abs(found - wanted) < 1e-12, `${found}, not ${wanted}`)

test('schedules at the steps where their values are known', () => {
  const at = (schedule: s.Schedule, values: Record<number, number>) => {
    for (const [step, wanted] of Object.entries(values)) near(schedule(Number(step)), wanted)
  }
  at(s.constant(0.1), { 0: 0.1, 99: 0.1 })
  at(s.polynomial(0.01, 1000), { 0: 0.01, 500: 0.01 * 0.5 ** 0.9, 1000: 0, 1200: 0 })
  at(s.exponentialDecay(0.1, 0.9), { 0: 0.1, 2: 0.081 })
  at(s.stepwise(1, 0.5, 10), { 9: 1, 10: 0.5, 25: 0.25 })
  at(s.stepwise(1, 0.5, [17, 22]), { 16: 1, 17: 0.5, 22: 0.25, 90: 0.25 })
  at(s.linearDecayAfter(2, 100, 200), { 0: 2, 100: 2, 150: 1, 200: 0, 300: 0 })
  at(s.cosine(1, 10, 0.2), { 0: 1, 5: 0.6, 10: 0.2, 99: 0.2 })
  at(s.cosineRestarts(1, 10), { 0: 1, 5: 0.5, 10: 1, 25: 0.5 })
  at(s.cosineRestarts(1, 10, { growth: 2, lowest: 0.5 }), { 5: 0.75, 10: 1, 20: 0.75, 30: 1, 50: 0.75 })
  // The strength of a gradient reversal: 0 until epoch 10, .05 from 35 on.
  at(s.ramp(0, 0.05, 10, 35), { 0: 0, 10: 0, 22.5: 0.025, 35: 0.05, 80: 0.05 })
  at(s.warmUp(4, s.polynomial(1, 10, 1)), { 0: 0.25, 3: 1, 4: 1, 9: 0.5 })
})

const weights = (value: number) => new Map([['w', Float32Array.of(value)]])

test('early stopping keeps the best weights and counts looks without an improvement', () => {
  const stopping = new EarlyStopping({ patience: 2 })
  const scores = [0.5, 0.7, 0.7, Number.NaN]
  const looks = scores.map((score, at) => stopping.look(score, at, () => weights(at)))
  assert.deepEqual(looks, [
    { improved: true, stop: false },
    { improved: true, stop: false },
    { improved: false, stop: false },
    { improved: false, stop: true },
  ])
  assert.deepEqual(stopping.best, { score: 0.7, at: 1, weights: weights(1) })
})

test('early stopping of a loss, with a least improvement, and taken up again', () => {
  const patience = { patience: 2, better: 'lower', least: 0.1 } as const
  const first = new EarlyStopping(patience)
  first.look(1, 0, () => weights(0))
  first.look(0.95, 1, () => assert.fail('no weights are wanted for too small an improvement'))
  const second = new EarlyStopping(patience, first.state())
  assert.deepEqual(
    second.look(1.2, 2, () => weights(2)),
    { improved: false, stop: true },
  )
  assert.equal(second.best?.at, 0)
  assert.deepEqual(
    second.look(0.8, 3, () => weights(3)),
    { improved: true, stop: false },
  )
})

test('a first look that failed is no best one', () => {
  const stopping = new EarlyStopping({ patience: 5 })
  assert.deepEqual(
    stopping.look(Number.NaN, 0, () => weights(0)),
    { improved: false, stop: false },
  )
  assert.equal(stopping.best, undefined)
})
