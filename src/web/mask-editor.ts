import type { Vec3 } from '../volume/affine.js'
import type { Image, Mask } from '../volume/volume.js'
import { across, edgeOf, flood, nearestPart, type Plane, planesOf, signedDistance2d } from './plane.js'

/** What one action changed: enough to undo it and to do it again. */
export interface Change {
  /** What was done, in a word or two: `brush`, `erase`, `delete lesion`. */
  name: string
  /** Voxels that changed, and their values before and after. */
  at: Uint32Array
  before: Uint8Array
  after: Uint8Array
}

/** The most that is kept for undoing, in voxels changed. */
const mostUndo = 8_000_000

/**
 * A mask that is corrected voxel by voxel, with undo and redo. Actions between `begin` and `end` (a stroke of many brush
 * events) are undone as one. Coordinates are voxels of the mask's grid.
 */
export class MaskEditor {
  readonly mask: Mask
  private readonly size: Vec3
  private done: Change[] = []
  private undone: Change[] = []
  /** Of those done, the first so many stay. */
  private settled = 0
  private stroke: Map<number, number> | undefined
  private strokeName = ''

  /** @param size voxel sizes, mm */
  constructor(mask: Mask, size: Vec3) {
    this.mask = { ...mask, data: mask.data.slice() }
    this.size = size
  }

  /** Opens a stroke: what follows is one step for undo, until `end`. */
  begin(name: string): void {
    this.end()
    this.stroke = new Map()
    this.strokeName = name
  }

  /**
   * Closes the stroke.
   *
   * @param step true: it is a step even where no voxel changed, because something else did
   * @returns what it changed; undefined for nothing
   */
  end(step = false): Change | undefined {
    const { stroke } = this
    this.stroke = undefined
    if (!stroke || (stroke.size === 0 && !step)) return undefined
    // A voxel that was painted and erased again has not changed.
    const changed = [...stroke].filter(([at, before]) => this.mask.data[at] !== before)
    if (changed.length === 0 && !step) return undefined
    const change: Change = {
      name: this.strokeName,
      at: Uint32Array.from(changed, ([at]) => at),
      before: Uint8Array.from(changed, ([, before]) => before),
      after: Uint8Array.from(changed, ([at]) => this.mask.data[at]),
    }
    this.done.push(change)
    this.undone = []
    let kept = this.done.reduce((sum, { at }) => sum + at.length, 0)
    while (kept > mostUndo && this.done.length > 1) {
      kept -= this.done.shift()!.at.length
      this.settled = Math.max(0, this.settled - 1)
    }
    return change
  }

  /** Takes the last step back. @returns it, or undefined when there is none */
  undo(): Change | undefined {
    this.end()
    const change = this.canUndo ? this.done.pop() : undefined
    if (!change) return undefined
    change.at.forEach((at, i) => {
      this.mask.data[at] = change.before[i]
    })
    this.undone.push(change)
    return change
  }

  redo(): Change | undefined {
    this.end()
    const change = this.undone.pop()
    if (!change) return undefined
    change.at.forEach((at, i) => {
      this.mask.data[at] = change.after[i]
    })
    this.done.push(change)
    return change
  }

  /** What was done so far cannot be undone. */
  settle(): void {
    this.settled = this.done.length
  }

  /** A stroke is open. */
  get drawing(): boolean {
    return this.stroke !== undefined
  }

  get canUndo(): boolean {
    return this.done.length > this.settled
  }
  get canRedo(): boolean {
    return this.undone.length > 0
  }
  /** The steps that are in force, oldest first. */
  get history(): readonly Change[] {
    return this.done
  }

  /**
   * Paints (or erases) a disc in a plane, or a ball.
   *
   * @param radius mm; a voxel whose centre lies within it is painted, and always the one at the centre
   * @param plane the axis that stands still: 0, 1 or 2; undefined for a ball
   * @param touched gets the voxels that changed
   */
  brush(centre: Vec3, radius: number, value: 0 | 1, plane?: Plane, touched: number[] = []): number[] {
    const reach = this.size.map((s, axis) => (axis === plane ? 0 : Math.floor(radius / s)))
    const [nx, ny, nz] = this.mask.dims
    const squared = radius * radius * (1 + 1e-9)
    const [x, y, z] = centre.map(Math.round)
    for (let k = Math.max(0, z - reach[2]); k <= Math.min(nz - 1, z + reach[2]); k++)
      for (let j = Math.max(0, y - reach[1]); j <= Math.min(ny - 1, y + reach[1]); j++)
        for (let i = Math.max(0, x - reach[0]); i <= Math.min(nx - 1, x + reach[0]); i++) {
          const far = ((i - x) * this.size[0]) ** 2 + ((j - y) * this.size[1]) ** 2 + ((k - z) * this.size[2]) ** 2
          const at = i + nx * (j + ny * k)
          if (far <= squared && this.set(at, value)) touched.push(at)
        }
    return touched
  }

  /** The brush along a line, so that a fast stroke has no gaps. @returns the voxels that changed */
  line(from: Vec3, to: Vec3, radius: number, value: 0 | 1, plane?: Plane): Uint32Array {
    const steps = Math.max(1, ...from.map((a, axis) => Math.ceil(Math.abs(to[axis] - a))))
    const touched: number[] = []
    for (let s = 0; s <= steps; s++)
      this.brush(
        from.map((a, axis) => a + ((to[axis] - a) * s) / steps) as unknown as Vec3,
        radius,
        value,
        plane,
        touched,
      )
    return Uint32Array.from(touched)
  }

  /**
   * Fills, in its plane, the hole that a place lies in; for a place of lesion, the holes of the outline that it belongs to.
   * A hole cannot be reached from the plane's border; outlines close over corners.
   *
   * @returns how many voxels were filled
   */
  fillEnclosed(at: Vec3, plane: Plane): number {
    const picture = planesOf(this.mask.dims, plane, Math.round(at[plane]))
    const { width, height, index } = picture
    const drawn = (p: number) => this.mask.data[index(p % width, Math.floor(p / width))] !== 0
    const [u, v] = across(plane).map((axis) => Math.round(at[axis]))
    const start = u + width * v
    let hole: (p: number) => boolean
    if (drawn(start)) {
      const outline = flood(picture, [start], drawn, true)
      const outside = flood(picture, edgeOf(picture), (p) => outline[p] === 0)
      hole = (p) => outside[p] === 0
    } else {
      const around = flood(picture, [start], (p) => !drawn(p))
      for (const p of edgeOf(picture)) if (around[p] !== 0) return 0
      hole = (p) => around[p] !== 0
    }
    let filled = 0
    for (let p = 0; p < width * height; p++)
      if (hole(p) && this.set(index(p % width, Math.floor(p / width)), 1)) filled++
    return filled
  }

  /**
   * Grows a lesion from a seed: voxels connected to it by faces whose intensity differs by less than `tolerance` from the
   * mean around the seed, within `radius` mm of it.
   *
   * @returns how many voxels were added
   */
  grow(seed: Vec3, image: Image, { tolerance, radius }: { tolerance: number; radius: number }): number {
    const [nx, ny, nz] = this.mask.dims
    const [x, y, z] = seed.map(Math.round)
    const around: number[] = []
    for (let k = Math.max(0, z - 1); k <= Math.min(nz - 1, z + 1); k++)
      for (let j = Math.max(0, y - 1); j <= Math.min(ny - 1, y + 1); j++)
        for (let i = Math.max(0, x - 1); i <= Math.min(nx - 1, x + 1); i++)
          around.push(image.data[i + nx * (j + ny * k)])
    // The median: at a lesion's rim some of the 27 voxels are not lesion.
    const middle = around.sort((a, b) => a - b)[Math.floor(around.length / 2)]
    const seen = new Set<number>()
    const queue: [number, number, number][] = [[x, y, z]]
    let added = 0
    for (let next = queue.pop(); next; next = queue.pop()) {
      const [i, j, k] = next
      if (i < 0 || j < 0 || k < 0 || i >= nx || j >= ny || k >= nz) continue
      const at = i + nx * (j + ny * k)
      if (seen.has(at)) continue
      seen.add(at)
      const far = Math.hypot((i - x) * this.size[0], (j - y) * this.size[1], (k - z) * this.size[2])
      if (far > radius || Math.abs(image.data[at] - middle) > tolerance) continue
      if (this.set(at, 1)) added++
      queue.push([i - 1, j, k], [i + 1, j, k], [i, j - 1, k], [i, j + 1, k], [i, j, k - 1], [i, j, k + 1])
    }
    return added
  }

  /**
   * Draws the slices between two drawn ones, by the mean of their signed distances (Raya & Udupa 1990). Of each of the two
   * only the part nearest to a place counts, so that other lesions stay as they are; so does what stands between already.
   *
   * @returns how many voxels were added
   */
  interpolate(plane: Plane, first: number, last: number, near: Vec3): number {
    const [low, high] = [Math.min(first, last), Math.max(first, last)]
    if (high - low < 2) return 0
    const picture = planesOf(this.mask.dims, plane, low)
    const { width, height } = picture
    const [u, v] = across(plane)
    const distances = [low, high].map((slice) => {
      const { index } = planesOf(this.mask.dims, plane, slice)
      const flat = Uint8Array.from({ length: width * height }, (_, p) =>
        this.mask.data[index(p % width, Math.floor(p / width))] !== 0 ? 1 : 0,
      )
      const part = nearestPart(flat, picture, [near[u], near[v]], [this.size[u], this.size[v]])
      return part.includes(1) ? signedDistance2d(part, width, height, this.size[u], this.size[v]) : undefined
    })
    const [a, b] = distances
    if (!a || !b) return 0
    let added = 0
    for (let slice = low + 1; slice < high; slice++) {
      const share = (slice - low) / (high - low)
      const { index } = planesOf(this.mask.dims, plane, slice)
      for (let v = 0; v < height; v++)
        for (let u = 0; u < width; u++) {
          const p = u + width * v
          if ((1 - share) * a[p] + share * b[p] <= 0 && this.set(index(u, v), 1)) added++
        }
    }
    return added
  }

  /** Sets the voxels of a list, e.g. those of a lesion that is deleted. @returns how many changed */
  setAll(voxels: Iterable<number>, value: 0 | 1): number {
    let changed = 0
    for (const at of voxels) if (this.set(at, value)) changed++
    return changed
  }

  /** Makes the mask equal to another one of this grid. @returns how many voxels changed */
  replace(by: ArrayLike<number>): number {
    let changed = 0
    for (let at = 0; at < this.mask.data.length; at++) if (this.set(at, by[at] !== 0 ? 1 : 0)) changed++
    return changed
  }

  /** @returns true when the voxel had another value */
  private set(at: number, value: 0 | 1): boolean {
    const before = this.mask.data[at]
    if (before === value) return false
    if (!this.stroke) throw new Error('A change outside a stroke could not be undone: call begin() first.')
    if (!this.stroke.has(at)) this.stroke.set(at, before)
    this.mask.data[at] = value
    return true
  }
}
