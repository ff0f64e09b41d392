import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { readNifti, writeNifti } from '../../src/formats/nifti.js'
import { replaceVoxels } from '../../src/formats/nifti-patch.js'
import type { VoxelArray } from '../../src/volume/volume.js'

const dims = [4, 3, 2] as const
const affine = [-1, 0, 0.2, 3, 0, 2, 0, 4, 0.1, 0, 3, -5, 0, 0, 0, 1]

/** A NIfTI-1 file, unpacked; `change` may alter its header. */
async function file(data: VoxelArray, change: (view: DataView) => void = () => {}): Promise<Uint8Array> {
  const bytes = new Uint8Array(gunzipSync(await writeNifti({ dims, affine, data })))
  change(new DataView(bytes.buffer))
  return bytes
}

/** The same file with its numbers the other way round. */
function bigEndian(bytes: Uint8Array): Uint8Array {
  const out = bytes.slice()
  const swap = (from: number, count: number, size: number) => {
    for (let i = 0; i < count; i++) out.subarray(from + i * size, from + (i + 1) * size).reverse()
  }
  swap(0, 1, 4)
  swap(40, 8, 2)
  swap(68, 4, 2)
  swap(76, 11, 4)
  swap(252, 2, 2)
  swap(256, 18, 4)
  swap(352, 24, 2)
  return out
}

test('whole numbers are rounded and held within their type; nothing else changes by a bit', async () => {
  const data = Int16Array.from({ length: 24 }, (_, i) => 100 * i)
  for (const bytes of [await file(data), bigEndian(await file(data))]) {
    const out = await replaceVoxels(bytes, 'a', [3, 20, 21], [50.6, 99999, -99999], { compress: false })
    const { image } = await readNifti(out, 'a')
    assert.deepEqual([image.data[3], image.data[20], image.data[21]], [51, 32767, -32768])
    const same = out.slice()
    for (const at of [3, 20, 21]) same.set(bytes.subarray(352 + 2 * at, 354 + 2 * at), 352 + 2 * at)
    assert.deepEqual(same, bytes)
  }
})

test('values are in the units that a scale in the header gives', async () => {
  const bytes = await file(new Uint8Array(24).fill(7), (view) => {
    view.setFloat32(112, 0.5, true)
    view.setFloat32(116, -10, true)
  })
  const out = await replaceVoxels(bytes, 'a', [5], [40.2])
  const { image } = await readNifti(out, 'a')
  assert.equal(image.data[5], 40)
  assert.equal(image.data[4], -6.5)
})

test('float32 and float64 take values as they are, and NaN elsewhere stays NaN', async () => {
  const data = Float32Array.from({ length: 24 }, (_, i) => (i === 9 ? Number.NaN : i / 7))
  const bytes = await file(data)
  const out = await replaceVoxels(bytes, 'a', [2], [1.25], { compress: false })
  const changed = new Float32Array(out.buffer.slice(352))
  assert.equal(changed[2], 1.25)
  assert.ok(Number.isNaN(changed[9]))
  const double = await replaceVoxels(await file(new Float64Array(24).fill(1)), 'a', [2], [0.1], { compress: false })
  assert.equal(new DataView(double.buffer, double.byteOffset).getFloat64(352 + 16, true), 0.1)
})

test('text that could name a person is emptied', async () => {
  const bytes = await file(new Int16Array(24).fill(3), (view) => {
    for (const at of [4, 14, 148, 228, 328]) view.setUint8(at, 77)
  })
  const out = await replaceVoxels(bytes, 'a', [], [], { compress: false })
  for (const [from, to] of [
    [4, 32],
    [148, 252],
    [328, 344],
  ])
    assert.ok(out.subarray(from, to).every((v) => v === 0))
  assert.deepEqual(out.subarray(40, 148), bytes.subarray(40, 148))
})

test('NIfTI-2 and gzip stay what they are', async () => {
  const like = { version: 2, sformCode: 1, qformCode: 1, timeUnit: 0 } as const
  const bytes = await writeNifti({ dims, affine, data: new Uint16Array(24).fill(9) }, { like })
  const out = await replaceVoxels(bytes, 'a', [1], [60000])
  const { image, header } = await readNifti(out, 'a')
  assert.equal(header.version, 2)
  assert.deepEqual([image.data[0], image.data[1]], [9, 60000])
})
