import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readNifti, writeNifti } from '../../src/formats/nifti.js'
import { apply } from '../../src/volume/affine.js'
import { emptyImage, type Grid, type Image } from '../../src/volume/volume.js'
import { fileOnGrid, onGrid } from '../../src/web/on-grid.js'

const grid: Grid = { dims: [6, 7, 8], affine: [1, 0, 0, 2, 0, 1, 0, -1, 0, 0, 1.5, 3, 0, 0, 0, 1] }
const other: Grid = { dims: [9, 10, 20], affine: [1, 0, 0, 0, 0, -1.5, 0, 9, 0, 0.1, 0.9, 1, 0, 0, 0, 1] }

/** What rises evenly through the world, which linear interpolation keeps. */
function ramp(on: Grid): Image {
  const image = emptyImage(on)
  const [nx, ny] = on.dims
  for (let at = 0; at < image.data.length; at++) {
    const voxel = [at % nx, Math.floor(at / nx) % ny, Math.floor(at / (nx * ny))] as const
    const [x, y, z] = apply(on.affine, voxel)
    image.data[at] = 100 + 2 * x - 3 * y + z
  }
  return image
}

test('an image of another grid has the same values at the same places', () => {
  const [brought, wanted] = [onGrid(ramp(other), grid), ramp(grid)]
  let compared = 0
  for (let at = 0; at < wanted.data.length; at++) {
    if (brought.data[at] === 0) continue
    compared++
    assert.ok(Math.abs(brought.data[at] - wanted.data[at]) < 1.5, `${brought.data[at]}, not ${wanted.data[at]}`)
  }
  assert.ok(compared > 250, `${compared} voxels`)
})

test('outside the image is 0; a file on the grid stays the file that it was', async () => {
  const far: Grid = { ...other, affine: [1, 0, 0, 500, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1] }
  assert.ok(onGrid(ramp(far), grid).data.every((value) => value === 0))
  const own = Uint8Array.from(await writeNifti(ramp(grid), { plain: true })).buffer
  assert.equal(await fileOnGrid(own, 'own', grid), own)
  const foreign = Uint8Array.from(await writeNifti(ramp(other), { plain: true })).buffer
  const { image } = await readNifti(new Uint8Array(await fileOnGrid(foreign, 'other', grid)), 'other')
  assert.deepEqual(image.dims, grid.dims)
})
