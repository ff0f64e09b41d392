import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dicomLab } from '../../../src/formats/dicom/colour.js'

test('colours as DICOM writes them: white, black, and sRGB red at L* 54.3, a* 80.8, b* 69.9 (D50)', () => {
  const plain = ([l, a, b]: readonly number[]) => [(l * 100) / 65535, (a * 255) / 65535 - 128, (b * 255) / 65535 - 128]
  const near = (rgb: [number, number, number], expected: number[]) => {
    for (const [i, value] of plain(dicomLab(rgb)).entries())
      assert.ok(Math.abs(value - expected[i]) < 0.1, `${rgb}: ${plain(dicomLab(rgb))}`)
  }
  near([255, 255, 255], [100, 0, 0])
  near([0, 0, 0], [0, 0, 0])
  near([255, 0, 0], [54.29, 80.81, 69.89])
})
