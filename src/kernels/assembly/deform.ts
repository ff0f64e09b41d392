/**
 * Displacement fields on their own grid: three planes of n = nx·ny·nz float32 (x, y, z), in voxels. Items are rows
 * along x. A point beyond the grid takes the nearest border's value.
 */

/** Where `locate` found a point: the corner below it and the fractions beyond. One set for each thread. */
let corner: usize = 0;
let stepX: usize = 0;
let stepY: usize = 0;
let stepZ: usize = 0;
let fx: f32 = 0;
let fy: f32 = 0;
let fz: f32 = 0;

// @ts-ignore: decorator
@inline
function locate(x: f32, y: f32, z: f32, nx: i32, ny: i32, nz: i32): void {
  const hx = max<f32>(0, min<f32>(x, (nx - 1) as f32));
  const hy = max<f32>(0, min<f32>(y, (ny - 1) as f32));
  const hz = max<f32>(0, min<f32>(z, (nz - 1) as f32));
  const xi = hx as i32, yi = hy as i32, zi = hz as i32;
  fx = hx - (xi as f32);
  fy = hy - (yi as f32);
  fz = hz - (zi as f32);
  stepX = xi + 1 < nx ? 4 : 0;
  stepY = yi + 1 < ny ? (nx as usize) << 2 : 0;
  stepZ = zi + 1 < nz ? ((nx * ny) as usize) << 2 : 0;
  corner = ((xi + nx * (yi + ny * zi)) as usize) << 2;
}

/** The value of a plane at the point that was located. */
// @ts-ignore: decorator
@inline
function value(plane: usize): f32 {
  const o = plane + corner;
  const a = load<f32>(o), b = load<f32>(o + stepY), c = load<f32>(o + stepZ), d = load<f32>(o + stepZ + stepY);
  const e = a + fx * (load<f32>(o + stepX) - a);
  const f = b + fx * (load<f32>(o + stepY + stepX) - b);
  const g = c + fx * (load<f32>(o + stepZ + stepX) - c);
  const h = d + fx * (load<f32>(o + stepZ + stepY + stepX) - d);
  const near = e + fy * (f - e), far = g + fy * (h - g);
  return near + fz * (far - near);
}

/** dst(x) = src(x + field(x)), linear. */
export function warpRows(start: i32, end: i32, src: usize, field: usize, dst: usize, nx: i32, ny: i32, nz: i32): void {
  const plane = ((nx * ny * nz) as usize) << 2;
  for (let row = start; row < end; row++) {
    const j = (row % ny) as f32, k = (row / ny) as f32;
    let at = ((row * nx) as usize) << 2;
    for (let i = 0; i < nx; i++, at += 4) {
      const u = field + at;
      locate((i as f32) + load<f32>(u), j + load<f32>(u + plane), k + load<f32>(u + 2 * plane), nx, ny, nz);
      store<f32>(dst + at, value(src));
    }
  }
}

/**
 * The field of (id + field) ∘ (id + step · by), by's vectors cut to `longest` voxels and let down to 0 over the
 * outer `rim` voxels, so that nothing moves at the border.
 */
export function composeRows(start: i32, end: i32, field: usize, by: usize, dst: usize, nx: i32, ny: i32, nz: i32, step: f32, longest: f32, rim: f32): void {
  const plane = ((nx * ny * nz) as usize) << 2;
  for (let row = start; row < end; row++) {
    const j = row % ny, k = row / ny;
    const side = min(min(j, ny - 1 - j), min(k, nz - 1 - k));
    let at = ((row * nx) as usize) << 2;
    for (let i = 0; i < nx; i++, at += 4) {
      const u = by + at;
      let ux = load<f32>(u), uy = load<f32>(u + plane), uz = load<f32>(u + 2 * plane);
      const length = sqrt<f32>(ux * ux + uy * uy + uz * uz) * step;
      const inside = min<f32>(1, (min(side, min(i, nx - 1 - i)) as f32) / rim);
      const scale = step * inside * (length > longest ? longest / length : 1);
      ux *= scale;
      uy *= scale;
      uz *= scale;
      locate((i as f32) + ux, (j as f32) + uy, (k as f32) + uz, nx, ny, nz);
      const out = dst + at;
      store<f32>(out, ux + value(field));
      store<f32>(out + plane, uy + value(field + plane));
      store<f32>(out + 2 * plane, uz + value(field + 2 * plane));
    }
  }
}

/**
 * The inverse v of a field d: v(y) = −d(y + v(y)), each voxel by fixed-point steps from its neighbour's answer, damped
 * where they do not settle (stretches of more than twice).
 */
export function invertRows(start: i32, end: i32, field: usize, dst: usize, nx: i32, ny: i32, nz: i32): void {
  const plane = ((nx * ny * nz) as usize) << 2;
  for (let row = start; row < end; row++) {
    const j = (row % ny) as f32, k = (row / ny) as f32;
    let at = ((row * nx) as usize) << 2;
    let vx: f32 = 0, vy: f32 = 0, vz: f32 = 0;
    for (let i = 0; i < nx; i++, at += 4) {
      for (let turn = 0; turn < 100; turn++) {
        locate((i as f32) + vx, j + vy, k + vz, nx, ny, nz);
        const ex = vx + value(field), ey = vy + value(field + plane), ez = vz + value(field + 2 * plane);
        const step: f32 = turn < 12 ? 1 : turn < 40 ? 0.5 : 0.25;
        vx -= step * ex;
        vy -= step * ey;
        vz -= step * ez;
        if (ex * ex + ey * ey + ez * ez < 1e-8) break;
      }
      const out = dst + at;
      store<f32>(out, vx);
      store<f32>(out + plane, vy);
      store<f32>(out + 2 * plane, vz);
    }
  }
}

/** The field of (id + field) ∘ (id + first). */
export function chainRows(start: i32, end: i32, field: usize, first: usize, dst: usize, nx: i32, ny: i32, nz: i32): void {
  const plane = ((nx * ny * nz) as usize) << 2;
  for (let row = start; row < end; row++) {
    const j = (row % ny) as f32, k = (row / ny) as f32;
    let at = ((row * nx) as usize) << 2;
    for (let i = 0; i < nx; i++, at += 4) {
      const u = first + at;
      const ux = load<f32>(u), uy = load<f32>(u + plane), uz = load<f32>(u + 2 * plane);
      locate((i as f32) + ux, j + uy, k + uz, nx, ny, nz);
      const out = dst + at;
      store<f32>(out, ux + value(field));
      store<f32>(out + plane, uy + value(field + plane));
      store<f32>(out + 2 * plane, uz + value(field + 2 * plane));
    }
  }
}

/** Determinant of the Jacobian of id + field at every voxel, by central differences (one-sided at the border). */
export function jacobianRows(start: i32, end: i32, field: usize, dst: usize, nx: i32, ny: i32, nz: i32): void {
  const plane = ((nx * ny * nz) as usize) << 2;
  for (let row = start; row < end; row++) {
    const j = row % ny, k = row / ny;
    const upY = j + 1 < ny ? (nx as usize) << 2 : 0, downY = j > 0 ? (nx as usize) << 2 : 0;
    const upZ = k + 1 < nz ? ((nx * ny) as usize) << 2 : 0, downZ = k > 0 ? ((nx * ny) as usize) << 2 : 0;
    const perY: f32 = upY > 0 && downY > 0 ? 0.5 : 1, perZ: f32 = upZ > 0 && downZ > 0 ? 0.5 : 1;
    let at = ((row * nx) as usize) << 2;
    for (let i = 0; i < nx; i++, at += 4) {
      const upX: usize = i + 1 < nx ? 4 : 0, downX: usize = i > 0 ? 4 : 0;
      const perX: f32 = upX > 0 && downX > 0 ? 0.5 : 1;
      const a = field + at, b = a + plane, c = b + plane;
      const xx = perX * (load<f32>(a + upX) - load<f32>(a - downX)) + 1;
      const xy = perY * (load<f32>(a + upY) - load<f32>(a - downY));
      const xz = perZ * (load<f32>(a + upZ) - load<f32>(a - downZ));
      const yx = perX * (load<f32>(b + upX) - load<f32>(b - downX));
      const yy = perY * (load<f32>(b + upY) - load<f32>(b - downY)) + 1;
      const yz = perZ * (load<f32>(b + upZ) - load<f32>(b - downZ));
      const zx = perX * (load<f32>(c + upX) - load<f32>(c - downX));
      const zy = perY * (load<f32>(c + upY) - load<f32>(c - downY));
      const zz = perZ * (load<f32>(c + upZ) - load<f32>(c - downZ)) + 1;
      store<f32>(dst + at, xx * (yy * zz - yz * zy) - xy * (yx * zz - yz * zx) + xz * (yx * zy - yy * zx));
    }
  }
}
