/**
 * Resampling through an affine map of voxel indices. Items are output rows along x. `matrix` holds 12 float64 values,
 * row-major 3×4: source index = M · (i, j, k, 1). Output voxels whose source lies more than half a voxel beyond the
 * outer voxel centres take `outside`; nearer ones repeat the border's voxel.
 */

// @ts-ignore: decorator
@inline
export function beyond(x: f64, n: i32): bool {
  return !(x >= -0.5 && x <= (n as f64) - 0.5);
}

// @ts-ignore: decorator
@inline
function held(x: f64, n: i32): f64 {
  return max<f64>(0, min<f64>(x, (n - 1) as f64));
}

// @ts-ignore: decorator
@inline
function at(src: usize, index: i32): f32 {
  return load<f32>(src + ((index as usize) << 2));
}

// @ts-ignore: decorator
@inline
function m(matrix: usize, entry: i32): f64 {
  return load<f64>(matrix + ((entry as usize) << 3));
}

// @ts-ignore: decorator
@inline
export function nearestAt(src: usize, sx: i32, sy: i32, sz: i32, x: f64, y: f64, z: f64): f32 {
  const xi = floor(held(x, sx) + 0.5) as i32, yi = floor(held(y, sy) + 0.5) as i32, zi = floor(held(z, sz) + 0.5) as i32;
  return at(src, xi + sx * (yi + sy * zi));
}

// @ts-ignore: decorator
@inline
export function linearAt(src: usize, sx: i32, sy: i32, sz: i32, x: f64, y: f64, z: f64): f32 {
  const hx = held(x, sx), hy = held(y, sy), hz = held(z, sz);
  const xi = hx as i32, yi = hy as i32, zi = hz as i32;
  const fx = (hx - (xi as f64)) as f32, fy = (hy - (yi as f64)) as f32, fz = (hz - (zi as f64)) as f32;
  const dx = xi + 1 < sx ? 1 : 0, dy = yi + 1 < sy ? sx : 0, dz = zi + 1 < sz ? sx * sy : 0;
  const o = xi + sx * (yi + sy * zi);
  const a = at(src, o) + fx * (at(src, o + dx) - at(src, o));
  const b = at(src, o + dy) + fx * (at(src, o + dy + dx) - at(src, o + dy));
  const c = at(src, o + dz) + fx * (at(src, o + dz + dx) - at(src, o + dz));
  const d = at(src, o + dz + dy) + fx * (at(src, o + dz + dy + dx) - at(src, o + dz + dy));
  const e = a + fy * (b - a), f = c + fy * (d - c);
  return e + fz * (f - e);
}

/** Cubic B-spline; `src` holds coefficients (see prefilter). Four taps along x at once. */
// @ts-ignore: decorator
@inline
export function cubicAt(src: usize, sx: i32, sy: i32, sz: i32, x: f64, y: f64, z: f64): f32 {
  const hx = held(x, sx), hy = held(y, sy), hz = held(z, sz);
  const xi = hx as i32, yi = hy as i32, zi = hz as i32;
  const fx = (hx - (xi as f64)) as f32, fy = (hy - (yi as f64)) as f32, fz = (hz - (zi as f64)) as f32;
  const wx = f32x4(w0(fx), w1(fx), w1(1 - fx), w0(1 - fx));
  const inside = xi >= 1 && xi + 2 < sx;
  let sum = f32x4.splat(0);
  for (let c = 0; c < 4; c++) {
    const wz = weight(c, fz);
    const plane = sx * sy * mirrored(zi - 1 + c, sz);
    for (let b = 0; b < 4; b++) {
      const w = wz * weight(b, fy);
      const line = plane + sx * mirrored(yi - 1 + b, sy);
      const taps = inside
        ? v128.load(src + (((line + xi - 1) as usize) << 2))
        : f32x4(
            at(src, line + mirrored(xi - 1, sx)),
            at(src, line + mirrored(xi, sx)),
            at(src, line + mirrored(xi + 1, sx)),
            at(src, line + mirrored(xi + 2, sx)),
          );
      sum = f32x4.add(sum, f32x4.mul(f32x4.splat(w), taps));
    }
  }
  sum = f32x4.mul(sum, wx);
  return f32x4.extract_lane(sum, 0) + f32x4.extract_lane(sum, 1) + f32x4.extract_lane(sum, 2) + f32x4.extract_lane(sum, 3);
}

export function resampleNearest(start: i32, end: i32, src: usize, sx: i32, sy: i32, sz: i32, dst: usize, nx: i32, ny: i32, matrix: usize, outside: f32): void {
  for (let row = start; row < end; row++) {
    const j = (row % ny) as f64, k = (row / ny) as f64;
    const x0 = m(matrix, 1) * j + m(matrix, 2) * k + m(matrix, 3);
    const y0 = m(matrix, 5) * j + m(matrix, 6) * k + m(matrix, 7);
    const z0 = m(matrix, 9) * j + m(matrix, 10) * k + m(matrix, 11);
    const ax = m(matrix, 0), ay = m(matrix, 4), az = m(matrix, 8);
    let out = dst + (((row * nx) as usize) << 2);
    for (let i = 0; i < nx; i++, out += 4) {
      const x = x0 + ax * (i as f64), y = y0 + ay * (i as f64), z = z0 + az * (i as f64);
      if (beyond(x, sx) || beyond(y, sy) || beyond(z, sz)) {
        store<f32>(out, outside);
        continue;
      }
      store<f32>(out, nearestAt(src, sx, sy, sz, x, y, z));
    }
  }
}

export function resampleLinear(start: i32, end: i32, src: usize, sx: i32, sy: i32, sz: i32, dst: usize, nx: i32, ny: i32, matrix: usize, outside: f32): void {
  for (let row = start; row < end; row++) {
    const j = (row % ny) as f64, k = (row / ny) as f64;
    const x0 = m(matrix, 1) * j + m(matrix, 2) * k + m(matrix, 3);
    const y0 = m(matrix, 5) * j + m(matrix, 6) * k + m(matrix, 7);
    const z0 = m(matrix, 9) * j + m(matrix, 10) * k + m(matrix, 11);
    const ax = m(matrix, 0), ay = m(matrix, 4), az = m(matrix, 8);
    let out = dst + (((row * nx) as usize) << 2);
    for (let i = 0; i < nx; i++, out += 4) {
      const x = x0 + ax * (i as f64), y = y0 + ay * (i as f64), z = z0 + az * (i as f64);
      if (beyond(x, sx) || beyond(y, sy) || beyond(z, sz)) {
        store<f32>(out, outside);
        continue;
      }
      store<f32>(out, linearAt(src, sx, sy, sz, x, y, z));
    }
  }
}

/** Cubic B-spline; `src` holds coefficients. */
export function resampleCubic(start: i32, end: i32, src: usize, sx: i32, sy: i32, sz: i32, dst: usize, nx: i32, ny: i32, matrix: usize, outside: f32): void {
  for (let row = start; row < end; row++) {
    const j = (row % ny) as f64, k = (row / ny) as f64;
    const x0 = m(matrix, 1) * j + m(matrix, 2) * k + m(matrix, 3);
    const y0 = m(matrix, 5) * j + m(matrix, 6) * k + m(matrix, 7);
    const z0 = m(matrix, 9) * j + m(matrix, 10) * k + m(matrix, 11);
    const ax = m(matrix, 0), ay = m(matrix, 4), az = m(matrix, 8);
    let out = dst + (((row * nx) as usize) << 2);
    for (let i = 0; i < nx; i++, out += 4) {
      const x = x0 + ax * (i as f64), y = y0 + ay * (i as f64), z = z0 + az * (i as f64);
      if (beyond(x, sx) || beyond(y, sy) || beyond(z, sz)) {
        store<f32>(out, outside);
        continue;
      }
      store<f32>(out, cubicAt(src, sx, sy, sz, x, y, z));
    }
  }
}

/** Lanczos-windowed sinc of radius 3 (Duchon 1979), weights scaled to sum to 1. */
export function resampleSinc(start: i32, end: i32, src: usize, sx: i32, sy: i32, sz: i32, dst: usize, nx: i32, ny: i32, matrix: usize, outside: f32): void {
  for (let row = start; row < end; row++) {
    const j = (row % ny) as f64, k = (row / ny) as f64;
    for (let i = 0; i < nx; i++) {
      const x = m(matrix, 0) * (i as f64) + m(matrix, 1) * j + m(matrix, 2) * k + m(matrix, 3);
      const y = m(matrix, 4) * (i as f64) + m(matrix, 5) * j + m(matrix, 6) * k + m(matrix, 7);
      const z = m(matrix, 8) * (i as f64) + m(matrix, 9) * j + m(matrix, 10) * k + m(matrix, 11);
      const out = dst + (((row * nx + i) as usize) << 2);
      if (beyond(x, sx) || beyond(y, sy) || beyond(z, sz)) {
        store<f32>(out, outside);
        continue;
      }
      const hx = held(x, sx), hy = held(y, sy), hz = held(z, sz);
      const xi = hx as i32, yi = hy as i32, zi = hz as i32;
      let sum: f64 = 0, total: f64 = 0;
      for (let c = -2; c <= 3; c++) {
        const wz = lanczos(hz - ((zi + c) as f64));
        const plane = sx * sy * mirrored(zi + c, sz);
        for (let b = -2; b <= 3; b++) {
          const wyz = wz * lanczos(hy - ((yi + b) as f64));
          const line = plane + sx * mirrored(yi + b, sy);
          for (let a = -2; a <= 3; a++) {
            const w = wyz * lanczos(hx - ((xi + a) as f64));
            total += w;
            sum += w * (at(src, line + mirrored(xi + a, sx)) as f64);
          }
        }
      }
      store<f32>(out, (sum / total) as f32);
    }
  }
}

// @ts-ignore: decorator
@inline
function lanczos(x: f64): f64 {
  const a = abs(x);
  if (a < 1e-9) return 1;
  if (a >= 3) return 0;
  // sin(πx)·sin(πx/3) with sin(πx) from sin(πx/3): one sine a weight. sin 3θ = 3 sin θ − 4 sin³ θ.
  const s = NativeMath.sin((Math.PI * a) / 3);
  return (3 * s * (3 * s - 4 * s * s * s)) / (Math.PI * Math.PI * a * a);
}

/** Cubic B-spline weights of the outer (w0) and inner (w1) taps at fraction f: (1−f)³/6 and 2/3 − f² + f³/2. */
// @ts-ignore: decorator
@inline
function w0(f: f32): f32 {
  const g: f32 = 1 - f;
  return (g * g * g) / 6;
}

// @ts-ignore: decorator
@inline
function w1(f: f32): f32 {
  return (4 - 6 * f * f + 3 * f * f * f) / 6;
}

// @ts-ignore: decorator
@inline
function weight(tap: i32, f: f32): f32 {
  return tap == 0 ? w0(f) : tap == 1 ? w1(f) : tap == 2 ? w1(1 - f) : w0(1 - f);
}

// @ts-ignore: decorator
@inline
function mirrored(x: i32, n: i32): i32 {
  if (n == 1) return 0;
  if (x < 0) x = -x;
  if (x >= n) x = 2 * n - 2 - x;
  return max(0, min(n - 1, x));
}
