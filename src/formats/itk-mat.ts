import { InputError } from '../errors.js'
import type { Affine } from '../volume/affine.js'
import { itkTransform } from './itk.js'

/**
 * Reads a linear transform as ANTs writes it (`0GenericAffine.mat`): MATLAB level 4, one matrix named after the transform
 * with its parameters, one named `fixed` with the centre.
 *
 * @returns RAS mm of the fixed image → RAS mm of the moving one
 * @throws InputError when it is something else
 */
export function readItkMat(bytes: Uint8Array, source: string): Affine {
  const matrices = new Map<string, number[]>()
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  for (let at = 0; at + 20 <= bytes.length; ) {
    const [type, rows, columns, imaginary, nameLength] = [0, 1, 2, 3, 4].map((i) => view.getInt32(at + 4 * i, true))
    const size = { 0: 8, 10: 4 }[type]
    const end = at + 20 + nameLength + (size ?? 0) * rows * columns
    if (!size || imaginary !== 0 || !(rows >= 0 && columns >= 0 && nameLength > 0) || end > bytes.length)
      throw new InputError(source, 'is not a .mat file of ANTs', 'give a 0GenericAffine.mat or an ITK text file')
    const name = String.fromCharCode(...bytes.subarray(at + 20, at + 20 + nameLength)).replace(/\0.*$/, '')
    const first = at + 20 + nameLength
    matrices.set(
      name,
      Array.from({ length: rows * columns }, (_, i) =>
        size === 8 ? view.getFloat64(first + 8 * i, true) : view.getFloat32(first + 4 * i, true),
      ),
    )
    at = end
  }
  const [name, parameters] = [...matrices].find(([key]) => key !== 'fixed') ?? []
  if (!name || !parameters)
    throw new InputError(source, 'holds no transform', 'give a 0GenericAffine.mat or an ITK text file')
  return itkTransform(name, parameters, matrices.get('fixed') ?? [], source)
}
