/**
 * Resampling through a displacement field between two affine maps. Items are output rows along x. `maps` holds 33
 * float64, row-major: output index (i, j, k, 1) → index on the field's grid (12); → index of the source where the
 * displacement is 0 (12); displacement in mm → source index (9). The field is three planes of float32 mm, linear, and 0
 * beyond its grid; source and `outside` are as for resampling through an affine map.
 */
import { beyond, cubicAt, linearAt, nearestAt } from "./resample";

/** Where `follow` ended. One set for each thread. */
let x: f64 = 0;
let y: f64 = 0;
let z: f64 = 0;

// @ts-ignore: decorator
@inline
function entry(maps: usize, at: i32): f64 {
  return load<f64>(maps + ((at as usize) << 3));
}

// @ts-ignore: decorator
@inline
function row(maps: usize, at: i32, i: f64, j: f64, k: f64): f64 {
  return entry(maps, at) * i + entry(maps, at + 1) * j + entry(maps, at + 2) * k + entry(maps, at + 3);
}

/** Source index of an output voxel, into x, y, z. */
// @ts-ignore: decorator
@inline
function follow(i: f64, j: f64, k: f64, field: usize, gx: i32, gy: i32, gz: i32, maps: usize): void {
  x = row(maps, 12, i, j, k);
  y = row(maps, 16, i, j, k);
  z = row(maps, 20, i, j, k);
  const u = row(maps, 0, i, j, k), v = row(maps, 4, i, j, k), w = row(maps, 8, i, j, k);
  if (beyond(u, gx) || beyond(v, gy) || beyond(w, gz)) return;
  const plane = ((gx * gy * gz) as usize) << 2;
  const dx = linearAt(field, gx, gy, gz, u, v, w) as f64;
  const dy = linearAt(field + plane, gx, gy, gz, u, v, w) as f64;
  const dz = linearAt(field + 2 * plane, gx, gy, gz, u, v, w) as f64;
  x += entry(maps, 24) * dx + entry(maps, 25) * dy + entry(maps, 26) * dz;
  y += entry(maps, 27) * dx + entry(maps, 28) * dy + entry(maps, 29) * dz;
  z += entry(maps, 30) * dx + entry(maps, 31) * dy + entry(maps, 32) * dz;
}

export function deformedNearest(start: i32, end: i32, src: usize, sx: i32, sy: i32, sz: i32, dst: usize, nx: i32, ny: i32, field: usize, gx: i32, gy: i32, gz: i32, maps: usize, outside: f32): void {
  for (let n = start; n < end; n++) {
    let out = dst + (((n * nx) as usize) << 2);
    for (let i = 0; i < nx; i++, out += 4) {
      follow(i as f64, (n % ny) as f64, (n / ny) as f64, field, gx, gy, gz, maps);
      const away = beyond(x, sx) || beyond(y, sy) || beyond(z, sz);
      store<f32>(out, away ? outside : nearestAt(src, sx, sy, sz, x, y, z));
    }
  }
}

export function deformedLinear(start: i32, end: i32, src: usize, sx: i32, sy: i32, sz: i32, dst: usize, nx: i32, ny: i32, field: usize, gx: i32, gy: i32, gz: i32, maps: usize, outside: f32): void {
  for (let n = start; n < end; n++) {
    let out = dst + (((n * nx) as usize) << 2);
    for (let i = 0; i < nx; i++, out += 4) {
      follow(i as f64, (n % ny) as f64, (n / ny) as f64, field, gx, gy, gz, maps);
      const away = beyond(x, sx) || beyond(y, sy) || beyond(z, sz);
      store<f32>(out, away ? outside : linearAt(src, sx, sy, sz, x, y, z));
    }
  }
}

/** `src` holds cubic B-spline coefficients. */
export function deformedCubic(start: i32, end: i32, src: usize, sx: i32, sy: i32, sz: i32, dst: usize, nx: i32, ny: i32, field: usize, gx: i32, gy: i32, gz: i32, maps: usize, outside: f32): void {
  for (let n = start; n < end; n++) {
    let out = dst + (((n * nx) as usize) << 2);
    for (let i = 0; i < nx; i++, out += 4) {
      follow(i as f64, (n % ny) as f64, (n / ny) as f64, field, gx, gy, gz, maps);
      const away = beyond(x, sx) || beyond(y, sy) || beyond(z, sz);
      store<f32>(out, away ? outside : cubicAt(src, sx, sy, sz, x, y, z));
    }
  }
}
