import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Dictionary, encoder, learnDictionary } from '../../src/learn/dictionary.js'
import { gaussianRandom, seededRandom } from '../../src/random.js'

const signal = new AbortController().signal

function randomDictionary(count: number, length: number, seed: number): Dictionary {
  const normal = gaussianRandom(seededRandom(seed))
  const atoms = new Float32Array(count * length)
  for (let k = 0; k < count; k++) {
    const values = Array.from({ length }, normal)
    const norm = Math.hypot(...values)
    atoms.set(
      values.map((v) => v / norm),
      k * length,
    )
  }
  return { atoms, count, length }
}
const atomOf = ({ atoms, length }: Dictionary, k: number) => [...atoms.subarray(k * length, (k + 1) * length)]
const dot = (a: ArrayLike<number>, b: ArrayLike<number>) => Array.from(a).reduce((sum, v, i) => sum + v * b[i], 0)

test('one atom: the best of all, and what it leaves', () => {
  const dictionary = randomDictionary(12, 6, 1)
  const encode = encoder(dictionary, 1)
  const normal = gaussianRandom(seededRandom(2))
  for (let round = 0; round < 20; round++) {
    const sample = Float32Array.from({ length: 6 }, normal)
    const errors = Array.from({ length: 12 }, (_, k) => dot(sample, sample) - dot(sample, atomOf(dictionary, k)) ** 2)
    const { used, chosen, weight, error } = encode(sample)
    assert.equal(used, 1)
    assert.equal(chosen[0], errors.indexOf(Math.min(...errors)))
    assert.ok(Math.abs(error - Math.min(...errors)) < 1e-5)
    assert.ok(Math.abs(weight[0] - dot(sample, atomOf(dictionary, chosen[0]))) < 1e-5)
  }
})

test('more atoms: what is left is at right angles to all of them, as long as the error says, and smaller each time', () => {
  const dictionary = randomDictionary(30, 10, 3)
  const normal = gaussianRandom(seededRandom(4))
  for (let round = 0; round < 20; round++) {
    const sample = Float32Array.from({ length: 10 }, normal)
    let before = dot(sample, sample)
    for (const sparsity of [1, 2, 3, 5]) {
      const { used, chosen, weight, error } = encoder(dictionary, sparsity)(sample)
      assert.equal(used, sparsity)
      const rest = [...sample]
      for (let c = 0; c < used; c++) atomOf(dictionary, chosen[c]).forEach((a, v) => (rest[v] -= weight[c] * a))
      for (let c = 0; c < used; c++) assert.ok(Math.abs(dot(rest, atomOf(dictionary, chosen[c]))) < 1e-5)
      assert.ok(Math.abs(dot(rest, rest) - error) < 1e-5)
      assert.ok(error < before)
      before = error
    }
  }
})

test('a sum of two atoms is coded by them, without error', () => {
  const dictionary = randomDictionary(8, 40, 5)
  const [a, b] = [atomOf(dictionary, 2), atomOf(dictionary, 6)]
  const { used, chosen, weight, error } = encoder(dictionary, 4)(Float32Array.from(a, (v, i) => 3 * v - 2 * b[i]))
  assert.equal(used, 2)
  assert.deepEqual([...chosen.slice(0, 2)], [2, 6])
  assert.ok(Math.abs(weight[0] - 3) < 1e-4 && Math.abs(weight[1] + 2) < 1e-4)
  assert.ok(error < 1e-8)
})

test('a sample of zeros and atoms that are all the same are coded too', () => {
  const same: Dictionary = { atoms: Float32Array.from([1, 0, 1, 0]), count: 2, length: 2 }
  assert.deepEqual({ ...encoder(same, 2)(new Float32Array(2)) }.used, 0)
  const { used, error } = encoder(same, 2)(Float32Array.from([3, 4]))
  assert.equal(used, 1)
  assert.ok(Math.abs(error - 16) < 1e-9)
})

test('atoms from which samples were made are learned', () => {
  const truth = randomDictionary(6, 15, 7)
  const random = seededRandom(8)
  const normal = gaussianRandom(random)
  const samples = new Float32Array(1500 * 15)
  for (let i = 0; i < 1500; i++) {
    const [a, b] = [Math.floor(6 * random()), Math.floor(6 * random())]
    const [p, q] = [normal(), normal()]
    for (let v = 0; v < 15; v++)
      samples[15 * i + v] = p * truth.atoms[15 * a + v] + q * truth.atoms[15 * b + v] + 0.01 * normal()
  }
  const options = { atoms: 6, sparsity: 2, passes: 30, seed: 1, signal }
  const learned = learnDictionary(samples, 15, options)
  for (let k = 0; k < 6; k++) {
    const likeness = Array.from({ length: 6 }, (_, j) => Math.abs(dot(atomOf(truth, k), atomOf(learned, j))))
    assert.ok(Math.max(...likeness) > 0.99, `atom ${k}: ${Math.max(...likeness)}`)
    assert.ok(Math.abs(dot(atomOf(learned, k), atomOf(learned, k)) - 1) < 1e-5)
  }
  assert.deepEqual(learnDictionary(samples, 15, options), learned)
  assert.notDeepEqual(learnDictionary(samples, 15, { ...options, seed: 2 }), learned)
})

test('more passes leave less error', () => {
  const normal = gaussianRandom(seededRandom(9))
  const samples = Float32Array.from({ length: 400 * 8 }, normal)
  const errorAfter = (passes: number) => {
    const encode = encoder(learnDictionary(samples, 8, { atoms: 10, sparsity: 1, passes, seed: 1, signal }), 1)
    let sum = 0
    for (let i = 0; i < 400; i++) sum += encode(samples.subarray(8 * i, 8 * i + 8)).error
    return sum
  }
  const errors = [0, 1, 5, 20].map(errorAfter)
  for (let i = 1; i < errors.length; i++) assert.ok(errors[i] < errors[i - 1], errors.join(' '))
})

test('no samples, samples of zeros, and a cancelled run', () => {
  const options = { atoms: 3, sparsity: 1, passes: 2, seed: 1, signal }
  assert.ok(learnDictionary(new Float32Array(0), 4, options).atoms.every(Number.isFinite))
  assert.ok(learnDictionary(new Float32Array(40), 4, options).atoms.every(Number.isFinite))
  assert.throws(() => learnDictionary(new Float32Array(40), 4, { ...options, signal: AbortSignal.abort() }), {
    name: 'AbortError',
  })
})
