import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ghostToSignal } from '../../src/report/ghosting.js'
import { limits, qualityFlags } from '../../src/report/quality.js'
import { compose, scaling } from '../../src/volume/affine.js'
import { reorient } from '../../src/volume/orient.js'
import type { PreparedStudy } from '../../src/volume/study.js'
import { emptyImage, emptyMask, type Image } from '../../src/volume/volume.js'
import { brain, fill, flair, grid, inBrain } from './phantom.js'

const codes = (input: Parameters<typeof qualityFlags>[0]) => qualityFlags(input).flags.map(({ code }) => code)
/** 1 mm slices, so that the phantom's own thickness raises no flag. */
const fine = (image: Image): Image => ({ ...image, affine: compose(image.affine, scaling([0.5, 0.5, 1 / 3])) })
const sound = { flair: fine(flair), brain: { ...brain, affine: fine(flair).affine } }

test('a sound scan raises no flag', () => {
  assert.deepEqual(codes(sound), [])
})

test('thick slices and coarse pixels are told from the voxel sizes', () => {
  assert.deepEqual(codes({ flair, brain }), ['thick-slices', 'low-resolution'])
  const { message } = qualityFlags({ flair, brain }).flags[0]
  assert.match(message, /3 mm thick \(pixels 2 mm\)/)
})

test('a scan that ends inside the brain names the end', () => {
  const cut = { dims: [96, 112, 40], affine: grid.affine } as const
  const shorter = fill(cut, (p) => (inBrain(p) ? 100 : 2 + Math.sin(p[0] * p[1])))
  const mask = { ...emptyMask(cut), data: Uint8Array.from(shorter.data, (v) => (v === 100 ? 1 : 0)) }
  const { flags } = qualityFlags({ flair: shorter, brain: mask })
  assert.match(flags.find(({ code }) => code === 'missing-coverage')?.message ?? '', /at the top/)
  const turn = { from: [2, 1, 0], flip: [true, false, false] } as const
  const turned = qualityFlags({ flair: reorient(shorter, turn), brain: reorient(mask, turn) })
  assert.match(turned.flags.find(({ code }) => code === 'missing-coverage')?.message ?? '', /at the top/)
})

test('clipped intensities and a flat image are told', () => {
  const clipped = { ...sound.flair, data: sound.flair.data.map((v) => Math.min(v, 112)) }
  assert.ok(codes({ ...sound, flair: clipped }).includes('saturated'))
  const noisy = { ...sound.flair, data: sound.flair.data.map((v, i) => v + 60 * Math.sin(i * 12.9898)) }
  assert.ok(codes({ ...sound, flair: noisy }).includes('low-contrast'))
})

test('ghosts along either axis are measured in the air, and cannot be told where the air was removed', () => {
  const clean = ghostToSignal(sound.flair, sound.brain)
  assert.ok(clean !== undefined && clean < limits.ghosting, `${clean}`)
  for (const axis of [0, 1] as const) {
    const ghost = ghostToSignal(withGhost(sound.flair, 0.08, axis), sound.brain)
    assert.ok(ghost !== undefined && ghost > limits.ghosting, `axis ${axis}: ${ghost}`)
  }
  const stripped = { ...sound.flair, data: sound.flair.data.map((v, i) => (brain.data[i] ? v : 0)) }
  assert.equal(ghostToSignal(stripped, sound.brain), undefined)
})

test('a T1 or a T2 given as FLAIR is told by its tissues', () => {
  const study = (grey: number, white: number, fluid: number): PreparedStudy => {
    const ventricles = fill(grid, ([x, y, z]) => (Math.hypot(x / 10, (y - 5) / 30, (z - 5) / 12) <= 1 ? 1 : 0))
    const cortex = fill(grid, (p) => (inBrain(p) && !inBrain([p[0] * 1.1, p[1] * 1.1, p[2] * 1.1]) ? 0.9 : 0))
    const wm = fill(grid, (p) => (inBrain([p[0] * 1.2, p[1] * 1.2, p[2] * 1.2]) ? 1 : 0))
    for (let i = 0; i < wm.data.length; i++) if (ventricles.data[i]) wm.data[i] = 0
    const values = flair.data.map((_, i) =>
      ventricles.data[i] ? fluid : wm.data[i] ? white : cortex.data[i] ? grey : 1,
    )
    const mask = { ...emptyMask(grid), data: Uint8Array.from(ventricles.data) }
    return {
      grid,
      images: { flair: { ...emptyImage(grid), data: values } },
      brain,
      atlas: { cortex, wm, ventricles: mask, csf: ventricles },
    } as unknown as PreparedStudy
  }
  const looks = (grey: number, white: number, fluid: number) =>
    codes({ ...sound, study: study(grey, white, fluid) }).filter((code) => code.startsWith('flair-looks'))
  assert.deepEqual(looks(105, 100, 30), [])
  assert.deepEqual(looks(75, 100, 30), ['flair-looks-like-t1'])
  assert.deepEqual(looks(120, 100, 250), ['flair-looks-like-t2'])
})

test('stripped input and a result without lesions are noted', () => {
  assert.deepEqual(codes({ ...sound, stripped: true, lesionCount: 0 }), ['stripped-input', 'lesion-free'])
})

/** A tenth of the field of view away on both sides, a faint copy, as movement leaves it. */
function withGhost(image: Image, part: number, axis: 0 | 1): Image {
  const [nx, ny, nz] = image.dims
  const out = new Float32Array(image.data.length)
  const shift = Math.round(0.23 * image.dims[axis])
  for (let k = 0; k < nz; k++)
    for (let j = 0; j < ny; j++)
      for (let i = 0; i < nx; i++) {
        const at = (by: number) => {
          const x = axis === 0 ? (i + by + nx) % nx : i
          const y = axis === 1 ? (j + by + ny) % ny : j
          return image.data[x + nx * (y + ny * k)]
        }
        out[i + nx * (j + ny * k)] = (1 - part) * at(0) + (part / 2) * (at(shift) + at(-shift))
      }
  return { ...image, data: out }
}
