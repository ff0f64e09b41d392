import { seededRandom } from '../random.js'

/** Trees of binary questions `feature ≤ threshold`, stored one after the other. */
export interface Forest {
  features: number
  /** First node of each tree. */
  roots: Int32Array
  /** Feature a node asks for; −1 in a leaf. */
  feature: Int16Array
  /** Threshold of the question; in a leaf, the probability of class 1. */
  value: Float32Array
  /** The node for yes; the one for no comes right after it. */
  child: Int32Array
}

export interface ForestOptions {
  trees: number
  depth: number
  /** Least number of samples in a leaf. Default 5. */
  leaf?: number
  /** Features tried at each node. Default √features. */
  tried?: number
  /** Share of the samples that a tree sees, drawn with replacement. Default 1. */
  share?: number
  seed: number
}

/** Thresholds tried for a feature: places drawn from the node's own values. */
const thresholds = 12

/**
 * A random forest for two classes (Breiman 2001; thresholds drawn at random as in Geurts 2006): each tree sees its own draw
 * of the samples, each node takes the best of a few random questions by Gini impurity. The same seed gives the same forest.
 *
 * @param samples row after row, `features` values each
 * @param classes 0 or 1 for each row
 */
export function growForest(
  samples: Float32Array,
  classes: Uint8Array,
  features: number,
  { trees, depth, leaf = 5, tried = Math.round(Math.sqrt(features)), share = 1, seed }: ForestOptions,
): Forest {
  if (classes.length === 0 || samples.length !== classes.length * features)
    throw new RangeError('growForest needs a row of features for each class.')
  const random = seededRandom(seed)
  const roots: number[] = []
  const feature: number[] = []
  const value: number[] = []
  const child: number[] = []
  const add = (): number => {
    value.push(0)
    child.push(0)
    return feature.push(-1) - 1
  }

  for (let tree = 0; tree < trees; tree++) {
    const rows = Int32Array.from({ length: Math.max(1, Math.round(share * classes.length)) }, () =>
      Math.floor(random() * classes.length),
    )
    const root = add()
    roots.push(root)
    const open = [{ node: root, from: 0, to: rows.length, level: 0 }]
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      const { node, from, to, level } = next
      let ones = 0
      for (let r = from; r < to; r++) ones += classes[rows[r]]
      value[node] = ones / (to - from)
      if (level === depth || ones === 0 || ones === to - from || to - from < 2 * leaf) continue
      const split = bestSplit(rows, from, to, ones)
      if (split === undefined) continue
      const middle = partition(rows, from, to, split.f, split.threshold)
      feature[node] = split.f
      value[node] = split.threshold
      child[node] = add()
      add()
      open.push({ node: child[node], from, to: middle, level: level + 1 })
      open.push({ node: child[node] + 1, from: middle, to, level: level + 1 })
    }
  }
  return {
    features,
    roots: Int32Array.from(roots),
    feature: Int16Array.from(feature),
    value: Float32Array.from(value),
    child: Int32Array.from(child),
  }

  function bestSplit(rows: Int32Array, from: number, to: number, ones: number) {
    const n = to - from
    let best: { f: number; threshold: number } | undefined
    let most = (ones * ones + (n - ones) ** 2) / n + 1e-9
    const places = new Float32Array(thresholds)
    for (let t = 0; t < tried; t++) {
      const f = Math.floor(random() * features)
      for (let p = 0; p < thresholds; p++) places[p] = samples[rows[from + Math.floor(random() * n)] * features + f]
      places.sort()
      // how many fall up to each threshold, in one pass
      const counts = new Int32Array(thresholds + 1)
      const positive = new Int32Array(thresholds + 1)
      for (let r = from; r < to; r++) {
        const v = samples[rows[r] * features + f]
        let p = 0
        while (p < thresholds && v > places[p]) p++
        counts[p]++
        positive[p] += classes[rows[r]]
      }
      let [left, leftOnes] = [0, 0]
      for (let p = 0; p < thresholds; p++) {
        left += counts[p]
        leftOnes += positive[p]
        const right = n - left
        if (left < leaf || right < leaf) continue
        const rightOnes = ones - leftOnes
        const purity =
          (leftOnes ** 2 + (left - leftOnes) ** 2) / left + (rightOnes ** 2 + (right - rightOnes) ** 2) / right
        if (purity > most) {
          most = purity
          best = { f, threshold: places[p] }
        }
      }
    }
    return best
  }

  function partition(rows: Int32Array, from: number, to: number, f: number, threshold: number): number {
    let middle = from
    for (let r = from; r < to; r++)
      if (samples[rows[r] * features + f] <= threshold) {
        const row = rows[r]
        rows[r] = rows[middle]
        rows[middle++] = row
      }
    return middle
  }
}

/** Probability of class 1 of the row that starts at `from`: the mean over the trees. */
export function forestProbability({ roots, feature, value, child }: Forest, samples: Float32Array, from = 0): number {
  let sum = 0
  for (let tree = 0; tree < roots.length; tree++) {
    let node = roots[tree]
    for (let f = feature[node]; f >= 0; f = feature[node])
      node = child[node] + (samples[from + f] <= value[node] ? 0 : 1)
    sum += value[node]
  }
  return sum / roots.length
}

/** The forest as bytes, little-endian: features, trees, nodes; then roots, features, values and children. */
export function forestToBytes({ features, roots, feature, value, child }: Forest): Uint8Array {
  const bytes = new Uint8Array(12 + 4 * roots.length + 10 * feature.length)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, features, true)
  view.setUint32(4, roots.length, true)
  view.setUint32(8, feature.length, true)
  const at = layout(roots.length, feature.length)
  roots.forEach((v, i) => view.setInt32(at.roots + 4 * i, v, true))
  feature.forEach((v, i) => view.setInt16(at.feature + 2 * i, v, true))
  value.forEach((v, i) => view.setFloat32(at.value + 4 * i, v, true))
  child.forEach((v, i) => view.setInt32(at.child + 4 * i, v, true))
  return bytes
}

/** @throws RangeError for bytes that `forestToBytes` did not write */
export function forestFromBytes(bytes: Uint8Array): Forest {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (bytes.length < 12) throw new RangeError('These bytes hold no forest.')
  const [features, trees, nodes] = [view.getUint32(0, true), view.getUint32(4, true), view.getUint32(8, true)]
  if (bytes.length !== 12 + 4 * trees + 10 * nodes) throw new RangeError('These bytes hold no forest.')
  const at = layout(trees, nodes)
  return {
    features,
    roots: Int32Array.from({ length: trees }, (_, i) => view.getInt32(at.roots + 4 * i, true)),
    feature: Int16Array.from({ length: nodes }, (_, i) => view.getInt16(at.feature + 2 * i, true)),
    value: Float32Array.from({ length: nodes }, (_, i) => view.getFloat32(at.value + 4 * i, true)),
    child: Int32Array.from({ length: nodes }, (_, i) => view.getInt32(at.child + 4 * i, true)),
  }
}

const layout = (trees: number, nodes: number) => ({
  roots: 12,
  feature: 12 + 4 * trees,
  value: 12 + 4 * trees + 2 * nodes,
  child: 12 + 4 * trees + 6 * nodes,
})
