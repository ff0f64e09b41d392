import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { InputError } from '../../src/errors.js'
import { readMgh, writeMgh } from '../../src/formats/mgh.js'
import { cornerDistance, type Vec3 } from '../../src/volume/affine.js'
import { conformedGrid } from '../../src/volume/conform.js'
import type { VoxelArray } from '../../src/volume/volume.js'

// Written by nibabel (test/golden/mgh.py says how): geometry as FreeSurfer has it, voxels counted up.
const golden = JSON.parse(readFileSync(new URL('../golden/mgh.json', import.meta.url), 'utf8')) as {
  cases: { name: string; dtype: string; dims: [number, number, number]; affine: number[]; base64: string }[]
}
const arrays: Record<string, (n: number) => VoxelArray> = {
  uint8: (n) => new Uint8Array(n),
  int16: (n) => new Int16Array(n),
  int32: (n) => new Int32Array(n),
  float32: (n) => new Float32Array(n),
}
const dataBytes: Record<string, number> = { uint8: 1, int16: 2, int32: 4, float32: 4 }

for (const { name, dtype, dims, affine, base64 } of golden.cases) {
  const bytes = Uint8Array.from(Buffer.from(base64, 'base64'))

  test(`${name}: reads what nibabel wrote`, async () => {
    const image = await readMgh(bytes, name)
    assert.deepEqual(image.dims, dims)
    assert.ok(cornerDistance(image.affine, affine, dims) < 1e-5)
    assert.deepEqual(
      [...image.data],
      Array.from({ length: 60 }, (_, i) => i % 251),
    )
  })

  test(`${name}: writes the same header and voxels, and reads them back`, async () => {
    const data = arrays[dtype](60)
    for (let i = 0; i < data.length; i++) data[i] = i % 251
    const written = await writeMgh({ dims, affine, data }, { compress: false })
    const [ours, theirs] = [written, bytes].map((b) => new DataView(b.buffer, b.byteOffset, b.byteLength))
    for (let at = 0; at < 28; at += 4) assert.equal(ours.getInt32(at), theirs.getInt32(at), `byte ${at}`)
    assert.equal(ours.getInt16(28), 1)
    // Direction cosines may differ in the last bit of a float.
    for (let at = 30; at < 90; at += 4)
      assert.ok(Math.abs(ours.getFloat32(at) - theirs.getFloat32(at)) < 2e-6, `byte ${at}`)
    const end = 284 + 60 * dataBytes[dtype]
    assert.deepEqual(written.subarray(90, end), bytes.subarray(90, end))
    assert.equal(written.length, end)
    const back = await readMgh(await writeMgh({ dims, affine, data }), name)
    assert.deepEqual([...back.data], [...data])
    assert.ok(cornerDistance(back.affine, affine, dims) < 1e-5)
  })
}

test('what is no MGH volume is refused in one line', async () => {
  const [{ base64 }] = golden.cases
  const whole = Uint8Array.from(Buffer.from(base64, 'base64'))
  const changed = (at: number, value: number) => {
    const out = whole.slice()
    new DataView(out.buffer).setInt32(at, value)
    return out
  }
  for (const [bytes, seen] of [
    [new Uint8Array(10), /not an MGH file/],
    [changed(0, 2), /not an MGH file/],
    [changed(4, -1), /impossible sizes/],
    [changed(16, 3), /3 frames/],
    [changed(20, 9), /unknown data type \(9\)/],
    [whole.subarray(0, 300), /ends too early/],
    [Uint8Array.of(0x1f, 0x8b, 1, 2, 3), /gzip data is damaged/],
  ] as const)
    await assert.rejects(readMgh(bytes, 'a.mgz'), (error: Error) => {
      assert.ok(error instanceof InputError)
      assert.match(error.message, seen)
      return true
    })
  await assert.rejects(
    writeMgh({ dims: [1, 1, 1], affine: golden.cases[0].affine, data: new Float64Array(1) }),
    RangeError,
  )
})

test('a file without geometry gets FreeSurfer’s: 1 mm, left, inferior, anterior', async () => {
  const bytes = Uint8Array.from(Buffer.from(golden.cases[0].base64, 'base64'))
  new DataView(bytes.buffer).setInt16(28, 0)
  const { affine } = await readMgh(bytes, 'a.mgh')
  assert.deepEqual(
    [affine.slice(0, 3), affine.slice(4, 7), affine.slice(8, 11)],
    [
      [-1, 0, 0],
      [0, 0, 1],
      [0, -1, 0],
    ],
  )
})

test('the conformed grid puts its middle voxel where the image has its own', () => {
  const affine = [0, 0, 1.2, -80, -0.9, 0.1, 0, 110, 0, 0.9, 0, -70, 0, 0, 0, 1]
  const grid = conformedGrid({ dims: [240, 256, 176], affine })
  assert.deepEqual(grid.dims, [256, 256, 256])
  const at = (m: readonly number[], [i, j, k]: Vec3) =>
    [0, 4, 8].map((r) => m[r] * i + m[r + 1] * j + m[r + 2] * k + m[r + 3])
  const [here, there] = [at(grid.affine, [128, 128, 128]), at(affine, [120, 128, 88])]
  here.forEach((v, i) => {
    assert.ok(Math.abs(v - there[i]) < 1e-9)
  })
})
