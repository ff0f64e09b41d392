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
    [{ t1 }, 0.98],
    [{ t1, flair }, 0.98],
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
