import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Graph, ShapeError, type Value } from '../../src/network/graph/graph.js'
import * as l from '../../src/network/losses.js'
import { labelComponents } from '../../src/volume/components.js'
import { distanceTo } from '../../src/volume/distance.js'
import { assertGolden, type Build, evaluated } from './gradient-check.js'
import { detachedLosses, lossCases } from './loss-cases.js'

for (const [name, build] of Object.entries(lossCases))
  test(`${name}: value and gradient are PyTorch's and those of finite differences`, () => assertGolden(name, build))

for (const [name, build] of Object.entries(detachedLosses))
  test(`${name}: value and gradient are PyTorch's`, () => assertGolden(name, build, { differences: false }))

const near = (found: number, wanted: number, within = 1e-5) =>
  assert.ok(Math.abs(found - wanted) < within, `${found} instead of ${wanted}`)

const logit = (p: number) => Math.log(p / (1 - p))

test('values worked out by hand on 2 × 2 × 2 voxels', async () => {
  const shape = [1, 1, 2, 2, 2]
  // Two lesion voxels, found with .9 and .6; one false alarm of .4; the rest at .1.
  const truth = { values: [1, 1, 0, 0, 0, 0, 0, 0], shape }
  const p = { values: [0.9, 0.6, 0.4, 0.1, 0.1, 0.1, 0.1, 0.1], shape }
  const logits = { values: p.values.map(logit), shape }
  const run = async (loss: (graph: Graph, x: Value, truth: Value) => Value, x: typeof truth) =>
    (await evaluated((g, i) => loss(g, i.x, i.truth), { x, truth }))[0]
  const ofP = (loss: Parameters<typeof run>[0]) => run(loss, p)
  const entropy = -(Math.log(0.9) + Math.log(0.6) + Math.log(0.6) + 5 * Math.log(0.9)) / 8
  near(await run(l.binaryCrossEntropy, logits), entropy)
  near(await ofP(l.probabilityCrossEntropy), entropy)
  // Σpy = 1.5, Σp = 2.4, Σy = 2
  near(await ofP(l.softDice), 1 - 3 / 4.4)
  // Σp² = .81 + .36 + .16 + .05
  near(await ofP((g, a, b) => l.softDice(g, a, b, { squared: true })), 1 - 3 / (1.38 + 2))
  near(await run(l.diceAndBinaryCrossEntropy(), logits), 1 - 3 / 4.4 + entropy)
  // false positives .9, false negatives .5
  near(await ofP((g, a, b) => l.tversky(g, a, b, 0.3, 0.7)), 1 - 1.5 / (1.5 + 0.27 + 0.35))
  near(await ofP((g, a, b) => l.tversky(g, a, b, 0.5, 0.5)), await ofP(l.softDice))
  near(await ofP((g, a, b) => l.focalTversky(g, a, b, 0.3, 0.7)), (1 - 1.5 / 2.12) ** 0.75)
  near(await ofP((g, a, b) => l.sensitivitySpecificity(g, a, b, 0.25)), (0.25 * 0.17) / 2 + (0.75 * 0.21) / 6)
  near(await ofP(l.squaredError), (0.17 + 0.21) / 8)
  near(await ofP(l.absoluteError), (0.5 + 0.9) / 8)
  const focal =
    0.25 * (0.01 * -Math.log(0.9) + 0.16 * -Math.log(0.6)) + 0.75 * (0.16 * -Math.log(0.6) + 5 * 0.01 * -Math.log(0.9))
  near(await run(l.focal(), logits), focal / 8)
  // Along each axis four differences.
  const steps = [0.8, 0.5, 0.3, 0, 0.5, 0.5, 0, 0, 0.3, 0.3, 0, 0]
  near(await ofP((g, a) => l.smoothness(g, a)), steps.reduce((n, d) => n + d * d, 0) / 12)
})

test('cross-entropy and Dice over classes by hand', async () => {
  const shape = [1, 2, 2]
  const logits = { values: [logit(0.8), logit(0.3), 0, 0], shape }
  const truth = { values: [1, 0, 0, 1], shape }
  const [value] = await evaluated((g, i) => l.diceAndCrossEntropy()(g, i.logits, i.truth), { logits, truth })
  // Probabilities of the second class: .2 and .7, truth 0 and 1.
  near(value, -(Math.log(0.8) + Math.log(0.7)) / 2 - (2 * 0.7) / 1.9)
  const generalised: Build = (g, { p, truth: y }) => l.generalisedDice(g, p, y)
  const p = { values: [0.8, 0.3, 0.2, 0.7], shape }
  near((await evaluated(generalised, { p, truth }))[0], 1 - (2 * 1.5) / 4)
})

test('a perfect prediction costs nothing, and the focal Tversky loss has a finite slope there', async () => {
  const shape = [1, 1, 4]
  const truth = { values: [1, 0, 0, 1], shape }
  const build: Build = (g, { truth: y }) => l.focalTversky(g, y, y, 0.3, 0.7)
  const [value] = await evaluated(build, { truth })
  assert.ok(value >= 0 && value < 1e-4, String(value))
})

test('label flip: the soft target of p .9, y 1, q .1 is .9', async () => {
  const shape = [1, 1, 1]
  const of = (value: number) => ({ values: [value], shape })
  const build: Build = (g, { logits, q, truth }) => l.labelFlip(g, logits, q, truth)
  const [value] = await evaluated(build, { logits: of(logit(0.9)), q: of(0.1), truth: of(1) })
  near(value, -(0.9 * Math.log(0.9) + 0.1 * Math.log(0.1)) - Math.log(0.9))
  const [wrong] = await evaluated(build, { logits: of(logit(0.9)), q: of(0.1), truth: of(0) })
  near(wrong, -(0.1 * Math.log(0.9) + 0.9 * Math.log(0.1)) - Math.log(0.1))
})

const line = (values: number[]) => ({ values, shape: [1, 1, values.length] })

test('with one lesion the blob loss is the plain loss, and the region loss the global one', async () => {
  const labels = line([0, 1, 1, 0, 0, 0])
  const truth = line([0, 1, 1, 0, 0, 0])
  const regions = line([1, 1, 1, 1, 1, 1])
  const logits = line([-1, 2, 0.3, 0.2, -2, -3])
  const dice = (await evaluated((g, i) => l.diceAndBinaryCrossEntropy(0)(g, i.logits, i.truth), { logits, truth }))[0]
  const both = (await evaluated((g, i) => l.diceAndBinaryCrossEntropy()(g, i.logits, i.truth), { logits, truth }))[0]
  for (const [main, blob] of [
    [1, 0],
    [0, 1],
  ] as const)
    near((await evaluated((g, i) => l.blobLoss(g, i.logits, i.labels, { main, blob }), { logits, labels }))[0], dice)
  for (const [global, local] of [
    [1, 0],
    [0, 1],
  ] as const) {
    const build: Build = (g, i) => l.regionLoss(g, i.logits, i.labels, i.regions, { global, regions: local })
    near((await evaluated(build, { logits, labels, regions }))[0], both)
  }
})

test('of a large lesion found and a small one missed the regions make one half, the whole image next to nothing', async () => {
  const lesion = (i: number) => (i < 100 ? 1 : i === 150 ? 2 : 0)
  const labels = line(Array.from({ length: 200 }, (_, i) => lesion(i)))
  const regions = line(Array.from({ length: 200 }, (_, i) => (i < 125 ? 1 : 2)))
  const logits = line(Array.from({ length: 200 }, (_, i) => (i < 100 ? 30 : -30)))
  const value = async (global: number, local: number) => {
    const build: Build = (g, i) => l.regionLoss(g, i.logits, i.labels, i.regions, { global, regions: local })
    const [total] = await evaluated(build, { logits, labels, regions })
    // The missed voxel's cross-entropy is 30.
    return total - (global ? 30 / 200 : (0 + 30 / 75) / 2)
  }
  near(await value(0, 1), 0.5, 1e-3)
  near(await value(1, 0), 1 - 200 / 201, 1e-3)
})

test('a false alarm is charged to every blob but to one region', async () => {
  const labels = line([1, 1, 0, 0, 0, 0, 2, 2])
  const regions = line([1, 1, 1, 1, 2, 2, 2, 2])
  const sure = [9, 9, -9, -9, -9, -9, 9, 9]
  const alarmed = sure.map((v, i) => (i === 2 ? 9 : v))
  const cost = async (build: Build) => {
    const [before, after] = [
      await evaluated(build, { logits: line(sure), labels, regions }),
      await evaluated(build, { logits: line(alarmed), labels, regions }),
    ]
    return after[0] - before[0]
  }
  const blob =
    (most: number): Build =>
    (g, i) =>
      l.blobLoss(g, i.logits, i.labels, { main: 0, most })
  // Either blob: Dice falls from 1 to 4 / 5.
  near(await cost(blob(2)), 0.2, 1e-3)
  // Only the first region: Dice falls to 4 / 5 there, and its cross-entropy rises by 9 over 4 voxels; half of both.
  const region: Build = (g, i) => l.regionLoss(g, i.logits, i.labels, i.regions, { global: 0, most: 2 })
  near(await cost(region), (0.2 + 9 / 4) / 2, 1e-3)
})

test('images without lesions leave the lesion-wise terms out', async () => {
  const none = line([0, 0, 0, 0])
  const logits = line([-1, 0.5, -2, -3])
  const blob: Build = (g, i) => l.blobLoss(g, i.logits, i.none, { main: 0 })
  const region: Build = (g, i) => l.regionLoss(g, i.logits, i.none, i.none, { global: 0 })
  assert.deepEqual(await evaluated(blob, { logits, none }), [0])
  assert.deepEqual(await evaluated(region, { logits, none }), [0])
})

test('the Euler characteristic counts boxes and sees the hole of a ring', async () => {
  const side = 5
  const volume = (inside: (x: number, y: number, z: number) => boolean) => ({
    values: Array.from({ length: side ** 3 }, (_, i) =>
      Number(inside(i % side, Math.floor(i / side) % side, Math.floor(i / side / side))),
    ),
    shape: [1, 1, side, side, side],
  })
  const count = async (p: ReturnType<typeof volume>) =>
    (await evaluated((g, i) => l.eulerCharacteristic(g, i.p), { p }))[0]
  assert.equal(await count(volume(() => false)), 0)
  assert.equal(await count(volume((x) => x !== 2)), 2)
  assert.equal(await count(volume((x, y, z) => x !== 2 && y !== 2 && z !== 2)), 8)
  assert.equal(await count(volume((x, y, z) => z === 1 && (x % 4 === 0 || y % 4 === 0))), 0)
})

test('the Poisson loss is smallest where the counts agree', async () => {
  const at = async (found: number) =>
    (
      await evaluated((g, i) => l.poissonCount(g, i.found, i.wanted), {
        found: { values: [found], shape: [1] },
        wanted: { values: [4], shape: [1] },
      })
    )[0]
  assert.ok((await at(4)) < (await at(3.8)))
  assert.ok((await at(4)) < (await at(4.2)))
})

test('weights of deep supervision', () => {
  assert.deepEqual(l.levelWeights(1), [1])
  assert.deepEqual(l.levelWeights(2), [1, 0])
  l.levelWeights(4).forEach((w, i) => near(w, [4 / 7, 2 / 7, 1 / 7, 0][i]))
})

test('labels of a patch are renumbered by size, fragments and the surplus set aside', () => {
  const labels = [7, 7, 0, 3, 3, 3, 0, 9, 0, 5, 5]
  const { labels: plain, count } = l.patchComponents(labels)
  // Labels 5 and 7 are alike in size: the smaller label comes first.
  assert.deepEqual([...plain], [3, 3, 0, 1, 1, 1, 0, 33, 0, 2, 2])
  assert.equal(count, 3)
  assert.deepEqual([...l.patchComponents(labels, { most: 1, minVoxels: 1 }).labels], [2, 2, 0, 1, 1, 1, 0, 2, 0, 2, 2])
  assert.deepEqual(
    [...l.sizeWeights(labels)].map((w) => Number(w.toFixed(3))),
    [1, 1, 1, 0.667, 0.667, 0.667, 1, 2, 1, 1, 1],
  )
})

test('peaks of components, without those that touch a lesion', () => {
  const values = [0.6, 0.7, 0, 0.9, 0.8, 0, 0.95]
  const labels = [1, 1, 0, 2, 2, 0, 3]
  assert.deepEqual([...l.componentPeaks(values, labels, { most: 4 })], [6, 3, 1, -1])
  const lesions = [0, 0, 0, 0, 1, 0, 0]
  assert.deepEqual([...l.componentPeaks(values, labels, { most: 1, apartFrom: lesions })], [6])
  assert.deepEqual([...l.componentPeaks(values, labels, { most: 3, apartFrom: lesions })], [6, 1, -1])
})

test('the soft lesion F1 of two lesions, one found, with one false alarm is one half', async () => {
  const labels = line([1, 1, 0, 0, 2, 0])
  const logits = line([30, 30, -30, 30, -30, -30])
  const alarms = { values: [3], shape: [1, 1] }
  const [loss] = await evaluated((g, i) => l.lesionF1(g, i.logits, i.labels, i.alarms), { logits, labels, alarms })
  near(loss, 0.5, 1e-4)
})

test('the nearest component is that of the exact distance transform, with thick slices too', async () => {
  const dims = [9, 7, 5] as const
  const spacing = [1, 1.5, 3] as const
  const affine = [1, 0, 0, 0, 0, 1.5, 0, 0, 0, 0, 3, 0, 0, 0, 0, 1]
  const data = new Uint8Array(315)
  for (const at of [0, 1, 9, 100, 101, 200, 250, 314, 62]) data[at] = 1
  const { labels, count } = labelComponents({ dims: [...dims], affine, data }, 26)
  const nearest = l.nearestComponents(labels.data, [5, 7, 9], { spacing: [...spacing].reverse() })
  const distances: Float32Array[] = []
  for (let c = 1; c <= count; c++) {
    const mask = Uint8Array.from(labels.data, (label) => Number(label === c))
    distances.push((await distanceTo({ dims: [...dims], affine, data: mask })).data)
  }
  assert.ok(count > 3)
  nearest.forEach((label, i) => {
    const least = Math.min(...distances.map((d) => d[i]))
    assert.ok(Math.abs(distances[label - 1][i] - least) < 1e-4, `voxel ${i} went to ${label}`)
  })
  assert.ok(l.nearestComponents(new Int32Array(6), [2, 3]).every((label) => label === 0))
  assert.deepEqual([...l.nearestComponents([1, 0, 3, 0, 0, 2], [6], { most: 2 })], [1, 1, 3, 2, 2, 2])
})

test('shapes that do not fit are refused', () => {
  const graph = new Graph()
  const [a, b] = [graph.input('a', [1, 1, 4]), graph.input('b', [1, 1, 5])]
  assert.throws(() => l.softDice(graph, a, b), ShapeError)
  assert.throws(() => l.diceAndCrossEntropy()(graph, a, a), /a background and a foreground are needed/)
  assert.throws(() => l.classWeightedCrossEntropy([1, 2])(graph, a, a), /2 weights for the classes/)
  assert.throws(() => l.deepSupervision(graph, [a], a, l.binaryCrossEntropy, [1, 1]), /2 weights for 1 outputs/)
  assert.throws(() => l.blobLoss(graph, a, b), ShapeError)
})
