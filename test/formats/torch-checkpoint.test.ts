import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { InputError } from '../../src/errors.js'
import { PickleGlobal, readPickle } from '../../src/formats/pickle.js'
import { halfFloat, Inert, readTorchCheckpoint, TorchTensor } from '../../src/formats/torch-checkpoint.js'
import { readStoredZip } from '../../src/formats/zip.js'
import { seededRandom } from '../../src/random.js'

// Written by PyTorch: bench/peers/nnunet_models.py checkpoints.
const golden = (name: string) => new Uint8Array(readFileSync(new URL(`../golden/nnunet/${name}`, import.meta.url)))
const tensors = golden('tensors.pth')
const root = readTorchCheckpoint(tensors, 'tensors.pth') as Map<string, unknown>
const values = (of: unknown) => {
  assert.ok(of instanceof TorchTensor)
  return [of.shape, [...of.values()]]
}
const quarters = Array.from({ length: 12 }, (_, i) => i / 4 - 1)

test('tensors of every element type', () => {
  for (const [kind, tensor] of root.get('kinds') as Map<string, unknown>)
    assert.deepEqual(values(tensor), [[12], kind.startsWith('int') ? quarters.map((v) => Math.trunc(v) + 0) : quarters])
  assert.deepEqual(values(root.get('uint8')), [[2], [0, 200]])
  assert.deepEqual(values(root.get('bool')), [[2], [1, 0]])
  const [, small] = values(root.get('small'))
  assert.deepEqual(small, [65504, -(2 ** -24), 1.0001659393310547e-4, Number.POSITIVE_INFINITY])
})

test('views with strides and offsets', () => {
  const columns = [0, 1, 2, 3].flatMap((j) => [0, 1, 2].map((i) => quarters[4 * i + j]))
  assert.deepEqual(values(root.get('grid')), [[3, 4], quarters])
  assert.deepEqual(values(root.get('transposed')), [[4, 3], columns])
  assert.deepEqual(values(root.get('column')), [[3], [-0.75, 0.25, 1.25]])
  assert.deepEqual(values(root.get('block')), [
    [2, 2],
    [0.25, 0.5, 1.25, 1.5],
  ])
  assert.deepEqual(values(root.get('scalar')), [[], [2.5]])
  assert.deepEqual(values(root.get('empty')), [[0, 3], []])
  assert.deepEqual(values(root.get('parameter')), [[2], [-1, -0.75]])
})

test('a file is read alike from Node’s Buffer, whose slices share memory', () => {
  const buffer = Buffer.from(tensors)
  const again = readTorchCheckpoint(buffer, 'tensors.pth') as Map<string, unknown>
  for (const name of ['grid', 'block', 'parameter']) assert.deepEqual(values(again.get(name)), values(root.get(name)))
})

test('plain data as it is, NumPy values as inert ones', () => {
  const plain = [
    null,
    true,
    1,
    -70000,
    2 ** 40,
    2n ** 80n,
    1.5,
    'text ä',
    [1, 2, 3, 4],
    new Set(['a']),
    new Map([[3, [4]]]),
  ]
  assert.deepEqual(root.get('plain'), plain)
  assert.ok((root.get('numpy') as unknown[]).every((value) => value instanceof Inert))
  assert.ok(root.get('device') instanceof Inert)
  assert.deepEqual(root.get('size'), [1, 2])
})

test('half-precision numbers at their limits', () => {
  assert.deepEqual([0x0001, 0x03ff, 0x0400, 0x3c00, 0x7bff, 0xfc00].map(halfFloat), [
    2 ** -24,
    1023 * 2 ** -24,
    2 ** -14,
    1,
    65504,
    Number.NEGATIVE_INFINITY,
  ])
  assert.ok(Number.isNaN(halfFloat(0x7e01)))
})

const refused = (bytes: Uint8Array, pattern: RegExp) =>
  assert.throws(
    () => readTorchCheckpoint(bytes, 'model.pth'),
    (error: Error) =>
      error instanceof InputError &&
      pattern.test(error.message) &&
      !error.message.includes('\n') &&
      error.message.length < 400,
  )

test('a checkpoint that names code is refused by that name', () => {
  refused(golden('module.pth'), /names torch\.nn\.modules\.linear\.Linear/)
  const text = (s: string) => new TextEncoder().encode(s)
  const rules = { knows: () => false, call: () => null, outside: () => null }
  const pickle = Uint8Array.of(0x80, 2, ...text('cos\nsystem\nX\x04\0\0\0echo'), 0x85, 0x52, 0x2e)
  assert.throws(() => readPickle(pickle, rules, 'x'), /names os\.system/)
})

test('known names cannot be called with what they do not take', () => {
  const text = (s: string) => [...new TextEncoder().encode(s)]
  const pickle = Uint8Array.of(0x80, 2, ...text('ctorch._utils\n_rebuild_tensor_v2\n'), 0x29, 0x52, 0x2e)
  const rules = { knows: () => true, call: () => undefined, outside: () => null }
  assert.throws(() => readPickle(pickle, rules, 'x'), /_rebuild_tensor_v2 is called with what it does not take/)
  assert.ok(readPickle(Uint8Array.of(0x80, 2, ...text('ca\nb\n'), 0x2e), rules, 'x') instanceof PickleGlobal)
})

test('foreign, damaged and cut files give one clear line', () => {
  refused(new Uint8Array(0), /no zip archive/)
  refused(new TextEncoder().encode('version https://git-lfs'), /no zip archive/)
  refused(Uint8Array.of(0x80, 2, 0x8a, 10, 0x6c, 0xfc), /before 1\.6/)
  for (const share of [0.1, 0.5, 0.9, 0.999])
    refused(tensors.subarray(0, share * tensors.length), /damaged or ends too early/)
})

test('whatever bytes are changed, the file is read or refused, never more', () => {
  const random = seededRandom(1)
  let wrong = 0
  for (let round = 0; round < 3000; round++) {
    const bytes = tensors.slice()
    for (let i = 0; i < 3; i++) bytes[Math.floor(random() * bytes.length)] = Math.floor(random() * 256)
    try {
      const read = readTorchCheckpoint(bytes, 'x')
      if (read instanceof Map) for (const value of read.values()) if (value instanceof TorchTensor) value.values()
    } catch (error) {
      assert.ok(error instanceof InputError, String((error as Error).stack))
      wrong++
    }
  }
  assert.ok(wrong > 300)
})

test('a tensor larger than its storage is refused', () => {
  const bytes = tensors.slice()
  const text = Buffer.from(bytes.buffer)
  // The shape (3, 4) of `grid`, as two small integers and the tuple's end.
  const at = text.indexOf(Buffer.from([0x4b, 3, 0x4b, 4, 0x86]))
  bytes[at + 1] = 200
  refused(bytes, /a tensor of 200 × 4 does not fit its storage of 12 values/)
})

test('compressed entries are named, zip64 sizes are read', () => {
  const zip = tensors.slice()
  const view = new DataView(zip.buffer)
  const directory = Buffer.from(zip.buffer).indexOf(Buffer.from([0x50, 0x4b, 1, 2]))
  view.setUint16(directory + 10, 8, true)
  refused(zip, /is compressed, which PyTorch never does/)
  const entries = readStoredZip(zip64(), 'x')
  assert.deepEqual([...entries], [['a', Uint8Array.of(7, 8, 9)]])
})

/** An archive of one entry whose sizes and places stand in zip64 fields only. */
function zip64(): Uint8Array {
  const bytes = new Uint8Array(34 + 47 + 32 + 56 + 20 + 22)
  const view = new DataView(bytes.buffer)
  const put32 = (at: number, ...numbers: number[]) => numbers.forEach((n, i) => view.setUint32(at + 4 * i, n, true))
  const put64 = (at: number, n: number) => view.setBigUint64(at, BigInt(n), true)
  put32(0, 0x04034b50)
  view.setUint16(26, 1, true)
  bytes.set([97, 7, 8, 9], 30)
  const directory = 34
  put32(directory, 0x02014b50)
  put32(directory + 20, 0xffffffff, 0xffffffff)
  view.setUint16(directory + 28, 1, true)
  view.setUint16(directory + 30, 32, true)
  put32(directory + 42, 0xffffffff)
  bytes[directory + 46] = 97
  view.setUint16(directory + 47, 1, true)
  view.setUint16(directory + 49, 24, true)
  put64(directory + 51, 3)
  put64(directory + 59, 3)
  put64(directory + 67, 0)
  const end64 = directory + 47 + 32
  put32(end64, 0x06064b50)
  put64(end64 + 32, 1)
  put64(end64 + 48, directory)
  put32(end64 + 56, 0x07064b50)
  put64(end64 + 64, end64)
  put32(end64 + 76, 0x06054b50)
  view.setUint16(end64 + 86, 0xffff, true)
  put32(end64 + 88, 0xffffffff, 0xffffffff)
  return bytes
}
