import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dice } from '../../src/evaluate/overlap.js'
import { bet } from '../../src/preprocess/brain/bet.js'
import { fillSurface } from '../../src/preprocess/brain/fill.js'
import { icosphere } from '../../src/preprocess/brain/icosphere.js'
import { apply } from '../../src/volume/affine.js'
import { resample } from '../../src/volume/resample.js'
import { emptyImage, emptyMask, type Grid, type Image, type Mask, volumeMl } from '../../src/volume/volume.js'
import { phantomGrid, phantomImage } from '../phantom.js'

const t1 = phantomImage({ contrast: 't1', head: true, seed: 1 })
const found = bet(t1)

test('the sphere is closed, points outwards and fills to its volume on any grid', () => {
  const { vertices, faces, neighbours } = icosphere()
  assert.equal(vertices.length / 3, 2562)
  assert.equal(vertices.length / 3 - neighbours.length / 2 + faces.length / 3, 2)
  const surface = { vertices: vertices.map((v) => 40 * v), faces }
  const grid: Grid = { dims: [60, 45, 30], affine: [1.5, 0.1, 0, -44, 0, -2, 0.2, 42, 0, 0.2, 3, -47, 0, 0, 0, 1] }
  const ml = (4 / 3) * Math.PI * 40 ** 3 * 1e-3
  assert.ok(Math.abs(volumeMl(fillSurface(surface, grid)) / ml - 1) < 0.01)
})

test('the brain of a phantom head; the surface stays closed', () => {
  // threshold 0.5 asks for half of white matter's intensity: the edge of the tissue (rho 0.95), not that of the fluid
  const tissue = outline(0.95)
  const overlap = dice(found.mask, tissue)
  const ratio = volumeMl(found.mask) / volumeMl(tissue)
  assert.ok(overlap >= 0.97, `Dice ${overlap.toFixed(3)}, volume × ${ratio.toFixed(3)}`)
  assert.ok(Math.abs(ratio - 1) < 0.08, `volume × ${ratio.toFixed(3)}`)
  const edges = new Set<string>()
  const { vertices, faces } = found.surface
  for (let f = 0; f < faces.length; f += 3)
    for (const [a, b] of [
      [0, 1],
      [1, 2],
      [2, 0],
    ])
      edges.add([faces[f + a], faces[f + b]].sort((p, q) => p - q).join())
  assert.equal(vertices.length / 3 - edges.size + faces.length / 3, 2)
})

test('a bright ball in a dark rim in a bright shell', () => {
  const image = ball()
  const { vertices } = bet(image).surface
  let error = 0
  for (let v = 0; v < vertices.length; v += 3)
    error += Math.abs(Math.hypot(vertices[v] - 5, vertices[v + 1] + 3, vertices[v + 2] - 4) - 60)
  error /= vertices.length / 3
  assert.ok(error < 1.5, `mean error of the radius ${error.toFixed(2)} mm`)
})

test('a lower threshold gives a larger brain, and the gradient moves it from one end to the other', () => {
  const ml = [0.3, 0.5, 0.7].map((threshold) => volumeMl(bet(t1, { threshold, iterations: 400 }).mask))
  assert.ok(ml[0] > ml[1] && ml[1] > ml[2], ml.join(' '))
  const top = (gradient: number) =>
    Math.max(...bet(t1, { gradient, iterations: 400 }).surface.vertices.filter((_, i) => i % 3 === 2))
  assert.ok(top(0.4) > top(-0.4))
})

test('thick slices hold the same volume', async () => {
  const thick: Grid = {
    dims: [80, 96, 40],
    affine: phantomGrid.affine.map((v, i) => (i === 10 ? 4 : i === 11 ? -78 : v)),
  }
  const ml = volumeMl(bet(await resample(t1, thick, { antialias: true })).mask)
  assert.ok(Math.abs(ml / volumeMl(found.mask) - 1) < 0.04, `${ml} ml, ${volumeMl(found.mask)} ml`)
})

test('an even image and options out of range are refused', () => {
  assert.throws(() => bet(emptyImage(phantomGrid)), RangeError)
  assert.throws(() => bet(t1, { threshold: 2 }), RangeError)
  assert.throws(() => bet(t1, { gradient: 2 }), RangeError)
})

function ball(): Image {
  const image = emptyImage({ dims: [100, 100, 100], affine: [2, 0, 0, -99, 0, 2, 0, -99, 0, 0, 2, -99, 0, 0, 0, 1] })
  for (let k = 0, at = 0; k < 100; k++)
    for (let j = 0; j < 100; j++)
      for (let i = 0; i < 100; i++, at++) {
        const [x, y, z] = apply(image.affine, [i, j, k])
        const r = Math.hypot(x - 5, y + 3, z - 4)
        image.data[at] = r <= 60 ? 100 : r <= 66 ? 5 : r <= 74 ? 90 : 0
      }
  return image
}

/** The phantom's ellipsoid up to rho. */
function outline(rho: number): Mask {
  const mask = emptyMask(phantomGrid)
  for (let k = 0, at = 0; k < 80; k++)
    for (let j = 0; j < 96; j++)
      for (let i = 0; i < 80; i++, at++) {
        const [x, y, z] = apply(phantomGrid.affine, [i, j, k])
        mask.data[at] = Math.hypot(x / 62, y / 78, z / 60) <= rho ? 1 : 0
      }
  return mask
}
