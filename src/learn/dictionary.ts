import { gaussianRandom, seededRandom } from '../random.js'

/** Atoms of unit length, one after the other. */
export interface Dictionary {
  /** `count` × `length` values. */
  atoms: Float32Array
  count: number
  length: number
}

export interface LearnOptions {
  /** Number of atoms; less than the number of samples. */
  atoms: number
  /** Most atoms in the code of a sample. */
  sparsity: number
  passes: number
  seed: number
  signal: AbortSignal
}

/** Fewer samples than this do not hold an atom: it starts anew. */
const leastUsed = 5

/**
 * Learns a dictionary in which each sample is about a sum of few atoms: K-SVD (Aharon et al. 2006), with one round of
 * the power method in place of each singular value decomposition (Rubinstein et al. 2008). Each pass codes all samples
 * by orthogonal matching pursuit, and then fits the atoms, one by one, to what the others leave of the samples that use
 * them. An atom that hardly a sample uses becomes the sample that is represented worst.
 *
 * @param samples values of all samples, one after the other
 * @param length values of a sample
 */
export function learnDictionary(samples: Float32Array, length: number, options: LearnOptions): Dictionary {
  const { atoms: count, sparsity, passes, seed, signal } = options
  const n = samples.length / length
  const random = seededRandom(seed)
  const dictionary: Dictionary = { atoms: new Float32Array(count * length), count, length }
  const atom = (k: number) => dictionary.atoms.subarray(k * length, (k + 1) * length)
  const sample = (i: number) => samples.subarray(i * length, (i + 1) * length)
  const noise = gaussianRandom(random)
  for (let k = 0; k < count; k++) {
    atom(k).set(n > 0 ? sample(Math.floor(random() * n)) : [])
    if (!normalise(atom(k))) normalise(atom(k).map(noise), atom(k))
  }
  if (n === 0) return dictionary
  const residuals = new Float32Array(samples.length)
  for (let pass = 0; pass < passes; pass++) {
    signal.throwIfAborted()
    const encode = encoder(dictionary, sparsity)
    const users: number[][] = Array.from({ length: count }, () => [])
    const weights: number[][] = Array.from({ length: count }, () => [])
    const errors = new Float64Array(n)
    for (let i = 0; i < n; i++) {
      const rest = residuals.subarray(i * length, (i + 1) * length)
      rest.set(sample(i))
      const { used, chosen, weight, error } = encode(sample(i))
      errors[i] = error
      for (let c = 0; c < used; c++) {
        users[chosen[c]].push(i)
        weights[chosen[c]].push(weight[c])
        subtract(rest, atom(chosen[c]), weight[c])
      }
    }
    for (let k = 0; k < count; k++) {
      if (users[k].length < leastUsed) renew(atom(k), sample, errors)
      else fit(atom(k), users[k], weights[k], residuals)
    }
  }
  return dictionary
}

/** Fits an atom and its weights to the residuals of its users, in which its own part is put back. */
function fit(atom: Float32Array, users: readonly number[], weights: number[], residuals: Float32Array): void {
  const length = atom.length
  const rest = (u: number) => residuals.subarray(users[u] * length, (users[u] + 1) * length)
  const next = new Float32Array(length)
  for (let u = 0; u < users.length; u++) {
    subtract(rest(u), atom, -weights[u])
    subtract(next, rest(u), -weights[u])
  }
  if (normalise(next)) atom.set(next)
  for (let u = 0; u < users.length; u++) {
    weights[u] = dot(atom, rest(u))
    subtract(rest(u), atom, weights[u])
  }
}

/** The sample of the largest error takes the place of an atom; it is not taken again. */
function renew(atom: Float32Array, sample: (i: number) => Float32Array, errors: Float64Array): void {
  let worst = 0
  for (let i = 1; i < errors.length; i++) if (errors[i] > errors[worst]) worst = i
  if (errors[worst] > 0 && normalise(sample(worst), atom)) errors[worst] = 0
}

/** A sparse code: the sum of `weight[c]` times atom `chosen[c]`, for c below `used`. Overwritten by the next one. */
export interface SparseCode {
  used: number
  chosen: Int32Array
  weight: Float64Array
  /** Squared length of what the code leaves of the sample. */
  error: number
}

/**
 * Codes samples by orthogonal matching pursuit (Pati et al. 1993): takes the atom that fits the rest best, fits all
 * weights anew, and so on. The products of atoms are kept, so that a step costs little more than its weights (batch OMP,
 * Rubinstein et al. 2008).
 */
export function encoder({ atoms, count, length }: Dictionary, sparsity: number): (sample: Float32Array) => SparseCode {
  const gram = new Float64Array(sparsity > 1 ? count * count : 0)
  for (let a = 0; a < count && sparsity > 1; a++)
    for (let b = 0; b <= a; b++) {
      const product = dot(atoms.subarray(a * length, (a + 1) * length), atoms.subarray(b * length, (b + 1) * length))
      gram[a * count + b] = gram[b * count + a] = product
    }
  const most = Math.min(sparsity, count, length)
  const fits = new Float64Array(count)
  const left = new Float64Array(count)
  const factor = new Float64Array(most * most)
  const code: SparseCode = { used: 0, chosen: new Int32Array(most), weight: new Float64Array(most), error: 0 }
  return (sample) => {
    let square = 0
    for (let v = 0; v < length; v++) square += sample[v] * sample[v]
    for (let k = 0, at = 0; k < count; k++) {
      let sum = 0
      for (let v = 0; v < length; v++) sum += atoms[at++] * sample[v]
      fits[k] = sum
    }
    left.set(fits)
    code.used = 0
    code.error = square
    while (code.used < most && code.error > 1e-12 * square) {
      let best = 0
      for (let k = 1; k < count; k++) if (Math.abs(left[k]) > Math.abs(left[best])) best = k
      if (!enlarge(factor, most, gram, count, code.chosen, code.used, best)) break
      code.chosen[code.used++] = best
      solve(factor, most, code, fits)
      if (code.used < most)
        for (let k = 0; k < count; k++) {
          let sum = fits[k]
          for (let c = 0; c < code.used; c++) sum -= code.weight[c] * gram[code.chosen[c] * count + k]
          left[k] = sum
        }
      let explained = 0
      for (let c = 0; c < code.used; c++) explained += code.weight[c] * fits[code.chosen[c]]
      code.error = Math.max(0, square - explained)
    }
    return code
  }
}

/** Adds an atom to the Cholesky factor of the chosen atoms' products; false where it depends on those. */
function enlarge(
  factor: Float64Array,
  stride: number,
  gram: Float64Array,
  count: number,
  chosen: Int32Array,
  used: number,
  atom: number,
): boolean {
  let rest = 1
  for (let r = 0; r < used; r++) {
    let sum = gram[chosen[r] * count + atom]
    for (let c = 0; c < r; c++) sum -= factor[r * stride + c] * factor[used * stride + c]
    factor[used * stride + r] = sum / factor[r * stride + r]
    rest -= factor[used * stride + r] ** 2
  }
  if (!(rest > 1e-9)) return false
  factor[used * stride + used] = Math.sqrt(rest)
  return true
}

/** The least-squares weights of the chosen atoms, from the Cholesky factor of their products. */
function solve(factor: Float64Array, stride: number, { used, chosen, weight }: SparseCode, fits: Float64Array): void {
  for (let r = 0; r < used; r++) {
    let sum = fits[chosen[r]]
    for (let c = 0; c < r; c++) sum -= factor[r * stride + c] * weight[c]
    weight[r] = sum / factor[r * stride + r]
  }
  for (let r = used - 1; r >= 0; r--) {
    let sum = weight[r]
    for (let c = r + 1; c < used; c++) sum -= factor[c * stride + r] * weight[c]
    weight[r] = sum / factor[r * stride + r]
  }
}

function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0
  for (let v = 0; v < a.length; v++) sum += a[v] * b[v]
  return sum
}

function subtract(from: Float32Array, what: Float32Array, times: number): void {
  for (let v = 0; v < from.length; v++) from[v] -= times * what[v]
}

/** Brings a vector to unit length, into `to`; false, and nothing done, where it is 0. */
function normalise(vector: Float32Array, to = vector): boolean {
  const norm = Math.sqrt(dot(vector, vector))
  if (!(norm > 1e-12)) return false
  for (let v = 0; v < vector.length; v++) to[v] = vector[v] / norm
  return true
}
