import assert from 'node:assert/strict'
import { test } from 'node:test'
import { UsageError } from '../../src/errors.js'
import type { Value } from '../../src/network/graph/graph.js'
import { squaredError } from '../../src/network/losses.js'
import { dense, tanh } from '../../src/network/operators/index.js'
import type { Group, Optimiser } from '../../src/network/optimisers.js'
import { type Objective, Trainer, type TrainingState } from '../../src/network/trainer.js'
import { difference, golden, type Spec, valuesOf } from './gradient-check.js'

const real = (...shape: number[]): Spec => ({ shape, kind: 'real', low: -1, high: 1 })

/** The dense layer of bench/peers/golden_network.py. */
const objective = (rows = 4): Objective => ({
  inputs: { x: [rows, 3], t: [rows, 2] },
  build(graph, { x, t }: Readonly<Record<string, Value>>) {
    const w = graph.parameter('w', [2, 3], { kind: 'values', values: valuesOf(real(2, 3), 1) })
    const b = graph.parameter('b', [2], { kind: 'values', values: valuesOf(real(2), 2) }, { decays: false })
    return { loss: squaredError(graph, tanh(graph, dense(graph, x, w, b)), t) }
  },
})

const batch = (step: number) => ({ x: valuesOf(real(4, 3), 3 + step), t: valuesOf(real(4, 2), 20 + step) })

async function trained(
  optimiser: Optimiser,
  { groups, from = 0, to = 5, state }: { groups?: Group[]; from?: number; to?: number; state?: TrainingState } = {},
): Promise<{ trainer: Trainer; norms: number[] }> {
  const trainer = await Trainer.create(objective(), { optimiser, groups, seed: 1, threads: 1 }, state)
  const norms: number[] = []
  for (let step = from; step < to; step++) norms.push((await trainer.train(batch(step), 0.1)).norm)
  return { trainer, norms }
}

const cases: Record<string, { optimiser: Optimiser; groups?: Group[]; steps?: number }> = {
  sgd: { optimiser: { kind: 'sgd' } },
  'sgd momentum': { optimiser: { kind: 'sgd', momentum: 0.9 } },
  'sgd nesterov decay': { optimiser: { kind: 'sgd', momentum: 0.9, nesterov: true, weightDecay: 0.05 } },
  'sgd decoupled decay': { optimiser: { kind: 'sgd', momentum: 0.9, weightDecay: 0.05, decoupled: true } },
  adam: { optimiser: { kind: 'adam' } },
  'adam decay': { optimiser: { kind: 'adam', betas: [0.8, 0.95], epsilon: 1e-3, weightDecay: 0.05 } },
  adamw: { optimiser: { kind: 'adam', weightDecay: 0.05, decoupled: true } },
  rmsprop: { optimiser: { kind: 'rmsprop' } },
  'rmsprop momentum': { optimiser: { kind: 'rmsprop', rho: 0.9, epsilon: 1e-4, momentum: 0.6 } },
  adadelta: { optimiser: { kind: 'adadelta' } },
  'adadelta settings': { optimiser: { kind: 'adadelta', rho: 0.95, epsilon: 1e-3 } },
  clip: { optimiser: { kind: 'sgd', clip: 0.05 } },
  average: { optimiser: { kind: 'sgd', averageDecay: 0.8 } },
  groups: { optimiser: { kind: 'sgd' }, groups: [{ prefix: 'w', rate: 0.5 }] },
  frozen: { optimiser: { kind: 'sgd' }, groups: [{ prefix: 'w', rate: 0 }] },
  accumulate: { optimiser: { kind: 'adam', accumulate: 2 }, steps: 10 },
  'accumulate average clip': {
    optimiser: { kind: 'sgd', momentum: 0.9, clip: 0.05, accumulate: 3, averageDecay: 0.8 },
    steps: 15,
  },
}

test('every optimiser has values of PyTorch beside it', () => {
  assert.deepEqual(Object.keys(cases).sort(), Object.keys(golden.optimisers).sort())
})

for (const [name, { optimiser, groups, steps = 5 }] of Object.entries(cases)) {
  test(`${name}: five updates end where PyTorch's do`, async () => {
    const { trainer } = await trained(optimiser, { groups, to: steps })
    const weights = trainer.weights({ average: true })
    await trainer.close()
    for (const [parameter, wanted] of Object.entries(golden.optimisers[name])) {
      const off = difference(weights.get(parameter)!, wanted)
      assert.ok(off < 1e-4, `${parameter} is off by ${off}`)
    }
  })
}

test('four batches gathered make the update of one batch of all', async () => {
  const { trainer } = await trained({ kind: 'sgd', accumulate: 4 }, { to: 4 })
  const together = await Trainer.create(objective(16), { optimiser: { kind: 'sgd' }, seed: 1, threads: 1 })
  const join = (key: 'x' | 't') => Float32Array.from([0, 1, 2, 3].flatMap((step) => [...batch(step)[key]]))
  await together.train({ x: join('x'), t: join('t') }, 0.1)
  for (const [name, values] of together.weights())
    assert.ok(difference(trainer.weights().get(name)!, [...values]) < 1e-6, name)
  await trainer.close()
  await together.close()
})

test('a training taken up between two gathered batches ends with the same bits', async () => {
  const optimiser: Optimiser = { kind: 'adam', accumulate: 3, averageDecay: 0.9, clip: 0.1 }
  const { trainer: whole } = await trained(optimiser, { to: 9 })
  const { trainer: first } = await trained(optimiser, { to: 4 })
  const { trainer: second } = await trained(optimiser, { from: 4, to: 9, state: first.state() })
  assert.deepEqual(second.state(), whole.state())
  for (const trainer of [whole, first, second]) await trainer.close()
})

test('the norm is that before clipping, and clipping bounds the step', async () => {
  const { trainer, norms } = await trained({ kind: 'sgd', clip: 0.05 }, { to: 1 })
  assert.ok(norms[0] > 0.05)
  const moved = [...trainer.weights()].flatMap(([name, values]) => {
    const start = valuesOf(name === 'w' ? real(2, 3) : real(2), name === 'w' ? 1 : 2)
    return [...values].map((value, i) => value - start[i])
  })
  assert.ok(Math.abs(Math.hypot(...moved) - 0.1 * 0.05) < 1e-6)
  await trainer.close()
})

test('settings that an optimiser does not have are refused, and so are groups without weights', async () => {
  const refused: [Optimiser, Group[], RegExp][] = [
    [{ kind: 'adam', momentum: 0.9 }, [], /adam has no momentum/],
    [{ kind: 'sgd', nesterov: true }, [], /Nesterov needs a momentum/],
    [{ kind: 'sgd', accumulate: 1.5 }, [], /1 or more whole batches, not 1\.5/],
    [{ kind: 'sgd' }, [{ prefix: 'encoder', rate: 0 }], /No weight belongs to the group "encoder".*"w"/],
    [{ kind: 'sgd' }, [{ prefix: '', rate: 0 }], /Nothing is left to train/],
  ]
  for (const [optimiser, groups, message] of refused)
    await assert.rejects(
      trained(optimiser, { groups }),
      (error: Error) => error instanceof UsageError && message.test(error.message),
    )
})
