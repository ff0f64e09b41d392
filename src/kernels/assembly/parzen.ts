/**
 * Joint histogram for mutual information (Mattes et al. 2003): the moving image is sampled linearly at mapped points;
 * each sample adds a cubic B-spline window over four bins of the moving axis to the row of its fixed bin.
 *
 * points: n × 3 float32 (x, y, z; any unit that `matrix`, 3×4 float64, maps to moving voxel indices)
 * fixedBins: n uint8, below `bins`; moving: float32, in units of bins, so that values lie in 1 … bins − 3
 * histograms: one bins × bins float32 table a chunk (fixed × moving), zeroed by the caller; the sum of a table is the
 * number of its samples that fell inside the moving image.
 */
export function parzenHistogram(start: i32, end: i32, points: usize, fixedBins: usize, moving: usize, sx: i32, sy: i32, sz: i32, matrix: usize, bins: i32, histograms: usize, chunk: i32): void {
  const table = histograms + (((start / chunk) * bins * bins) as usize << 2);
  const a0 = load<f64>(matrix), a1 = load<f64>(matrix, 8), a2 = load<f64>(matrix, 16), a3 = load<f64>(matrix, 24);
  const b0 = load<f64>(matrix, 32), b1 = load<f64>(matrix, 40), b2 = load<f64>(matrix, 48), b3 = load<f64>(matrix, 56);
  const c0 = load<f64>(matrix, 64), c1 = load<f64>(matrix, 72), c2 = load<f64>(matrix, 80), c3 = load<f64>(matrix, 88);
  const ex = (sx - 1) as f64, ey = (sy - 1) as f64, ez = (sz - 1) as f64;
  const rowStride = sx, planeStride = sx * sy;
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
    const r = (rowStride as usize) << 2, s = (planeStride as usize) << 2;
    const v00 = load<f32>(o) + fx * (load<f32>(o, 4) - load<f32>(o));
    const v10 = load<f32>(o + r) + fx * (load<f32>(o + r, 4) - load<f32>(o + r));
    const v01 = load<f32>(o + s) + fx * (load<f32>(o + s, 4) - load<f32>(o + s));
    const v11 = load<f32>(o + r + s) + fx * (load<f32>(o + r + s, 4) - load<f32>(o + r + s));
    const v0 = v00 + fy * (v10 - v00), v1 = v01 + fy * (v11 - v01);
    const value = v0 + fz * (v1 - v0);
    // Voxels that do not count are NaN.
    if (!(value >= 1)) continue;
    const bin = value as i32;
    const f = value - (bin as f32), g: f32 = 1 - f;
    const cell = table + ((((load<u8>(fixedBins + (n as usize)) as i32) * bins + bin - 1) as usize) << 2);
    const window = f32x4(
      (g * g * g) / 6,
      (4 - 6 * f * f + 3 * f * f * f) / 6,
      (4 - 6 * g * g + 3 * g * g * g) / 6,
      (f * f * f) / 6,
    );
    v128.store(cell, f32x4.add(v128.load(cell), window));
  }
}
