import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { InputError } from '../../src/errors.js'
import { readNifti, readNiftiMask, writeNifti } from '../../src/formats/nifti.js'
import { cornerDistance, identity } from '../../src/volume/affine.js'
import { affines, fixed, waves } from '../generators.js'

interface Made {
  datatype?: number
  littleEndian?: boolean
  version?: 1 | 2
  dim?: number[]
  slope?: number
  intercept?: number
  sform?: number[]
  sformCode?: number
  qformCode?: number
  qoffset?: number[]
  pixdim?: number[]
  units?: number
  values?: number[]
}

const widths: Record<number, number> = {
  2: 1,
  4: 2,
  8: 4,
  16: 4,
  64: 8,
  128: 3,
  256: 1,
  512: 2,
  768: 4,
  1024: 8,
  1280: 8,
}

/** A NIfTI file, byte by byte, independent of the writer. */
function made({
  datatype = 16,
  littleEndian: le = true,
  version = 1,
  dim = [3, 3, 2, 2, 1, 1, 1, 1],
  slope = 0,
  intercept = 0,
  sform,
  sformCode = sform ? 1 : 0,
  qformCode = 1,
  qoffset = [0, 0, 0],
  pixdim = [1, 1, 1, 1, 1, 1, 1, 1],
  units = 2,
  values,
}: Made = {}): Uint8Array {
  const n = Math.abs(dim.slice(1, 1 + dim[0]).reduce((p, v) => p * v, 1))
  const list = values ?? Array.from({ length: n }, (_, i) => i + 1)
  const offset = version === 1 ? 352 : 544
  const bytes = new Uint8Array(offset + n * (widths[datatype] ?? 16))
  const v = new DataView(bytes.buffer)
  const srow = sform ?? [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0]
  if (version === 1) {
    v.setInt32(0, 348, le)
    dim.forEach((d, i) => v.setInt16(40 + 2 * i, d, le))
    v.setInt16(70, datatype, le)
    pixdim.forEach((p, i) => v.setFloat32(76 + 4 * i, p, le))
    v.setFloat32(108, offset, le)
    v.setFloat32(112, slope, le)
    v.setFloat32(116, intercept, le)
    v.setUint8(123, units)
    v.setInt16(252, qformCode, le)
    v.setInt16(254, sformCode, le)
    qoffset.forEach((q, i) => v.setFloat32(268 + 4 * i, q, le))
    srow.forEach((s, i) => v.setFloat32(280 + 4 * i, s, le))
    bytes.set([0x6e, 0x2b, 0x31, 0], 344)
  } else {
    v.setInt32(0, 540, le)
    bytes.set([0x6e, 0x2b, 0x32, 0, 0x0d, 0x0a, 0x1a, 0x0a], 4)
    v.setInt16(12, datatype, le)
    dim.forEach((d, i) => v.setBigInt64(16 + 8 * i, BigInt(d), le))
    pixdim.forEach((p, i) => v.setFloat64(104 + 8 * i, p, le))
    v.setBigInt64(168, BigInt(offset), le)
    v.setFloat64(176, slope, le)
    v.setFloat64(184, intercept, le)
    v.setInt32(344, qformCode, le)
    v.setInt32(348, sformCode, le)
    qoffset.forEach((q, i) => v.setFloat64(376 + 8 * i, q, le))
    srow.forEach((s, i) => v.setFloat64(400 + 8 * i, s, le))
    v.setInt32(500, units, le)
  }
  list.forEach((value, i) => {
    const at = offset + i * (widths[datatype] ?? 16)
    if (datatype === 2) v.setUint8(at, value)
    else if (datatype === 4) v.setInt16(at, value, le)
    else if (datatype === 8) v.setInt32(at, value, le)
    else if (datatype === 16) v.setFloat32(at, value, le)
    else if (datatype === 64) v.setFloat64(at, value, le)
    else if (datatype === 256) v.setInt8(at, value)
    else if (datatype === 512) v.setUint16(at, value, le)
    else if (datatype === 768) v.setUint32(at, value, le)
    else if (datatype === 1024) v.setBigInt64(at, BigInt(value), le)
    else if (datatype === 1280) v.setBigUint64(at, BigInt(value), le)
  })
  return bytes
}

/** Asserts an InputError (exit 3) of one line that names the file and says the fault and a fix. */
async function refused(bytes: Uint8Array, fault: RegExp): Promise<void> {
  await assert.rejects(readNifti(bytes, 'scan.nii.gz'), (error) => {
    assert.ok(error instanceof InputError)
    assert.equal(error.exitCode, 3)
    assert.match(error.message, /^scan\.nii\.gz: .+; .+/)
    assert.ok(!error.message.includes('\n'))
    assert.match(error.message, fault)
    return true
  })
}

test('every numeric type, byte order and version gives the same values', async () => {
  for (const datatype of [2, 4, 8, 16, 64, 256, 512, 768, 1024, 1280])
    for (const littleEndian of [true, false])
      for (const version of [1, 2] as const)
        for (const zipped of [false, true]) {
          const bytes = made({ datatype, littleEndian, version })
          const { image } = await readNifti(zipped ? gzipSync(bytes) : bytes, 'x')
          assert.deepEqual([...image.data], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], `type ${datatype}`)
          assert.deepEqual(image.dims, [3, 2, 2])
        }
})

test('scl_slope and scl_inter scale the values; a slope of 0 or NaN does not', async () => {
  const first = async (m: Made) => (await readNifti(made({ datatype: 4, ...m }), 'x')).image.data[0]
  assert.equal(await first({ slope: 2, intercept: 10 }), 12)
  assert.equal(await first({ slope: 0, intercept: 10 }), 1)
  assert.equal(await first({ slope: Number.NaN, intercept: Number.NaN }), 1)
})

test('the sform counts if its code is positive, else the qform, else pixel sizes with a flag', async () => {
  const sform = [2, 0, 0, 5, 0, 2, 0, 6, 0, 0, 2, 7]
  const both = await readNifti(made({ sform, pixdim: [1, 2, 2, 2, 1, 1, 1, 1], qoffset: [5, 6, 9] }), 'x')
  assert.deepEqual(both.image.affine.slice(0, 12), sform)
  assert.deepEqual(
    both.flags.map(({ code }) => code),
    ['sform-qform-conflict'],
  )
  const q = await readNifti(made({ pixdim: [-1, 2, 3, 4, 1, 1, 1, 1], qoffset: [1, 2, 3] }), 'x')
  assert.deepEqual(q.image.affine.slice(0, 12), [2, 0, 0, 1, 0, 3, 0, 2, 0, 0, -4, 3])
  assert.deepEqual(q.flags, [])
  const none = await readNifti(made({ qformCode: 0, pixdim: [1, 2, 3, 4, 1, 1, 1, 1] }), 'x')
  assert.deepEqual(
    none.flags.map(({ code }) => code),
    ['no-orientation'],
  )
  const metres = await readNifti(made({ units: 1, pixdim: [1, 0.002, 0.002, 0.002, 1, 1, 1, 1] }), 'x')
  assert.ok(Math.abs(metres.image.affine[0] - 2) < 1e-6)
})

test('what is written reads back: values, and the grid to float32', async () => {
  await fc.assert(
    fc.asyncProperty(affines, fc.constantFrom<1 | 2>(1, 2), async (affine, version) => {
      const image = waves([4, 5, 6], affine)
      const like = { version, sformCode: 2, qformCode: 0, timeUnit: 8 }
      const { image: back, header, flags } = await readNifti(await writeNifti(image, { like }), 'x')
      assert.deepEqual(back.data, image.data)
      assert.ok(cornerDistance(back.affine, affine, image.dims) < 1e-3)
      assert.deepEqual(header, { version, sformCode: 2, qformCode: 2, timeUnit: 8 })
      assert.deepEqual(flags, [], 'sform and qform agree')
    }),
    fixed(60),
  )
})

test('masks take their type, and voxels of at least one half are inside', async () => {
  const data = Uint8Array.of(0, 1, 1, 0, 0, 0, 1, 0)
  const mask = { dims: [2, 2, 2] as const, affine: [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1], data }
  assert.deepEqual((await readNiftiMask(await writeNifti(mask), 'x')).data, data)
  const soft = made({ dim: [3, 2, 2, 2, 1, 1, 1, 1], values: [0, 0.4, 0.5, 1, 3, Number.NaN, -1, 0] })
  assert.deepEqual([...(await readNiftiMask(soft, 'x')).data], [0, 0, 1, 1, 1, 0, 0, 0])
})

test('a few voxels that are not finite are taken as outside, with a flag; most of them is refused', async () => {
  const values = Array.from({ length: 12 }, (_, i) => i + 1)
  values[3] = Number.NaN
  values[4] = Number.POSITIVE_INFINITY
  const { image, flags } = await readNifti(made({ values }), 'x')
  assert.equal(image.data[3], 0)
  assert.equal(flags[0].code, 'non-finite-voxels')
  await refused(made({ values: [...new Array(7).fill(Number.NaN), 1, 2, 3, 4, 5] }), /NaN or infinite/)
})

test('a 4-D image of one frame is a volume; many frames, one slice, RGB, constants are refused', async () => {
  assert.deepEqual((await readNifti(made({ dim: [4, 3, 2, 2, 1, 1, 1, 1] }), 'x')).image.dims, [3, 2, 2])
  await refused(made({ dim: [4, 3, 2, 2, 5, 1, 1, 1] }), /5 frames \(3×2×2×5\)/)
  await refused(made({ dim: [3, 3, 4, 1, 1, 1, 1, 1] }), /one slice \(3×4×1\)/)
  await refused(made({ dim: [2, 3, 4, 1, 1, 1, 1, 1] }), /one slice/)
  await refused(made({ datatype: 128 }), /RGB/)
  await refused(made({ datatype: 32 }), /complex/)
  await refused(made({ datatype: 4242 }), /unknown datatype/)
  await refused(made({ values: new Array(12).fill(0) }), /all voxels are zero/)
  await refused(made({ values: new Array(12).fill(7) }), /same value \(7\)/)
  await refused(made({ dim: [3, 3, -2, 2, 1, 1, 1, 1] }), /makes no sense/)
  await refused(made({ dim: [9, 3, 2, 2, 1, 1, 1, 1] }), /makes no sense/)
})

test('what is not NIfTI, or not all of it, is refused in one line', async () => {
  const whole = made({})
  await refused(new Uint8Array(0), /empty/)
  await refused(new TextEncoder().encode('subject age\n01 34\n'.repeat(40)), /holds text/)
  await refused(
    Uint8Array.from({ length: 500 }, (_, i) => (i * 7) % 256),
    /not a NIfTI image/,
  )
  await refused(whole.subarray(0, whole.length - 5), /ends too early/)
  await refused(whole.subarray(0, 300), /ends too early/)
  await refused(made({ dim: [3, 300, 200, 200, 1, 1, 1, 1], values: [] }).subarray(0, 4000), /ends too early/)
  const zipped = gzipSync(whole)
  await refused(zipped.subarray(0, zipped.length - 12), /gzip/)
  const damaged = Uint8Array.from(zipped)
  damaged[40] ^= 0xff
  await refused(damaged, /gzip|NIfTI|early|header/)
  const pair = Uint8Array.from(whole)
  pair.set([0x6e, 0x69, 0x31], 344)
  await refused(pair, /\.hdr\/\.img pair/)
})

test('a small file that unpacks to far more than its header tells is refused before it is all there', async () => {
  const plain = await writeNifti(
    { dims: [4, 4, 4], affine: identity, data: Float32Array.from({ length: 64 }, (_, i) => i) },
    { plain: true },
  )
  const zeros = Buffer.alloc(2 ** 27)
  const behind = new Uint8Array(gzipSync(Buffer.concat([plain, zeros]), { level: 1 }))
  await assert.rejects(
    readNifti(behind, 'bomb.nii.gz'),
    /^InputError: bomb\.nii\.gz: holds more data than its header tells/,
  )
  // A header that asks for all of it: the gzip cannot hold so much.
  const header = plain.slice()
  const view = new DataView(header.buffer)
  for (const at of [42, 44, 46]) view.setInt16(at, 32767, true)
  await assert.rejects(
    readNifti(new Uint8Array(gzipSync(header)), 'huge.nii.gz'),
    /huge\.nii\.gz: .*(ends too early|truncated|bytes)/,
  )
  assert.equal((await readNifti(new Uint8Array(gzipSync(plain)), 'good.nii.gz')).image.data[5], 5)
})
