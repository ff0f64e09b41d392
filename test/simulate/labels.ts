import type { Vec3 } from '../../src/volume/affine.js'
import type { Volume } from '../../src/volume/volume.js'

/** A ball of white matter with a ventricle through it, a rim of grey matter and fluid around: labels 1 CSF, 2 GM, 3 WM. */
export function ballOfLabels(n = 72): Volume<Uint8Array> {
  const dims: Vec3 = [n, n, n]
  const data = new Uint8Array(n ** 3)
  for (let k = 0, at = 0; k < n; k++)
    for (let j = 0; j < n; j++)
      for (let i = 0; i < n; i++, at++) {
        const [x, y, z] = [i - (n - 1) / 2, j - (n - 1) / 2, k - (n - 1) / 2]
        const r = Math.hypot(x, y, z) / n
        if (r < 0.46) data[at] = r > 0.43 ? 1 : r > 0.38 ? 2 : Math.hypot(x, z) < 5 && Math.abs(y) < 16 ? 1 : 3
      }
  // Stored as scanners do: right to left.
  return { dims, affine: [-1, 0, 0, 40, 0, 1, 0, -30, 0, 0, 1, -20, 0, 0, 0, 1], data }
}
