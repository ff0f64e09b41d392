/**
 * Local normalised cross-correlation of two images on one grid over cubes of (2·radius + 1)³ voxels. The five sums a
 * cube needs (f, m, f², m², f·m) come from running sums along x, y and z, so that their cost does not grow with the
 * radius. Beyond the border images are 0.
 */

/** Running sums along x. Items are rows; `sums` takes five planes of n voxels. */
export function lnccX(start: i32, end: i32, f: usize, m: usize, sums: usize, nx: i32, n: i32, radius: i32): void {
  const plane = (n as usize) << 2;
  for (let row = start; row < end; row++) {
    const base = ((row * nx) as usize) << 2;
    let sf: f64 = 0, sm: f64 = 0, sff: f64 = 0, smm: f64 = 0, sfm: f64 = 0;
    for (let i = -radius; i < nx; i++) {
      const ahead = i + radius, behind = i - radius - 1;
      if (ahead < nx) {
        const a = load<f32>(f + base + ((ahead as usize) << 2)) as f64, b = load<f32>(m + base + ((ahead as usize) << 2)) as f64;
        sf += a;
        sm += b;
        sff += a * a;
        smm += b * b;
        sfm += a * b;
      }
      if (behind >= 0) {
        const a = load<f32>(f + base + ((behind as usize) << 2)) as f64, b = load<f32>(m + base + ((behind as usize) << 2)) as f64;
        sf -= a;
        sm -= b;
        sff -= a * a;
        smm -= b * b;
        sfm -= a * b;
      }
      if (i < 0) continue;
      const out = sums + base + ((i as usize) << 2);
      store<f32>(out, sf as f32);
      store<f32>(out + plane, sm as f32);
      store<f32>(out + 2 * plane, sff as f32);
      store<f32>(out + 3 * plane, smm as f32);
      store<f32>(out + 4 * plane, sfm as f32);
    }
  }
}

/** Running sums along y. Items are planes across z of all five sums. */
export function lnccY(start: i32, end: i32, from: usize, to: usize, nx: i32, ny: i32, radius: i32): void {
  const row = (nx as usize) << 2;
  for (let item = start; item < end; item++) {
    const base = ((item * nx * ny) as usize) << 2;
    running(from + base, to + base, nx, ny, row, radius);
  }
}

/** Running sums along z. Items are planes across y of all five sums. */
export function lnccZ(start: i32, end: i32, from: usize, to: usize, nx: i32, ny: i32, nz: i32, radius: i32): void {
  const slice = ((nx * ny) as usize) << 2;
  for (let item = start; item < end; item++) {
    const base = (((item / ny) * nx * ny * nz + (item % ny) * nx) as usize) << 2;
    running(from + base, to + base, nx, nz, slice, radius);
  }
}

/** Sums over 2·radius + 1 of `count` rows that lie `stride` bytes apart, each from the one before. */
// @ts-ignore: decorator
@inline
function running(from: usize, to: usize, width: i32, count: i32, stride: usize, radius: i32): void {
  const vectors = width & ~3;
  for (let at = 0; at < count; at++) {
    const out = to + (at as usize) * stride;
    const ahead = at + radius, behind = at - radius - 1;
    if (at == 0) {
      for (let i = 0; i < width; i++) {
        const o = (i as usize) << 2;
        let sum: f32 = 0;
        for (let t = 0; t <= min(radius, count - 1); t++) sum += load<f32>(from + (t as usize) * stride + o);
        store<f32>(out + o, sum);
      }
      continue;
    }
    const before = out - stride;
    const added = from + (ahead as usize) * stride, dropped = from + (behind as usize) * stride;
    for (let i = 0; i < width; i += i < vectors ? 4 : 1) {
      const o = (i as usize) << 2;
      if (i < vectors) {
        let sum = v128.load(before + o);
        if (ahead < count) sum = f32x4.add(sum, v128.load(added + o));
        if (behind >= 0) sum = f32x4.sub(sum, v128.load(dropped + o));
        v128.store(out + o, sum);
      } else {
        let sum = load<f32>(before + o);
        if (ahead < count) sum += load<f32>(added + o);
        if (behind >= 0) sum -= load<f32>(dropped + o);
        store<f32>(out + o, sum);
      }
    }
  }
}

/**
 * How either image should move for the correlation to grow. In each cube one image is fitted to the other by a line;
 * the residual r at the middle and the gradient g of the fitted image ask for the displacement r·g / (|g|² + r² + noise)
 * (in the manner of demons; r·g is the gradient of the squared correlation up to a factor, Avants et al. 2008).
 *
 * Items are rows. `sums` are the finished five sums; `weight` is an image or 0; `moveF`, `moveM` take three planes each, in
 * voxels; `totals` takes two float64 a chunk: the sum of the squared correlations and of the voxels that count.
 */
export function lnccForce(start: i32, end: i32, f: usize, m: usize, sums: usize, weight: usize, moveF: usize, moveM: usize, nx: i32, ny: i32, nz: i32, radius: i32, least: f32, totals: usize, chunk: i32): void {
  const plane = ((nx * ny * nz) as usize) << 2;
  const row4 = (nx as usize) << 2, slice4 = ((nx * ny) as usize) << 2;
  const width = 2 * radius + 1;
  const side = width as f32;
  const per: f32 = 1 / (side * side * side);
  let total: f64 = 0, count: f64 = 0;
  for (let row = start; row < end; row++) {
    const j = row % ny, k = row / ny;
    const edge = j == 0 || k == 0 || j == ny - 1 || k == nz - 1;
    let at = ((row * nx) as usize) << 2;
    for (let i = 0; i < nx; i++, at += 4) {
      let fScale: f32 = 0, mScale: f32 = 0, ax: f32 = 0, ay: f32 = 0, az: f32 = 0, bx: f32 = 0, by: f32 = 0, bz: f32 = 0;
      const s = sums + at;
      const meanF = load<f32>(s) * per, meanM = load<f32>(s + plane) * per;
      const varF = load<f32>(s + 2 * plane) * per - meanF * meanF;
      const varM = load<f32>(s + 3 * plane) * per - meanM * meanM;
      const w: f32 = weight == 0 ? 1 : load<f32>(weight + at);
      if (varF > least && varM > least && w > 0 && !edge && i > 0 && i < nx - 1) {
        const cov = load<f32>(s + 4 * plane) * per - meanF * meanM;
        const onF = cov / varF, onM = cov / varM;
        const squared = min<f32>(1, onF * onM);
        total += (w * squared) as f64;
        count += w as f64;
        const df = load<f32>(f + at) - meanF, dm = load<f32>(m + at) - meanM;
        ax = 0.5 * (load<f32>(f + at + 4) - load<f32>(f + at - 4)) * onF;
        ay = 0.5 * (load<f32>(f + at + row4) - load<f32>(f + at - row4)) * onF;
        az = 0.5 * (load<f32>(f + at + slice4) - load<f32>(f + at - slice4)) * onF;
        bx = 0.5 * (load<f32>(m + at + 4) - load<f32>(m + at - 4)) * onM;
        by = 0.5 * (load<f32>(m + at + row4) - load<f32>(m + at - row4)) * onM;
        bz = 0.5 * (load<f32>(m + at + slice4) - load<f32>(m + at - slice4)) * onM;
        const restF = dm - onF * df, restM = df - onM * dm;
        fScale = (w * restF) / (ax * ax + ay * ay + az * az + restF * restF + least);
        mScale = (w * restM) / (bx * bx + by * by + bz * bz + restM * restM + least);
      }
      const a = moveF + at, b = moveM + at;
      store<f32>(a, fScale * ax);
      store<f32>(a + plane, fScale * ay);
      store<f32>(a + 2 * plane, fScale * az);
      store<f32>(b, mScale * bx);
      store<f32>(b + plane, mScale * by);
      store<f32>(b + 2 * plane, mScale * bz);
    }
  }
  const out = totals + (((2 * (start / chunk)) as usize) << 3);
  store<f64>(out, total);
  store<f64>(out, count, 8);
}
