import assert from 'node:assert/strict'
import { test } from 'node:test'
import { classFigures } from '../../src/learn/class-figures.js'
import { type Finding, keepFindings } from '../../src/learn/findings.js'
import { gaussianRandom, seededRandom } from '../../src/random.js'
import { countVoxels, emptyImage, emptyMask, type Grid } from '../../src/volume/volume.js'

const grid: Grid = { dims: [10, 10, 10], affine: [2, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1] }
const at = (x: number, y: number, z: number) => x + 10 * (y + 10 * z)

function box(mask = emptyMask(grid), [x0, x1]: number[], [y0, y1]: number[], [z0, z1]: number[]) {
  for (let z = z0; z <= z1; z++)
    for (let y = y0; y <= y1; y++) for (let x = x0; x <= x1; x++) mask.data[at(x, y, z)] = 1
  return mask
}

test('a finding knows its size, its surroundings, its inside and its border', () => {
  const mask = box(box(undefined, [4, 5], [4, 4], [4, 4]), [0, 0], [0, 0], [0, 0])
  // White matter is the half space x ≥ 5.
  const white = box(undefined, [5, 9], [0, 9], [0, 9])
  const brain = box(undefined, [0, 9], [0, 9], [0, 9])
  const seen: Finding[] = []
  const kept = keepFindings(mask, { connectivity: 26, around: white, within: white, brain }, (finding) => {
    seen.push(finding)
    return finding.voxels > 1
  })
  const [corner, middle] = seen
  assert.deepEqual([corner.voxels, corner.mm3, corner.around, corner.border], [1, 2, 0, 1])
  // The shell of two voxels: 4·3·3 − 2 = 34, of which x = 5 (8) and x = 6 (9) are white.
  assert.deepEqual([middle.voxels, middle.within, middle.around, middle.border], [2, 0.5, 17 / 34, 0])
  assert.equal(countVoxels(kept), 2)
  assert.equal(kept.data[at(0, 0, 0)], 0)
})

test('no finding is judged in an empty mask', () => {
  const kept = keepFindings(emptyMask(grid), { connectivity: 18 }, () => assert.fail('nothing to judge'))
  assert.equal(countVoxels(kept), 0)
})

test('the figures of a tissue are those of its Gaussian, though a tenth of it is lesion', () => {
  const large: Grid = { ...grid, dims: [30, 30, 30] }
  const brain = emptyMask(large)
  brain.data.fill(1)
  const [csf, gm, wm, image] = [emptyImage(large), emptyImage(large), emptyImage(large), emptyImage(large)]
  const normal = gaussianRandom(seededRandom(5))
  image.data.forEach((_, i) => {
    gm.data[i] = i % 2
    wm.data[i] = 1 - (i % 2)
    image.data[i] = i % 20 === 0 ? 300 : (i % 2 ? 95 : 75) + 4 * normal()
  })
  const figures = classFigures(image, { csf, gm, wm }, brain)
  assert.ok(Math.abs(figures.gm.mean - 95) < 0.3 && Math.abs(figures.gm.sd - 4) < 0.2)
  assert.ok(Math.abs(figures.wm.mean - 75) < 1 && Math.abs(figures.wm.sd - 4) < 0.8)
  assert.ok(Number.isNaN(figures.csf.mean))
})
