/** Exact squared Euclidean distance, one axis a pass (Felzenszwalb & Huttenlocher 2012). Empty lines stay infinite. */

/** Along x, from a uint8 mask to squared mm: one sweep each way. Items are rows. */
export function distanceX(start: i32, end: i32, mask: usize, dst: usize, nx: i32, spacing: f32): void {
  for (let row = start; row < end; row++) {
    const from = mask + ((row * nx) as usize);
    const to = dst + (((row * nx) as usize) << 2);
    let steps: f32 = f32.POSITIVE_INFINITY;
    for (let i = 0; i < nx; i++) {
      steps = load<u8>(from + (i as usize)) != 0 ? 0 : steps + 1;
      store<f32>(to + ((i as usize) << 2), steps);
    }
    steps = f32.POSITIVE_INFINITY;
    for (let i = nx - 1; i >= 0; i--) {
      steps = load<u8>(from + (i as usize)) != 0 ? 0 : steps + 1;
      const d = min(load<f32>(to + ((i as usize) << 2)), steps) * spacing;
      store<f32>(to + ((i as usize) << 2), d * d);
    }
  }
}

/**
 * Along y or z, in place. Item n is a group of `width` neighbouring lines that starts `groupStride` values further on;
 * a line has `length` values `stride` apart. `scratch` gives each item room for 3·length + 1 float64 values.
 */
export function distanceLines(start: i32, end: i32, data: usize, width: i32, groupStride: i32, length: i32, stride: i32, spacing: f64, scratch: usize, chunk: i32): void {
  const room = scratch + (((start / chunk) * (3 * length + 1)) as usize << 3);
  const vertex = room, from = room + ((length as usize) << 3), values = from + (((length + 1) as usize) << 3);
  const s2 = spacing * spacing;
  for (let group = start; group < end; group++)
    for (let i = 0; i < width; i++) {
      const base = data + (((group * groupStride + i) as usize) << 2);
      const step = (stride as usize) << 2;
      let last = -1;
      for (let q = 0; q < length; q++) {
        const f = load<f32>(base + (q as usize) * step) as f64;
        store<f64>(values + ((q as usize) << 3), f);
        if (f == Infinity) continue;
        let cross: f64 = -Infinity;
        while (last >= 0) {
          const v = load<f64>(vertex + ((last as usize) << 3));
          const g = load<f64>(values + ((v as usize) << 3));
          cross = (f - g + s2 * ((q * q) as f64 - v * v)) / (2 * s2 * ((q as f64) - v));
          if (cross > load<f64>(from + ((last as usize) << 3))) break;
          last--;
          cross = -Infinity;
        }
        last++;
        store<f64>(vertex + ((last as usize) << 3), q as f64);
        store<f64>(from + ((last as usize) << 3), cross);
      }
      if (last < 0) continue;
      store<f64>(from + (((last + 1) as usize) << 3), Infinity);
      let k = 0;
      for (let q = 0; q < length; q++) {
        while (load<f64>(from + (((k + 1) as usize) << 3)) < (q as f64)) k++;
        const v = load<f64>(vertex + ((k as usize) << 3));
        const d = (q as f64) - v;
        store<f32>(base + (q as usize) * step, (load<f64>(values + ((v as usize) << 3)) + s2 * d * d) as f32);
      }
    }
}
