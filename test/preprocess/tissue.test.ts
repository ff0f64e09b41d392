import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type TissueClasses, tissueClasses } from '../../src/preprocess/tissue.js'
import { gaussian } from '../../src/volume/filter.js'
import type { Image } from '../../src/volume/volume.js'
import { phantomBrain, phantomImage, phantomLabels, phantomLesionMask } from '../phantom.js'

const labels = phantomLabels()
const brain = phantomBrain()
const lesions = phantomLesionMask()
const t1 = phantomImage({ contrast: 't1', noise: 4, seed: 1 })
const flair = phantomImage({ contrast: 'flair', noise: 4, seed: 2 })

/** Blurred labels stand for an atlas. */
async function atlas() {
  const blurred = (label: number) =>
    gaussian({ ...labels, data: Float32Array.from(labels.data, (v) => (v === label ? 1 : 0)) }, 4)
  return { csf: await blurred(1), gm: await blurred(2), wm: await blurred(3) }
}

test('classes of the phantom from T1, T1 and FLAIR, and FLAIR alone', async () => {
  for (const [images, least] of [
    [{ t1 }, 0.998],
    [{ t1, flair }, 0.999],
    [{ flair }, 0.92],
  ] as const) {
    const classes = await tissueClasses(images, brain, await atlas())
    for (const [k, dice] of dicePerClass(classes).entries())
      assert.ok(dice >= least, `${Object.keys(images)} class ${k + 1}: Dice ${dice.toFixed(3)}`)
    assert.ok(classes.confidence > 0.97)
    sumsToOne(classes)
  }
})

test('lesions do not become statistics of grey matter', async () => {
  // bright lesions all through an eighth of the white matter
  const many = { ...flair, data: flair.data.map((v, i) => (labels.data[i] === 3 && (i >> 2) % 8 === 0 ? 150 : v)) }
  const { statistics } = await tissueClasses({ t1, flair: many }, brain, await atlas())
  assert.ok(Math.abs(statistics.gm.flair!.mean - 94) < 4, `grey matter ${statistics.gm.flair!.mean}`)
  assert.ok(Math.abs(statistics.wm.flair!.mean - 75) < 3, `white matter ${statistics.wm.flair!.mean}`)
  assert.ok(statistics.gm.flair!.sd < 9)
})

test('without a prior the classes are found by their intensities', async () => {
  const flat = { ...brain, data: Float32Array.from(brain.data, (v) => v / 3) }
  for (const [images, least] of [
    [{ t1 }, 0.98],
    [{ t1, flair }, 0.98],
    [{ flair }, 0.9],
  ] as const)
    for (const [k, dice] of dicePerClass(
      await tissueClasses(images, brain, { csf: flat, gm: flat, wm: flat }),
    ).entries())
      assert.ok(dice >= least, `${Object.keys(images)} class ${k + 1}: Dice ${dice.toFixed(3)}`)
})

test('fluid that is mixed with grey matter nearly everywhere does not widen the fluid', async () => {
  // three in four of the fluid's voxels hold any share of grey matter
  const mixed = (image: Image, step: number): Image => ({
    ...image,
    data: image.data.map((v, i) => (labels.data[i] === 1 && i % 4 !== 0 ? v + (step * ((i * 7) % 100)) / 100 : v)),
  })
  const { statistics } = await tissueClasses({ t1: mixed(t1, 40), flair: mixed(flair, 70) }, brain, await atlas())
  const { t1: onT1, flair: onFlair } = statistics.csf
  assert.ok(Math.abs(onT1!.mean - 30) < 4 && onT1!.sd < 9, `T1 ${onT1!.mean} ± ${onT1!.sd}`)
  assert.ok(Math.abs(onFlair!.mean - 25) < 10 && onFlair!.sd < 13, `FLAIR ${onFlair!.mean} ± ${onFlair!.sd}`)
})

test('an atlas beside the brain, whose grey matter is fluid, is not believed at the start', async () => {
  const { csf, gm, wm } = await atlas()
  const wide = { ...csf, data: csf.data.map((p, i) => Math.min(1, p + 0.7 * gm.data[i])) }
  const less = { ...gm, data: gm.data.map((p) => 0.3 * p) }
  for (const [k, dice] of dicePerClass(await tissueClasses({ t1 }, brain, { csf: wide, gm: less, wm })).entries())
    assert.ok(dice > 0.98, `class ${k + 1}: Dice ${dice}`)
})

test('where one contrast is missing the other one is used', async () => {
  const cut = { ...t1, data: t1.data.map((v, i) => (i % 80 < 40 ? 0 : v)) }
  const classes = await tissueClasses({ t1: cut, flair }, brain, await atlas())
  for (const dice of dicePerClass(classes)) assert.ok(dice > 0.95, `Dice ${dice}`)
})

test('odd images give probabilities all the same', async () => {
  const constant: Image = { ...t1, data: new Float32Array(t1.data.length).fill(7) }
  const holes: Image = { ...t1, data: t1.data.map((v, i) => (i % 7 === 0 ? Number.NaN : v)) }
  for (const image of [constant, holes]) sumsToOne(await tissueClasses({ t1: image }, brain, await atlas()))
  const { confidence } = await tissueClasses({ t1: constant }, brain, await atlas())
  assert.equal(confidence.toFixed(2), '0.50')
  const nothing = { ...brain, data: new Uint8Array(brain.data.length) }
  const empty = await tissueClasses({ t1, flair }, nothing, await atlas())
  assert.ok(empty.gm.data.every((p) => p === 0))
})

test('z-scores, negative and positive, give the same classes', async () => {
  const scores = { ...t1, data: t1.data.map((v) => (v - 95) / 20) }
  for (const dice of dicePerClass(await tissueClasses({ t1: scores }, brain, await atlas())))
    assert.ok(dice > 0.97, `Dice ${dice}`)
})

function dicePerClass({ csf, gm, wm }: TissueClasses): number[] {
  return [1, 2, 3].map((label) => {
    let [both, ours, theirs] = [0, 0, 0]
    for (let i = 0; i < labels.data.length; i++) {
      if (brain.data[i] === 0 || lesions.data[i] !== 0) continue
      const p = [csf.data[i], gm.data[i], wm.data[i]]
      const here = p.indexOf(Math.max(...p)) + 1 === label
      const there = labels.data[i] === label
      if (here) ours++
      if (there) theirs++
      if (here && there) both++
    }
    return (2 * both) / (ours + theirs)
  })
}

function sumsToOne({ csf, gm, wm }: TissueClasses): void {
  for (let i = 0; i < brain.data.length; i++) {
    const sum = csf.data[i] + gm.data[i] + wm.data[i]
    assert.ok(Math.abs(sum - (brain.data[i] ? 1 : 0)) < 1e-3, `voxel ${i}: ${sum}`)
  }
}
