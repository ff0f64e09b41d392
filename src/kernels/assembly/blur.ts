/**
 * One pass of a separable symmetric filter along x, y or z. Items are rows along x (ny·nz of them). `weights` holds
 * 2·radius + 1 float32 values; voxels beyond the border repeat the border's voxel.
 */

/** Along x: the inside of a row four voxels at a time, the two ends one by one. */
export function blurX(start: i32, end: i32, src: usize, dst: usize, nx: i32, weights: usize, radius: i32): void {
  const taps = 2 * radius + 1;
  for (let row = start; row < end; row++) {
    const from = src + (((row * nx) as usize) << 2);
    const to = dst + (((row * nx) as usize) << 2);
    let i = 0;
    const inside = min(radius, nx);
    for (; i < inside; i++) store<f32>(to + ((i as usize) << 2), clamped(from, nx, i, weights, radius));
    for (; i + 4 <= nx - radius; i += 4) {
      let sum = f32x4.splat(0);
      let at = from + (((i - radius) as usize) << 2);
      for (let t = 0; t < taps; t++, at += 4) {
        sum = f32x4.add(sum, f32x4.mul(v128.load32_splat(weights + ((t as usize) << 2)), v128.load(at)));
      }
      v128.store(to + ((i as usize) << 2), sum);
    }
    for (; i < nx; i++) store<f32>(to + ((i as usize) << 2), clamped(from, nx, i, weights, radius));
  }
}

// @ts-ignore: decorator
@inline
function clamped(from: usize, nx: i32, i: i32, weights: usize, radius: i32): f32 {
  let sum: f32 = 0;
  for (let t = -radius; t <= radius; t++) {
    const x = max(0, min(nx - 1, i + t));
    sum += load<f32>(weights + (((t + radius) as usize) << 2)) * load<f32>(from + ((x as usize) << 2));
  }
  return sum;
}

export function blurY(start: i32, end: i32, src: usize, dst: usize, nx: i32, ny: i32, weights: usize, radius: i32): void {
  for (let row = start; row < end; row++) {
    const j = row % ny;
    acrossRows(src, dst, nx, row, j, ny, 1, weights, radius);
  }
}

export function blurZ(start: i32, end: i32, src: usize, dst: usize, nx: i32, ny: i32, nz: i32, weights: usize, radius: i32): void {
  for (let row = start; row < end; row++) acrossRows(src, dst, nx, row, row / ny, nz, ny, weights, radius);
}

/** Sums rows `step` apart around row number `row`, which is number `at` of `n` along the filtered axis. */
// @ts-ignore: decorator
@inline
function acrossRows(src: usize, dst: usize, nx: i32, row: i32, at: i32, n: i32, step: i32, weights: usize, radius: i32): void {
  const to = dst + (((row * nx) as usize) << 2);
  let i = 0;
  for (; i + 16 <= nx; i += 16) {
    let a = f32x4.splat(0), b = f32x4.splat(0), c = f32x4.splat(0), d = f32x4.splat(0);
    for (let t = -radius; t <= radius; t++) {
      const other = row + (max(0, min(n - 1, at + t)) - at) * step;
      const from = src + (((other * nx + i) as usize) << 2);
      const w = v128.load32_splat(weights + (((t + radius) as usize) << 2));
      a = f32x4.add(a, f32x4.mul(w, v128.load(from)));
      b = f32x4.add(b, f32x4.mul(w, v128.load(from, 16)));
      c = f32x4.add(c, f32x4.mul(w, v128.load(from, 32)));
      d = f32x4.add(d, f32x4.mul(w, v128.load(from, 48)));
    }
    const out = to + ((i as usize) << 2);
    v128.store(out, a);
    v128.store(out, b, 16);
    v128.store(out, c, 32);
    v128.store(out, d, 48);
  }
  for (; i < nx; i++) {
    let sum: f32 = 0;
    for (let t = -radius; t <= radius; t++) {
      const other = row + (max(0, min(n - 1, at + t)) - at) * step;
      sum += load<f32>(weights + (((t + radius) as usize) << 2)) * load<f32>(src + (((other * nx + i) as usize) << 2));
    }
    store<f32>(to + ((i as usize) << 2), sum);
  }
}
