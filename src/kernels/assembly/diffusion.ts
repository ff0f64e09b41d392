import { expNegative } from "./exponential";

/**
 * One explicit step of Perona–Malik diffusion from `src` to `dst` (Jacobi: the result does not depend on an order).
 * Rows of `row` float32 (a multiple of 4) hold NaN at columns 0–3 and behind the last voxel; a row and a plane of NaN lie
 * before and after. NaN takes part in no flux and stays NaN. Items are the ny·nz rows of voxels.
 *
 * neighbours: int32 offsets in floats; weights: float32, time step / distance²; conductance 0: e^−(d/κ)², 1: 1 / (1 + (d/κ)²)
 */
export function diffuse(start: i32, end: i32, src: usize, dst: usize, row: i32, ny: i32, neighbours: usize, weights: usize, count: i32, kappa: f32, conductance: i32): void {
  const scale = f32x4.splat(-1 / (kappa * kappa));
  const one = f32x4.splat(1);
  for (let item = start; item < end; item++) {
    const line = (item / ny + 1) * (ny + 2) + (item % ny) + 1;
    const first = ((line * row + 4) as usize) << 2;
    const last = ((line * row + row) as usize) << 2;
    for (let at = first; at < last; at += 16) {
      const centre = v128.load(src + at);
      let sum = f32x4.splat(0);
      for (let n = 0; n < count; n++) {
        const other = v128.load(src + at + (load<i32>(neighbours + ((n as usize) << 2)) << 2));
        const d = f32x4.sub(other, centre);
        const s = f32x4.mul(f32x4.mul(d, d), scale);
        const g = conductance == 0 ? expNegative(s) : f32x4.div(one, f32x4.sub(one, s));
        const flux = f32x4.mul(f32x4.mul(g, d), v128.load32_splat(weights + ((n as usize) << 2)));
        sum = f32x4.add(sum, v128.and(flux, f32x4.eq(d, d)));
      }
      v128.store(dst + at, f32x4.add(centre, sum));
    }
  }
}

// @ts-ignore: decorator
@inline
function get(src: usize, index: i32): f32 {
  return load<f32>(src + ((index as usize) << 2));
}

/**
 * Diffusion tensor of edge-enhancing diffusion (Weickert 1998): along the gradient of the smoothed image `src` the
 * diffusivity 1 − exp(−3.31488 / (|∇|/λ)⁸), across it 1. Items are rows; `tensor` holds xx, yy, zz, xy, xz, yz, each a
 * volume of its own. `hx`, `hy`, `hz`: voxel size in units of the smallest.
 */
export function edgeTensor(start: i32, end: i32, src: usize, tensor: usize, nx: i32, ny: i32, nz: i32, hx: f32, hy: f32, hz: f32, lambda: f32): void {
  const volume = (nx * ny * nz) as usize << 2;
  for (let r = start; r < end; r++) {
    const j = r % ny, k = r / ny;
    const up = j + 1 < ny ? nx : 0, down = j > 0 ? nx : 0;
    const above = k + 1 < nz ? nx * ny : 0, below = k > 0 ? nx * ny : 0;
    for (let i = 0; i < nx; i++) {
      const at = r * nx + i;
      const gx = (get(src, i + 1 < nx ? at + 1 : at) - get(src, i > 0 ? at - 1 : at)) / (2 * hx);
      const gy = (get(src, at + up) - get(src, at - down)) / (2 * hy);
      const gz = (get(src, at + above) - get(src, at - below)) / (2 * hz);
      const squared = gx * gx + gy * gy + gz * gz;
      const s = squared / (lambda * lambda);
      const drop: f32 = s > 1e-4 ? (Mathf.exp((-3.31488 as f32) / (s * s * s * s)) as f32) : 0;
      // D = 1 − drop · n nᵀ
      const f: f32 = squared > 0 ? -drop / squared : 0;
      const o = tensor + ((at as usize) << 2);
      store<f32>(o, 1 + f * gx * gx);
      store<f32>(o + volume, 1 + f * gy * gy);
      store<f32>(o + 2 * volume, 1 + f * gz * gz);
      store<f32>(o + 3 * volume, f * gx * gy);
      store<f32>(o + 4 * volume, f * gx * gz);
      store<f32>(o + 5 * volume, f * gy * gz);
    }
  }
}

/** One explicit step u + Δt · div(D ∇u): fluxes at half points for the axes, central differences for mixed terms; no flux through the border. */
export function edgeStep(start: i32, end: i32, src: usize, dst: usize, tensor: usize, nx: i32, ny: i32, nz: i32, hx: f32, hy: f32, hz: f32, step: f32): void {
  const plane = nx * ny;
  const volume = (plane * nz) as usize << 2;
  for (let r = start; r < end; r++) {
    const j = r % ny, k = r / ny;
    const yp = j + 1 < ny ? nx : 0, ym = j > 0 ? -nx : 0;
    const zp = k + 1 < nz ? plane : 0, zm = k > 0 ? -plane : 0;
    for (let i = 0; i < nx; i++) {
      const at = r * nx + i;
      const xp = i + 1 < nx ? 1 : 0, xm = i > 0 ? -1 : 0;
      const u = get(src, at);
      let sum = straight(src, tensor, at, xp, xm, u) / (hx * hx);
      sum += straight(src, tensor + volume, at, yp, ym, u) / (hy * hy);
      sum += straight(src, tensor + 2 * volume, at, zp, zm, u) / (hz * hz);
      sum += mixed(src, tensor + 3 * volume, at, xp, xm, yp, ym) / (4 * hx * hy);
      sum += mixed(src, tensor + 4 * volume, at, xp, xm, zp, zm) / (4 * hx * hz);
      sum += mixed(src, tensor + 5 * volume, at, yp, ym, zp, zm) / (4 * hy * hz);
      store<f32>(dst + ((at as usize) << 2), u + step * sum);
    }
  }
}

// @ts-ignore: decorator
@inline
function straight(src: usize, d: usize, at: i32, p: i32, m: i32, u: f32): f32 {
  const here = get(d, at);
  return (0.5 as f32) * ((here + get(d, at + p)) * (get(src, at + p) - u) - (here + get(d, at + m)) * (u - get(src, at + m)));
}

/** ∂a(D ∂b u) + ∂b(D ∂a u), times 4. */
// @ts-ignore: decorator
@inline
function mixed(src: usize, d: usize, at: i32, ap: i32, am: i32, bp: i32, bm: i32): f32 {
  const pp = get(src, at + ap + bp), pm = get(src, at + ap + bm), mp = get(src, at + am + bp), mm = get(src, at + am + bm);
  return get(d, at + ap) * (pp - pm) - get(d, at + am) * (mp - mm) + get(d, at + bp) * (pp - mp) - get(d, at + bm) * (pm - mm);
}
