type Triple = readonly [number, number, number]

/** D50, by which DICOM's colours are meant. */
const white: Triple = [0.96422, 1, 0.82521]
/** Linear sRGB → XYZ under D50 (Bradford), rows. */
const toXyz: readonly Triple[] = [
  [0.43607, 0.38515, 0.14307],
  [0.22249, 0.71687, 0.06061],
  [0.01392, 0.09708, 0.7141],
]

/**
 * A display colour as DICOM writes recommended colours: CIELab, L* of 0–100 and a*, b* of −128–127 each spread over
 * 0–65535 (PS3.3 C.10.7.1.1).
 *
 * @param rgb sRGB, 0–255
 */
export function dicomLab(rgb: Triple): [number, number, number] {
  const linear = rgb.map((value) => {
    const v = value / 255
    return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4
  })
  const [fx, fy, fz] = toXyz.map((row, axis) => {
    const t = row.reduce((sum, weight, i) => sum + weight * linear[i], 0) / white[axis]
    return t > (6 / 29) ** 3 ? Math.cbrt(t) : t / (3 * (6 / 29) ** 2) + 4 / 29
  })
  const scaled = (value: number, low: number, range: number) =>
    Math.min(65535, Math.max(0, Math.round(((value - low) * 65535) / range)))
  return [scaled(116 * fy - 16, 0, 100), scaled(500 * (fx - fy), -128, 255), scaled(200 * (fy - fz), -128, 255)]
}
