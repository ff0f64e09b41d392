/**
 * Gradient of a similarity of the joint histogram (see parzenHistogram) with respect to the 3 × 4 matrix that maps
 * sample points to voxel indices of the moving image.
 *
 * slope: bins × bins float32, d similarity / d count for each cell of the histogram (fixed × moving)
 * gradients: one block of 12 float64 a chunk, zeroed by the caller: rows of the matrix, each (x, y, z, 1); their sum is
 * the gradient. The other arguments are those of parzenHistogram.
 */
export function parzenGradient(start: i32, end: i32, points: usize, fixedBins: usize, moving: usize, sx: i32, sy: i32, sz: i32, matrix: usize, bins: i32, slope: usize, gradients: usize, chunk: i32): void {
  const out = gradients + ((12 * (start / chunk)) as usize << 3);
  const a0 = load<f64>(matrix), a1 = load<f64>(matrix, 8), a2 = load<f64>(matrix, 16), a3 = load<f64>(matrix, 24);
  const b0 = load<f64>(matrix, 32), b1 = load<f64>(matrix, 40), b2 = load<f64>(matrix, 48), b3 = load<f64>(matrix, 56);
  const c0 = load<f64>(matrix, 64), c1 = load<f64>(matrix, 72), c2 = load<f64>(matrix, 80), c3 = load<f64>(matrix, 88);
  const ex = (sx - 1) as f64, ey = (sy - 1) as f64, ez = (sz - 1) as f64;
  const rowStride = sx, planeStride = sx * sy;
  const r = (rowStride as usize) << 2, s = (planeStride as usize) << 2;
  let gx0: f64 = 0, gx1: f64 = 0, gx2: f64 = 0, gx3: f64 = 0;
  let gy0: f64 = 0, gy1: f64 = 0, gy2: f64 = 0, gy3: f64 = 0;
  let gz0: f64 = 0, gz1: f64 = 0, gz2: f64 = 0, gz3: f64 = 0;
  for (let n = start; n < end; n++) {
    const p = points + ((3 * n) as usize << 2);
    const px = load<f32>(p) as f64, py = load<f32>(p, 4) as f64, pz = load<f32>(p, 8) as f64;
    const x = a0 * px + a1 * py + a2 * pz + a3;
    const y = b0 * px + b1 * py + b2 * pz + b3;
    const z = c0 * px + c1 * py + c2 * pz + c3;
    if (!(x >= 0 && x <= ex && y >= 0 && y <= ey && z >= 0 && z <= ez)) continue;
    const xi = min(x as i32, sx - 2), yi = min(y as i32, sy - 2), zi = min(z as i32, sz - 2);
    const fx = (x - (xi as f64)) as f32, fy = (y - (yi as f64)) as f32, fz = (z - (zi as f64)) as f32;
    const o = moving + ((xi + rowStride * yi + planeStride * zi) as usize << 2);
    const d00 = load<f32>(o, 4) - load<f32>(o), d10 = load<f32>(o + r, 4) - load<f32>(o + r);
    const d01 = load<f32>(o + s, 4) - load<f32>(o + s), d11 = load<f32>(o + r + s, 4) - load<f32>(o + r + s);
    const v00 = load<f32>(o) + fx * d00, v10 = load<f32>(o + r) + fx * d10;
    const v01 = load<f32>(o + s) + fx * d01, v11 = load<f32>(o + r + s) + fx * d11;
    const v0 = v00 + fy * (v10 - v00), v1 = v01 + fy * (v11 - v01);
    const value = v0 + fz * (v1 - v0);
    if (!(value >= 1)) continue;
    const bin = value as i32;
    const f = value - (bin as f32), g: f32 = 1 - f;
    const cell = slope + ((((load<u8>(fixedBins + (n as usize)) as i32) * bins + bin - 1) as usize) << 2);
    const change = 0.5 * (f * f * load<f32>(cell, 12) - g * g * load<f32>(cell)) +
      (1.5 * f * f - 2 * f) * load<f32>(cell, 4) + (2 * g - 1.5 * g * g) * load<f32>(cell, 8);
    const e0 = d00 + fy * (d10 - d00), e1 = d01 + fy * (d11 - d01);
    const gx = (change * (e0 + fz * (e1 - e0))) as f64;
    const gy = (change * ((v10 - v00) + fz * ((v11 - v01) - (v10 - v00)))) as f64;
    const gz = (change * (v1 - v0)) as f64;
    gx0 += gx * px; gx1 += gx * py; gx2 += gx * pz; gx3 += gx;
    gy0 += gy * px; gy1 += gy * py; gy2 += gy * pz; gy3 += gy;
    gz0 += gz * px; gz1 += gz * py; gz2 += gz * pz; gz3 += gz;
  }
  store<f64>(out, gx0); store<f64>(out, gx1, 8); store<f64>(out, gx2, 16); store<f64>(out, gx3, 24);
  store<f64>(out, gy0, 32); store<f64>(out, gy1, 40); store<f64>(out, gy2, 48); store<f64>(out, gy3, 56);
  store<f64>(out, gz0, 64); store<f64>(out, gz1, 72); store<f64>(out, gz2, 80); store<f64>(out, gz3, 88);
}
