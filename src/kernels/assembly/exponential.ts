/** e^x of four numbers x ≤ 0, to a relative error of 3e-6; below −80 it is e^−80. */
// @ts-ignore: decorator
@inline
export function expNegative(x: v128): v128 {
  const t = f32x4.mul(f32x4.max(x, f32x4.splat(-80)), f32x4.splat(1.4426950408889634));
  const n = f32x4.nearest(t);
  const f = f32x4.sub(t, n);
  // 2^f for |f| ≤ 1/2: the Taylor series up to f⁵.
  let p = f32x4.splat(0.0013333558146428443);
  p = f32x4.add(f32x4.mul(p, f), f32x4.splat(0.009618129107628477));
  p = f32x4.add(f32x4.mul(p, f), f32x4.splat(0.05550410866482158));
  p = f32x4.add(f32x4.mul(p, f), f32x4.splat(0.2402265069591007));
  p = f32x4.add(f32x4.mul(p, f), f32x4.splat(0.6931471805599453));
  p = f32x4.add(f32x4.mul(p, f), f32x4.splat(1));
  const power = i32x4.shl(i32x4.add(i32x4.trunc_sat_f32x4_s(n), i32x4.splat(127)), 23);
  return f32x4.mul(p, power);
}

/** The same of one number. */
// @ts-ignore: decorator
@inline
export function expNegative1(x: f32): f32 {
  const t = max<f32>(x, -80) * (1.4426950408889634 as f32);
  const n = nearest<f32>(t);
  const f = t - n;
  let p: f32 = 0.0013333558146428443;
  p = p * f + (0.009618129107628477 as f32);
  p = p * f + (0.05550410866482158 as f32);
  p = p * f + (0.2402265069591007 as f32);
  p = p * f + (0.6931471805599453 as f32);
  p = p * f + 1;
  return p * reinterpret<f32>(((n as i32) + 127) << 23);
}
