/**
 * Banded matrices along one axis: out[o] = Σ_t weights[o · taps + t] · in[first[o] + t]. `first` is int32, `weights` float32;
 * entries beyond the input have weight 0 and are not read.
 */

/** Along x. Items are rows, `from` values long before and `to` after. */
export function bandX(start: i32, end: i32, src: usize, dst: usize, from: i32, to: i32, first: usize, taps: i32, weights: usize): void {
  for (let row = start; row < end; row++) {
    const line = src + (((row * from) as usize) << 2);
    const out = dst + (((row * to) as usize) << 2);
    for (let o = 0; o < to; o++) {
      const begin = load<i32>(first + ((o as usize) << 2));
      const last = min(taps, from - begin);
      const w = weights + (((o * taps) as usize) << 2);
      let sum: f32 = 0;
      for (let t = max(0, -begin); t < last; t++)
        sum += load<f32>(w + ((t as usize) << 2)) * load<f32>(line + (((begin + t) as usize) << 2));
      store<f32>(out + ((o as usize) << 2), sum);
    }
  }
}

/** Along y or z. Items are lines of `width` values; a block of `from` such lines turns into one of `to`. */
export function bandAcross(start: i32, end: i32, src: usize, dst: usize, width: i32, from: i32, to: i32, first: usize, taps: i32, weights: usize): void {
  const stride = (width as usize) << 2;
  const vectors = width & ~3;
  for (let item = start; item < end; item++) {
    const o = item % to;
    const block = src + (((item / to) * from) as usize) * stride;
    const out = dst + (item as usize) * stride;
    const begin = load<i32>(first + ((o as usize) << 2));
    const low = max(0, -begin), last = min(taps, from - begin);
    const w = weights + (((o * taps) as usize) << 2);
    const lines = block + ((begin + low) as usize) * stride;
    for (let i = 0; i < width; i += i < vectors ? 4 : 1) {
      let at = lines + ((i as usize) << 2);
      if (i < vectors) {
        let sum = f32x4.splat(0);
        for (let t = low; t < last; t++, at += stride)
          sum = f32x4.add(sum, f32x4.mul(v128.load32_splat(w + ((t as usize) << 2)), v128.load(at)));
        v128.store(out + ((i as usize) << 2), sum);
      } else {
        let sum: f32 = 0;
        for (let t = low; t < last; t++, at += stride) sum += load<f32>(w + ((t as usize) << 2)) * load<f32>(at);
        store<f32>(out + ((i as usize) << 2), sum);
      }
    }
  }
}
