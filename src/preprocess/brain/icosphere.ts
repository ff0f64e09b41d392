/** A closed surface of triangles in world mm. */
export interface TriangleSurface {
  /** x, y, z of each vertex. */
  vertices: Float64Array
  /** Three vertices of each triangle, counter-clockwise seen from outside. */
  faces: Int32Array
}

/** The unit sphere as triangles, with the neighbours of each vertex: `neighbours[start[v] … start[v + 1])`. */
export interface Icosphere extends TriangleSurface {
  start: Int32Array
  neighbours: Int32Array
}

/** An icosahedron whose triangles are cut in four `levels` times: 10 · 4^levels + 2 vertices, 2562 for 4. */
export function icosphere(levels = 4): Icosphere {
  const golden = (1 + Math.sqrt(5)) / 2
  const points: number[][] = []
  for (const a of [-1, 1])
    for (const b of [-golden, golden]) points.push(unit([0, a, b]), unit([a, b, 0]), unit([b, 0, a]))
  let triangles = corners(points)
  for (let level = 0; level < levels; level++) {
    const middles = new Map<number, number>()
    const middle = (a: number, b: number): number => {
      const key = Math.min(a, b) * 100_000 + Math.max(a, b)
      const known = middles.get(key)
      if (known !== undefined) return known
      points.push(unit(points[a].map((v, i) => v + points[b][i])))
      middles.set(key, points.length - 1)
      return points.length - 1
    }
    triangles = triangles.flatMap(([a, b, c]) => {
      const [ab, bc, ca] = [middle(a, b), middle(b, c), middle(c, a)]
      return [
        [a, ab, ca],
        [b, bc, ab],
        [c, ca, bc],
        [ab, bc, ca],
      ]
    })
  }
  const around = points.map(() => new Set<number>())
  for (const [a, b, c] of triangles) {
    around[a].add(b).add(c)
    around[b].add(a).add(c)
    around[c].add(a).add(b)
  }
  const start = new Int32Array(points.length + 1)
  around.forEach((set, v) => {
    start[v + 1] = start[v] + set.size
  })
  return {
    vertices: Float64Array.from(points.flat()),
    faces: Int32Array.from(triangles.flat()),
    start,
    neighbours: Int32Array.from(around.flatMap((set) => [...set].sort((a, b) => a - b))),
  }
}

/** The twenty triangles of an icosahedron: all triples of corners that lie an edge apart. */
function corners(points: number[][]): number[][] {
  const near = (a: number, b: number) => dot(points[a], points[b]) > 0.4
  const out: number[][] = []
  for (let a = 0; a < 12; a++)
    for (let b = a + 1; b < 12; b++)
      for (let c = b + 1; c < 12; c++)
        if (near(a, b) && near(b, c) && near(a, c)) {
          const [p, q, r] = [points[a], points[b], points[c]]
          const outward =
            p[0] * (q[1] * r[2] - q[2] * r[1]) + p[1] * (q[2] * r[0] - q[0] * r[2]) + p[2] * (q[0] * r[1] - q[1] * r[0])
          out.push(outward > 0 ? [a, b, c] : [a, c, b])
        }
  return out
}

const dot = (a: number[], b: number[]): number => a[0] * b[0] + a[1] * b[1] + a[2] * b[2]

function unit(v: number[]): number[] {
  const length = Math.hypot(...v)
  return v.map((c) => c / length)
}
