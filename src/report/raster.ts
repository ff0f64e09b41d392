import { encode } from 'fast-png'
import type { Slice } from './view.js'

/** Grey window of a display: intensities at or below `low` are black, at or above `high` white. */
export interface Window {
  readonly low: number
  readonly high: number
}

/** A slice as grey levels 0–255. Voxels that are not numbers are black. */
export function grey({ data }: Slice, { low, high }: Window): Uint8Array {
  const scale = 255 / Math.max(high - low, Number.MIN_VALUE)
  const out = new Uint8Array(data.length)
  for (let i = 0; i < out.length; i++) out[i] = Math.min(255, Math.max(0, Math.round((data[i] - low) * scale) || 0))
  return out
}

/** The mean of each `factor` × `factor` block of pixels: for small pictures of large slices. Rests at the edges are averaged too. */
export function shrink(slice: Slice, factor: number): Slice<Float32Array> {
  const { data, width, height, widthMm, heightMm } = slice
  const [w, h] = [Math.ceil(width / factor), Math.ceil(height / factor)]
  const sum = new Float32Array(w * h)
  const count = new Uint16Array(w * h)
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const at = Math.floor(x / factor) + w * Math.floor(y / factor)
      sum[at] += data[x + width * y]
      count[at]++
    }
  for (let i = 0; i < sum.length; i++) sum[i] /= count[i]
  return {
    data: sum,
    width: w,
    height: h,
    widthMm: (widthMm * w * factor) / width,
    heightMm: (heightMm * h * factor) / height,
  }
}

/** PNG bytes of 8-bit pixels; one channel is grey, three are RGB, four RGBA. */
export const png = (data: Uint8Array, width: number, height: number, channels: 1 | 3 | 4 = 1): Uint8Array =>
  encode({ data, width, height, channels, depth: 8 }, { zlib: { level: 9 } })

/** A `data:` address that holds the bytes themselves. */
export function dataUri(bytes: Uint8Array, type = 'image/png'): string {
  let text = ''
  // In pieces: a function takes only so many arguments.
  for (let at = 0; at < bytes.length; at += 8192) text += String.fromCharCode(...bytes.subarray(at, at + 8192))
  return `data:${type};base64,${btoa(text)}`
}
