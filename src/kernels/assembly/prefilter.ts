/**
 * Cubic B-spline coefficients of a volume, in place, one axis a pass (Unser, Aldroubi & Eden 1993: a causal and an
 * anti-causal recursion with pole √3 − 2), mirrored at the borders. Along x an item is a row; along y and z an item is
 * a plane of rows, so that the recursion runs over four voxels of neighbouring lines at once.
 */
const POLE: f32 = -0.26794919243112270647;
const GAIN: f32 = 6.0;
/** POLE^HORIZON is below float32's resolution. */
const HORIZON: i32 = 14;

export function prefilterX(start: i32, end: i32, data: usize, nx: i32): void {
  for (let row = start; row < end; row++) line(data + (((row * nx) as usize) << 2), nx, 4);
}

/** Items: planes across z. */
export function prefilterY(start: i32, end: i32, data: usize, nx: i32, ny: i32): void {
  for (let plane = start; plane < end; plane++) lines(data + (((plane * nx * ny) as usize) << 2), nx, ny, (nx as usize) << 2);
}

/** Items: planes across y. */
export function prefilterZ(start: i32, end: i32, data: usize, nx: i32, ny: i32, nz: i32): void {
  for (let j = start; j < end; j++) lines(data + (((j * nx) as usize) << 2), nx, nz, ((nx * ny) as usize) << 2);
}

/** `width` neighbouring lines of n values, `stride` bytes apart along the line. */
// @ts-ignore: decorator
@inline
function lines(base: usize, width: i32, n: i32, stride: usize): void {
  if (n < 2) return;
  const pole = f32x4.splat(POLE);
  const gain = f32x4.splat(GAIN);
  let i = 0;
  for (; i + 4 <= width; i += 4) {
    const at = base + ((i as usize) << 2);
    let sum = f32x4.splat(0);
    let power = f32x4.splat(1);
    for (let k = 0; k < HORIZON; k++) {
      sum = f32x4.add(sum, f32x4.mul(power, v128.load(at + (mirror(k, n) as usize) * stride)));
      power = f32x4.mul(power, pole);
    }
    let previous = f32x4.mul(gain, sum);
    v128.store(at, previous);
    for (let k = 1; k < n; k++) {
      const p = at + (k as usize) * stride;
      previous = f32x4.add(f32x4.mul(gain, v128.load(p)), f32x4.mul(pole, previous));
      v128.store(p, previous);
    }
    const last = at + ((n - 1) as usize) * stride;
    const scale = f32x4.splat(POLE / (POLE * POLE - 1));
    previous = f32x4.mul(scale, f32x4.add(v128.load(last), f32x4.mul(pole, v128.load(last - stride))));
    v128.store(last, previous);
    for (let k = n - 2; k >= 0; k--) {
      const p = at + (k as usize) * stride;
      previous = f32x4.mul(pole, f32x4.sub(previous, v128.load(p)));
      v128.store(p, previous);
    }
  }
  for (; i < width; i++) line(base + ((i as usize) << 2), n, stride);
}

function line(at: usize, n: i32, stride: usize): void {
  if (n < 2) return;
  let sum: f32 = 0;
  let power: f32 = 1;
  for (let k = 0; k < HORIZON; k++) {
    sum += power * load<f32>(at + (mirror(k, n) as usize) * stride);
    power *= POLE;
  }
  let previous: f32 = GAIN * sum;
  store<f32>(at, previous);
  for (let k = 1; k < n; k++) {
    const p = at + (k as usize) * stride;
    previous = GAIN * load<f32>(p) + POLE * previous;
    store<f32>(p, previous);
  }
  const last = at + ((n - 1) as usize) * stride;
  previous = (POLE / (POLE * POLE - 1)) * (load<f32>(last) + POLE * load<f32>(last - stride));
  store<f32>(last, previous);
  for (let k = n - 2; k >= 0; k--) {
    const p = at + (k as usize) * stride;
    previous = POLE * (previous - load<f32>(p));
    store<f32>(p, previous);
  }
}

/** Index of sample k of the signal mirrored about its end samples. */
// @ts-ignore: decorator
@inline
function mirror(k: i32, n: i32): i32 {
  const period = 2 * n - 2;
  const m = k % period;
  return m < n ? m : period - m;
}
