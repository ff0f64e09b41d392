import { expNegative1 } from "./exponential";

/**
 * Non-local means (Coupé et al. 2008). Volumes are padded by `pad` voxels on every side (px · py · pz float32, and a few
 * floats more behind). `d` is the patch's half size, 1 or more; mx, my, mz half the search box; `decay` −1/(2βσ²|P|).
 * A voxel is compared when its patch's mean differs by no more than `tolerance`, and its variance by no more than the
 * factor 1/varianceRatio. The voxel itself weighs as much as the best of the others, and `ownLeast` at least. With `noise`
 * (a padded volume of σ²) decay is −1/(2β|P|), to be divided by σ² there, and tolerance is in units of σ.
 */

// @ts-ignore: decorator
@inline
function get(src: usize, index: i32): f32 {
  return load<f32>(src + ((index as usize) << 2));
}

/** Means and variances of the patches around the voxels; items are padded rows. */
export function patchMoments(start: i32, end: i32, image: usize, mean: usize, variance: usize, px: i32, py: i32, pz: i32, d: i32): void {
  const side = 2 * d + 1;
  const inverse: f32 = (1.0 as f32) / ((side * side * side) as f32);
  for (let r = start; r < end; r++) {
    const j = r % py, k = r / py;
    if (j < d || j >= py - d || k < d || k >= pz - d) continue;
    for (let i = d; i < px - d; i += 4) {
      const at = r * px + i;
      const reference = v128.load(image + ((at as usize) << 2));
      let sum = f32x4.splat(0), squares = f32x4.splat(0);
      for (let c = -d; c <= d; c++)
        for (let b = -d; b <= d; b++) {
          let from = image + (((at + (c * py + b) * px - d) as usize) << 2);
          for (let a = 0; a < side; a++, from += 4) {
            // Differences to the centre: squares of large values would cancel badly.
            const v = f32x4.sub(v128.load(from), reference);
            sum = f32x4.add(sum, v);
            squares = f32x4.add(squares, f32x4.mul(v, v));
          }
        }
      const m = f32x4.mul(sum, f32x4.splat(inverse));
      const v = f32x4.max(f32x4.splat(0), f32x4.sub(f32x4.mul(squares, f32x4.splat(inverse)), f32x4.mul(m, m)));
      const full = f32x4.add(reference, m);
      const n = min(4, px - d - i);
      if (n == 4) {
        v128.store(mean + ((at as usize) << 2), full);
        v128.store(variance + ((at as usize) << 2), v);
      } else {
        store<f32>(mean + ((at as usize) << 2), f32x4.extract_lane(full, 0));
        store<f32>(variance + ((at as usize) << 2), f32x4.extract_lane(v, 0));
        if (n > 1) {
          store<f32>(mean + ((at as usize) << 2), f32x4.extract_lane(full, 1), 4);
          store<f32>(variance + ((at as usize) << 2), f32x4.extract_lane(v, 1), 4);
        }
        if (n > 2) {
          store<f32>(mean + ((at as usize) << 2), f32x4.extract_lane(full, 2), 8);
          store<f32>(variance + ((at as usize) << 2), f32x4.extract_lane(v, 2), 8);
        }
      }
    }
  }
}

/** Sum of squared differences of the patches at two addresses. Rows of three or more: four lanes at once. */
// @ts-ignore: decorator
@inline
function apart(a: usize, b: usize, d: i32, row: usize, plane: usize): f32 {
  if (d == 1) {
    const p = a - row - plane - 4, q = b - row - plane - 4;
    let s = squared(p, q), t = squared(p + row, q + row), u = squared(p + 2 * row, q + 2 * row);
    s = f32x4.add(s, squared(p + plane, q + plane));
    t = f32x4.add(t, squared(p + plane + row, q + plane + row));
    u = f32x4.add(u, squared(p + plane + 2 * row, q + plane + 2 * row));
    s = f32x4.add(s, squared(p + 2 * plane, q + 2 * plane));
    t = f32x4.add(t, squared(p + 2 * plane + row, q + 2 * plane + row));
    u = f32x4.add(u, squared(p + 2 * plane + 2 * row, q + 2 * plane + 2 * row));
    s = f32x4.add(f32x4.add(s, t), u);
    return f32x4.extract_lane(s, 0) + f32x4.extract_lane(s, 1) + f32x4.extract_lane(s, 2);
  }
  let sum = f32x4.splat(0);
  let rest: f32 = 0;
  const side = 2 * d + 1;
  for (let c = -d; c <= d; c++)
    for (let r = -d; r <= d; r++) {
      const shift = plane * (c as usize) + row * (r as usize) - ((d as usize) << 2);
      let p = a + shift, q = b + shift;
      let i = 0;
      for (; i + 4 <= side; i += 4, p += 16, q += 16) sum = f32x4.add(sum, squared(p, q));
      for (; i < side; i++, p += 4, q += 4) {
        const v = load<f32>(p) - load<f32>(q);
        rest += v * v;
      }
    }
  return f32x4.extract_lane(sum, 0) + f32x4.extract_lane(sum, 1) + f32x4.extract_lane(sum, 2) + f32x4.extract_lane(sum, 3) + rest;
}

// @ts-ignore: decorator
@inline
function squared(p: usize, q: usize): v128 {
  const v = f32x4.sub(v128.load(p), v128.load(q));
  return f32x4.mul(v, v);
}

/** One bit for each of four voxels whose patch may look alike. */
// @ts-ignore: decorator
@inline
function alike(mean: usize, variance: usize, low: v128, high: v128, least: v128, most: v128): i32 {
  const m = v128.load(mean), v = v128.load(variance);
  return i32x4.bitmask(
    v128.and(v128.and(f32x4.ge(m, low), f32x4.le(m, high)), v128.and(f32x4.ge(v, least), f32x4.le(v, most))),
  );
}

/**
 * Block-wise: blocks of 3³ centred on every second voxel are restored as a whole, and `sum` and `count` gather what
 * overlapping blocks say. Items are the planes of centres 4·item + 2·parity; run parity 0, then 1: the blocks of one run
 * never touch those of another item. Blocks without a voxel of `mask` are left out.
 */
export function nlmBlocks(start: i32, end: i32, image: usize, source: usize, mean: usize, variance: usize, mask: usize, noise: usize, sum: usize, count: usize, px: i32, py: i32, pz: i32, pad: i32, parity: i32, d: i32, mx: i32, my: i32, mz: i32, decay: f32, tolerance: f32, varianceRatio: f32, ownLeast: f32): void {
  const nx = px - 2 * pad, ny = py - 2 * pad, nz = pz - 2 * pad;
  const row = (px as usize) << 2, plane = ((px * py) as usize) << 2;
  for (let item = start; item < end; item++) {
    const k = 4 * item + 2 * parity;
    if (k >= nz) continue;
    const z0 = max(0, k - mz), z1 = min(nz - 1, k + mz);
    for (let j = 0; j < ny; j += 2) {
      const y0 = max(0, j - my), y1 = min(ny - 1, j + my);
      for (let i = 0; i < nx; i += 2) {
        const at = i + pad + px * (j + pad + py * (k + pad));
        if (!touches(mask, at, px, px * py)) continue;
        const centre = (at as usize) << 2;
        const corner = centre - row - plane - 4;
        const v = load<f32>(variance + centre);
        const m = load<f32>(mean + centre);
        const local: f32 = noise ? max<f32>(get(noise, at), 1e-20) : 1;
        const fall = decay / local;
        const slack = tolerance * (noise ? sqrt<f32>(local) : 1);
        const low = f32x4.splat(m - slack), high = f32x4.splat(m + slack);
        const least = f32x4.splat(v * varianceRatio), most = f32x4.splat(v / varianceRatio);
        let a0 = f32x4.splat(0), a1 = a0, a2 = a0, a3 = a0, a4 = a0, a5 = a0, a6 = a0, a7 = a0, a8 = a0;
        let total: f32 = 0, best: f32 = ownLeast;
        const x0 = max(0, i - mx), x1 = min(nx - 1, i + mx);
        // A patch of one value has nothing to be freed of.
        if (v > 0)
          for (let z = z0; z <= z1; z++)
            for (let y = y0; y <= y1; y++) {
              const line = pad + px * (y + pad + py * (z + pad));
              for (let x = x0; x <= x1; x += 4) {
                const first = ((line + x) as usize) << 2;
                let bits = alike(mean + first, variance + first, low, high, least, most);
                if (x1 - x < 3) bits &= (1 << (x1 - x + 1)) - 1;
                while (bits != 0) {
                  const other = first + ((ctz(bits) as usize) << 2);
                  bits &= bits - 1;
                  if (other == centre) continue;
                  const w = expNegative1(apart(image + centre, image + other, d, row, plane) * fall);
                  best = max(best, w);
                  total += w;
                  const s = source + other - row - plane - 4;
                  const f = f32x4.splat(w);
                  a0 = f32x4.add(a0, f32x4.mul(f, v128.load(s)));
                  a1 = f32x4.add(a1, f32x4.mul(f, v128.load(s + row)));
                  a2 = f32x4.add(a2, f32x4.mul(f, v128.load(s + 2 * row)));
                  a3 = f32x4.add(a3, f32x4.mul(f, v128.load(s + plane)));
                  a4 = f32x4.add(a4, f32x4.mul(f, v128.load(s + plane + row)));
                  a5 = f32x4.add(a5, f32x4.mul(f, v128.load(s + plane + 2 * row)));
                  a6 = f32x4.add(a6, f32x4.mul(f, v128.load(s + 2 * plane)));
                  a7 = f32x4.add(a7, f32x4.mul(f, v128.load(s + 2 * plane + row)));
                  a8 = f32x4.add(a8, f32x4.mul(f, v128.load(s + 2 * plane + 2 * row)));
                }
              }
            }
        const own = f32x4.splat(best / (total + best));
        const others = f32x4.splat(1 / (total + best));
        const s = source + corner, o = sum + corner, c = count + corner;
        settle(o, c, s, a0, own, others);
        settle(o + row, c + row, s + row, a1, own, others);
        settle(o + 2 * row, c + 2 * row, s + 2 * row, a2, own, others);
        settle(o + plane, c + plane, s + plane, a3, own, others);
        settle(o + plane + row, c + plane + row, s + plane + row, a4, own, others);
        settle(o + plane + 2 * row, c + plane + 2 * row, s + plane + 2 * row, a5, own, others);
        settle(o + 2 * plane, c + 2 * plane, s + 2 * plane, a6, own, others);
        settle(o + 2 * plane + row, c + 2 * plane + row, s + 2 * plane + row, a7, own, others);
        settle(o + 2 * plane + 2 * row, c + 2 * plane + 2 * row, s + 2 * plane + 2 * row, a8, own, others);
      }
    }
  }
}

/** Adds a block's row of three voxels to what was gathered. */
// @ts-ignore: decorator
@inline
function settle(sum: usize, count: usize, source: usize, gathered: v128, own: v128, others: v128): void {
  const three = i32x4(-1, -1, -1, 0);
  const value = f32x4.add(f32x4.mul(gathered, others), f32x4.mul(v128.load(source), own));
  v128.store(sum, f32x4.add(v128.load(sum), v128.and(value, three)));
  v128.store(count, f32x4.add(v128.load(count), f32x4(1, 1, 1, 0)));
}

// @ts-ignore: decorator
@inline
function touches(mask: usize, at: i32, row: i32, plane: i32): bool {
  for (let c = -1; c <= 1; c++)
    for (let b = -1; b <= 1; b++) {
      const p = mask + ((at + c * plane + b * row) as usize);
      if (load<u8>(p - 1) | load<u8>(p) | load<u8>(p + 1)) return true;
    }
  return false;
}

/** Voxel by voxel; `sum` takes the restored value. Items are rows of voxels (padding left out). */
export function nlmVoxels(start: i32, end: i32, image: usize, source: usize, mean: usize, variance: usize, mask: usize, noise: usize, sum: usize, px: i32, py: i32, pz: i32, pad: i32, d: i32, mx: i32, my: i32, mz: i32, decay: f32, tolerance: f32, varianceRatio: f32, ownLeast: f32): void {
  const nx = px - 2 * pad, ny = py - 2 * pad, nz = pz - 2 * pad;
  const row = (px as usize) << 2, plane = ((px * py) as usize) << 2;
  for (let item = start; item < end; item++) {
    const j = item % ny, k = item / ny;
    const z0 = max(0, k - mz), z1 = min(nz - 1, k + mz);
    const y0 = max(0, j - my), y1 = min(ny - 1, j + my);
    for (let i = 0; i < nx; i++) {
      const at = i + pad + px * (j + pad + py * (k + pad));
      if (load<u8>(mask + (at as usize)) == 0) continue;
      const centre = (at as usize) << 2;
      const v = load<f32>(variance + centre);
      const m = load<f32>(mean + centre);
      const local: f32 = noise ? max<f32>(get(noise, at), 1e-20) : 1;
      const fall = decay / local;
      const slack = tolerance * (noise ? sqrt<f32>(local) : 1);
      const low = f32x4.splat(m - slack), high = f32x4.splat(m + slack);
      const least = f32x4.splat(v * varianceRatio), most = f32x4.splat(v / varianceRatio);
      let gathered: f32 = 0, total: f32 = 0, best: f32 = ownLeast;
      const x0 = max(0, i - mx), x1 = min(nx - 1, i + mx);
      if (v > 0)
        for (let z = z0; z <= z1; z++)
          for (let y = y0; y <= y1; y++) {
            const line = pad + px * (y + pad + py * (z + pad));
            for (let x = x0; x <= x1; x += 4) {
              const first = ((line + x) as usize) << 2;
              let bits = alike(mean + first, variance + first, low, high, least, most);
              if (x1 - x < 3) bits &= (1 << (x1 - x + 1)) - 1;
              while (bits != 0) {
                const other = first + ((ctz(bits) as usize) << 2);
                bits &= bits - 1;
                if (other == centre) continue;
                const w = expNegative1(apart(image + centre, image + other, d, row, plane) * fall);
                best = max(best, w);
                total += w;
                gathered += w * load<f32>(source + other);
              }
            }
          }
      const own = load<f32>(source + centre);
      store<f32>(sum + centre, (gathered + best * own) / (total + best));
    }
  }
}

/**
 * Smallest squared distance (mean over the patch) between the patch of each voxel of a grid of every `step`-th voxel and
 * those two voxels or more away within the search box, on `residual` (Manjón et al. 2010). Items are rows of that grid;
 * `out` is dense over it; −1 where `mask` is 0.
 */
export function nlmNoise(start: i32, end: i32, residual: usize, mask: usize, out: usize, px: i32, py: i32, pz: i32, pad: i32, step: i32, gx: i32, gy: i32, mx: i32, my: i32, mz: i32): void {
  const nx = px - 2 * pad, ny = py - 2 * pad, nz = pz - 2 * pad;
  const row = (px as usize) << 2, plane = ((px * py) as usize) << 2;
  for (let item = start; item < end; item++) {
    const j = (item % gy) * step, k = (item / gy) * step;
    for (let g = 0; g < gx; g++) {
      const i = g * step;
      const at = i + pad + px * (j + pad + py * (k + pad));
      const to = out + (((item * gx + g) as usize) << 2);
      if (load<u8>(mask + (at as usize)) == 0) {
        store<f32>(to, -1);
        continue;
      }
      let least: f32 = Infinity;
      for (let z = max(0, k - mz); z <= min(nz - 1, k + mz); z++)
        for (let y = max(0, j - my); y <= min(ny - 1, j + my); y++)
          for (let x = max(0, i - mx); x <= min(nx - 1, i + mx); x++) {
            if (abs(x - i) < 2 && abs(y - j) < 2 && abs(z - k) < 2) continue;
            const other = x + pad + px * (y + pad + py * (z + pad));
            if (load<u8>(mask + (other as usize)) == 0) continue;
            least = min(least, apart(residual + ((at as usize) << 2), residual + ((other as usize) << 2), 1, row, plane));
          }
      store<f32>(to, least < Infinity ? least / 27 : -1);
    }
  }
}
