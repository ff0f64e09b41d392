/**
 * Minimum cut of a directed graph by augmenting paths along levels (Dinic 1970). Capacities are ≥ 0 and may be infinite.
 * Nodes are 0 … nodes − 1; the source and the sink are joined to them with `terminal`.
 */
export class FlowGraph {
  readonly #nodes: number
  #to: Int32Array
  #capacity: Float64Array
  #next: Int32Array
  readonly #first: Int32Array
  #arcs = 0

  /** @param arcs how many calls of `arc` and `terminal` are expected; more are possible */
  constructor(nodes: number, arcs = 4 * nodes) {
    this.#nodes = nodes
    this.#first = new Int32Array(nodes + 2).fill(-1)
    this.#to = new Int32Array(2 * arcs + 2)
    this.#next = new Int32Array(2 * arcs + 2)
    this.#capacity = new Float64Array(2 * arcs + 2)
  }

  /** Joins a to b with a capacity, and b to a with another. */
  arc(a: number, b: number, capacity: number, back = 0): void {
    this.#push(a, b, capacity)
    this.#push(b, a, back)
  }

  /** Joins a node with the source and the sink. */
  terminal(node: number, fromSource: number, toSink: number): void {
    if (fromSource > 0) this.arc(this.#nodes, node, fromSource)
    if (toSink > 0) this.arc(node, this.#nodes + 1, toSink)
  }

  /** The greatest flow, and for each node whether it lies on the source's side of a least cut (1) or not (0). */
  solve(): { flow: number; source: Uint8Array } {
    const [s, t] = [this.#nodes, this.#nodes + 1]
    const level = new Int32Array(this.#nodes + 2)
    let flow = 0
    while (this.#levels(level, s, t)) flow += this.#block(level, s, t)
    return { flow, source: Uint8Array.from(level.subarray(0, this.#nodes), (l) => (l >= 0 ? 1 : 0)) }
  }

  #push(a: number, b: number, capacity: number): void {
    if (this.#arcs === this.#to.length) {
      const size = 2 * this.#arcs
      const grown = <T extends Int32Array | Float64Array>(from: T, to: T): T => {
        to.set(from)
        return to
      }
      this.#to = grown(this.#to, new Int32Array(size))
      this.#next = grown(this.#next, new Int32Array(size))
      this.#capacity = grown(this.#capacity, new Float64Array(size))
    }
    this.#to[this.#arcs] = b
    this.#capacity[this.#arcs] = capacity
    this.#next[this.#arcs] = this.#first[a]
    this.#first[a] = this.#arcs++
  }

  /** Steps from the source over arcs with room left, −1 where there is no way; whether the sink is reached. */
  #levels(level: Int32Array, s: number, t: number): boolean {
    level.fill(-1)
    level[s] = 0
    const queue = new Int32Array(level.length)
    queue[0] = s
    for (let head = 0, tail = 1; head < tail; head++) {
      const node = queue[head]
      for (let e = this.#first[node]; e >= 0; e = this.#next[e])
        if (this.#capacity[e] > least && level[this.#to[e]] < 0) {
          level[this.#to[e]] = level[node] + 1
          queue[tail++] = this.#to[e]
        }
    }
    return level[t] >= 0
  }

  /** Sends flow along paths that go up one level a step until none is left. */
  #block(level: Int32Array, s: number, t: number): number {
    const current = this.#first.slice()
    const path: number[] = []
    let flow = 0
    let node = s
    for (;;) {
      if (node === t) {
        let room = Infinity
        for (const e of path) room = Math.min(room, this.#capacity[e])
        if (room === Infinity) throw new RangeError('A path of infinite capacity joins source and sink.')
        let back = -1
        for (let p = path.length - 1; p >= 0; p--) {
          this.#capacity[path[p]] -= room
          this.#capacity[path[p] ^ 1] += room
          if (this.#capacity[path[p]] <= least) back = p
        }
        flow += room
        node = this.#to[path[back] ^ 1]
        path.length = back
        continue
      }
      let e = current[node]
      while (e >= 0 && !(this.#capacity[e] > least && level[this.#to[e]] === level[node] + 1)) e = this.#next[e]
      current[node] = e
      if (e >= 0) {
        path.push(e)
        node = this.#to[e]
      } else {
        if (node === s) return flow
        level[node] = -2
        const last = path.pop()!
        node = this.#to[last ^ 1]
      }
    }
  }
}

/** Room below this is rounding. */
const least = 1e-9
