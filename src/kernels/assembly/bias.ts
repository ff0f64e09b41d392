import { expNegative } from "./exponential";

/**
 * A B-spline field on a grid, and an image divided by its exponential. Items are rows of voxels. `lines` holds for each row
 * the `points` values of its control line; `basis` the weight of each control point at each voxel of a row, `points` rows of
 * `width` float32 (a multiple of 4, at least nx). Fields below −40 or above 40 are cut there. `sums` takes for each row
 * three float64 over the voxels of `mask`: the field, the image, the corrected image.
 */
export function biasApply(start: i32, end: i32, image: usize, mask: usize, log: usize, corrected: usize, lines: usize, basis: usize, points: i32, width: i32, nx: i32, sums: usize): void {
  for (let r = start; r < end; r++) {
    const first = (r * nx) as usize;
    const line = lines + ((r * points) as usize << 2);
    let fields: f64 = 0, before: f64 = 0, after: f64 = 0;
    for (let i = 0; i < nx; i += 4) {
      let field = f32x4.splat(0);
      for (let p = 0; p < points; p++)
        field = f32x4.add(field, f32x4.mul(v128.load32_splat(line + ((p as usize) << 2)), v128.load(basis + (((p * width + i) as usize) << 2))));
      field = f32x4.max(f32x4.splat(-40), f32x4.min(f32x4.splat(40), field));
      // The exponential takes numbers ≤ 0 only.
      const small = expNegative(f32x4.neg(f32x4.abs(field)));
      const factor = v128.bitselect(small, f32x4.div(f32x4.splat(1), small), f32x4.ge(field, f32x4.splat(0)));
      const n = min(4, nx - i);
      for (let lane = 0; lane < n; lane++) {
        const at = first + ((i + lane) as usize);
        const f = pick(field, lane), v = load<f32>(image + (at << 2));
        const c = v * pick(factor, lane);
        store<f32>(log + (at << 2), f);
        store<f32>(corrected + (at << 2), c);
        if (load<u8>(mask + at)) {
          fields += f as f64;
          before += v as f64;
          after += c as f64;
        }
      }
    }
    const to = sums + ((3 * r) as usize << 3);
    store<f64>(to, fields);
    store<f64>(to, before, 8);
    store<f64>(to, after, 16);
  }
}

// @ts-ignore: decorator
@inline
function pick(v: v128, lane: i32): f32 {
  return lane == 0 ? f32x4.extract_lane(v, 0) : lane == 1 ? f32x4.extract_lane(v, 1) : lane == 2 ? f32x4.extract_lane(v, 2) : f32x4.extract_lane(v, 3);
}

/** Takes `mean` off the field and multiplies the image by `scale`; items are values. */
export function biasCentre(start: i32, end: i32, log: usize, corrected: usize, mean: f32, scale: f32): void {
  for (let n = start; n < end; n++) {
    const at = (n as usize) << 2;
    store<f32>(log + at, load<f32>(log + at) - mean);
    store<f32>(corrected + at, load<f32>(corrected + at) * scale);
  }
}
