import { type Block, type KernelName, withArena } from '../kernels/index.js'
import { type Affine, apply, compose, identity, invert, type Vec3 } from './affine.js'
import { prefilter } from './resample.js'
import { type Grid, type Image, voxelCount } from './volume.js'

/**
 * Displacements in RAS mm at the voxels of a grid: three planes (x, y, z) of nx·ny·nz values, each as in an image. The
 * field maps p ↦ p + displacement at p, linear between voxels; beyond the grid nothing moves.
 */
export interface DisplacementField extends Grid {
  readonly data: Float32Array
}

/**
 * A map of space with its inverse: p ↦ after · φ(before · p), where φ(q) = q + field at q; all in RAS mm. `inverse` is
 * the field of φ⁻¹ on the same grid. From a registration `before` is the identity: p is a point of the fixed image, the
 * field lies in its space, and `after` is the affine that ends at the moving image.
 */
export interface Deformation {
  readonly before: Affine
  readonly field: DisplacementField
  readonly inverse: DisplacementField
  readonly after: Affine
}

/** A deformation from its field; the inverse is found by iteration, to 10⁻⁴ voxels where the field does not fold. */
export async function deformationOf(
  field: DisplacementField,
  { before = identity, after = identity }: { before?: Affine; after?: Affine } = {},
): Promise<Deformation> {
  const toVoxels = invert(field.affine)
  const inverse = await withArena(async (arena) => {
    const given = arena.float32(turned(field, toVoxels).data)
    const out = arena.float32(given.length)
    const [nx, ny, nz] = field.dims
    await arena.run('invertRows', ny * nz, 64, given.ptr, out.ptr, nx, ny, nz)
    return turned({ ...field, data: out.copy() }, field.affine)
  })
  return { before, field, inverse, after }
}

/** The map the other way: from the moving image to the fixed one. */
export const inverted = ({ before, field, inverse, after }: Deformation): Deformation => ({
  before: invert(after),
  field: inverse,
  inverse: field,
  after: invert(before),
})

/** Where a point goes, RAS mm. */
export function deform({ before, field, after }: Deformation, point: Vec3): Vec3 {
  const q = apply(before, point)
  const [dx, dy, dz] = displacementAt(field)(q)
  return apply(after, [q[0] + dx, q[1] + dy, q[2] + dz])
}

/** The deformation that applies `b` first, then `a`; its field is on the grid of b's. */
export function composeDeformations(a: Deformation, b: Deformation): Deformation {
  // a.before · b.after is passed to the end: φa ∘ L = L ∘ (L⁻¹ ∘ φa ∘ L), whose displacements are L⁻¹ times those of φa.
  const between = compose(a.before, b.after)
  const back = invert(between)
  const there = displacementAt(a.field)
  const here = displacementAt(b.inverse)
  const [field, inverse] = [emptyField(b.field), emptyField(b.field)]
  const n = voxelCount(b.field)
  const moved = (at: Vec3, displacement: (p: Vec3) => Vec3) => direction(back, displacement(apply(between, at)))
  const backwards = displacementAt(a.inverse)
  eachVoxel(b.field, (p, index) => {
    const u: Vec3 = [b.field.data[index], b.field.data[n + index], b.field.data[2 * n + index]]
    const w = moved([p[0] + u[0], p[1] + u[1], p[2] + u[2]], there)
    const v = moved(p, backwards)
    const t = here([p[0] + v[0], p[1] + v[1], p[2] + v[2]])
    for (const axis of [0, 1, 2]) {
      field.data[axis * n + index] = u[axis] + w[axis]
      inverse.data[axis * n + index] = v[axis] + t[axis]
    }
  })
  return { before: b.before, field, inverse, after: compose(a.after, between) }
}

/**
 * Determinant of the Jacobian of p ↦ p + displacement at every voxel, by central differences: how much volume grows; below
 * 0 the field folds.
 */
export async function jacobianDeterminant(field: DisplacementField): Promise<Image> {
  const { dims, affine } = field
  return await withArena(async (arena) => {
    // In voxels the matrix differs but not its determinant.
    const inVoxels = arena.float32(turned(field, invert(affine)).data)
    const out = arena.float32(voxelCount(field))
    await arena.run('jacobianRows', dims[1] * dims[2], 64, inVoxels.ptr, out.ptr, ...dims)
    return { dims, affine, data: out.copy() }
  })
}

export interface DeformedOptions {
  /** `cubic` is the B-spline with prefilter; labels take `nearest`. Default `linear`. */
  method?: 'nearest' | 'linear' | 'cubic'
  /** Value of voxels that come from beyond the image. Default 0. */
  outside?: number
}

/**
 * The moving image on a grid of the fixed image's space: each voxel's place goes through the whole deformation, and the
 * image is interpolated once.
 */
export async function resampleDeformed(
  moving: Image,
  onto: Grid,
  { before, field, after }: Deformation,
  { method = 'linear', outside = 0 }: DeformedOptions = {},
): Promise<Image> {
  return await withArena(async (arena) => {
    const source = arena.float32(moving.data)
    if (method === 'cubic') await prefilter(arena, source, moving.dims)
    const toMoving = compose(invert(moving.affine), after)
    const maps = arena.float64([
      ...compose(invert(field.affine), before, onto.affine).slice(0, 12),
      ...compose(toMoving, before, onto.affine).slice(0, 12),
      ...[0, 1, 2].flatMap((r) => toMoving.slice(4 * r, 4 * r + 3)),
    ])
    const displacements: Block<Float32Array> = arena.float32(field.data)
    const out = arena.float32(voxelCount(onto))
    const [nx, ny, nz] = onto.dims
    const place = [displacements.ptr, ...field.dims, maps.ptr, outside]
    await arena.run(kernels[method], ny * nz, 64, source.ptr, ...moving.dims, out.ptr, nx, ny, ...place)
    return { dims: onto.dims, affine: onto.affine, data: out.copy() }
  })
}

const kernels: Record<NonNullable<DeformedOptions['method']>, KernelName> = {
  nearest: 'deformedNearest',
  linear: 'deformedLinear',
  cubic: 'deformedCubic',
}

const emptyField = ({ dims, affine }: Grid): DisplacementField => ({
  dims,
  affine,
  data: new Float32Array(3 * dims[0] * dims[1] * dims[2]),
})

/** The field with every vector multiplied by the 3×3 part of a map: mm to voxels, or back. */
export function turned(field: DisplacementField, map: Affine): DisplacementField {
  const n = voxelCount(field)
  const data = new Float32Array(3 * n)
  for (let i = 0; i < n; i++) {
    const [x, y, z] = [field.data[i], field.data[n + i], field.data[2 * n + i]]
    data[i] = map[0] * x + map[1] * y + map[2] * z
    data[n + i] = map[4] * x + map[5] * y + map[6] * z
    data[2 * n + i] = map[8] * x + map[9] * y + map[10] * z
  }
  return { ...field, data }
}

const direction = (m: Affine, [x, y, z]: Vec3): Vec3 => [
  m[0] * x + m[1] * y + m[2] * z,
  m[4] * x + m[5] * y + m[6] * z,
  m[8] * x + m[9] * y + m[10] * z,
]

/** Linear interpolation of a field at a point, RAS mm; 0 more than half a voxel beyond its grid. */
function displacementAt({ dims, affine, data }: DisplacementField): (point: Vec3) => Vec3 {
  const toVoxels = invert(affine)
  const n = dims[0] * dims[1] * dims[2]
  const strides = [1, dims[0], dims[0] * dims[1]]
  return (point) => {
    const at = apply(toVoxels, point)
    let base = 0
    const step = [0, 0, 0]
    const rest = [0, 0, 0]
    for (let axis = 0; axis < 3; axis++) {
      if (!(at[axis] >= -0.5 && at[axis] <= dims[axis] - 0.5)) return [0, 0, 0]
      const held = Math.max(0, Math.min(dims[axis] - 1, at[axis]))
      const low = Math.floor(held)
      rest[axis] = held - low
      step[axis] = low + 1 < dims[axis] ? strides[axis] : 0
      base += low * strides[axis]
    }
    const value = (plane: number) => {
      let sum = 0
      for (let c = 0; c < 8; c++) {
        const [x, y, z] = [c & 1, (c >> 1) & 1, c >> 2]
        const weight = (x ? rest[0] : 1 - rest[0]) * (y ? rest[1] : 1 - rest[1]) * (z ? rest[2] : 1 - rest[2])
        sum += weight * data[plane * n + base + x * step[0] + y * step[1] + z * step[2]]
      }
      return sum
    }
    return [value(0), value(1), value(2)]
  }
}

function eachVoxel({ dims, affine }: Grid, visit: (point: Vec3, index: number) => void): void {
  for (let k = 0, index = 0; k < dims[2]; k++)
    for (let j = 0; j < dims[1]; j++) for (let i = 0; i < dims[0]; i++, index++) visit(apply(affine, [i, j, k]), index)
}
