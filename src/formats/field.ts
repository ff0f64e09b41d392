import { InputError } from '../errors.js'
import type { DisplacementField } from '../volume/deformation.js'
import { voxelCount } from '../volume/volume.js'
import { readNiftiVectors } from './nifti.js'
import { writeNifti } from './nifti-write.js'

/**
 * Displacement fields as ITK and ANTs keep them: NIfTI of nx × ny × nz × 1 × 3, intent 1007 (vector), float32, one plane
 * a component, in LPS mm. A point p of the fixed image's space goes to p + displacement; here displacements are RAS mm, so x
 * and y change sign on the way in and out. Affine maps are files of their own (see itk.ts).
 */
export async function writeField(field: DisplacementField, { level }: { level?: number } = {}): Promise<Uint8Array> {
  return await writeNifti({ ...field, data: mirrored(field) }, { level, vectors: true })
}

/**
 * Reads a field in that form, of any numeric type; components that are not finite are 0.
 * @throws InputError when it is not a NIfTI file, or does not hold three components a voxel
 */
export async function readField(bytes: Uint8Array, source: string): Promise<DisplacementField> {
  const { dims, affine, data, components } = await readNiftiVectors(bytes, source)
  if (components !== 3)
    throw new InputError(
      source,
      `holds ${components} component${components === 1 ? '' : 's'} a voxel, and a displacement field has 3`,
      'give a field as ITK and ANTs write it (nx × ny × nz × 1 × 3)',
    )
  return { dims, affine, data: mirrored({ dims, affine, data }) }
}

function mirrored(field: DisplacementField): Float32Array {
  const n = voxelCount(field)
  return field.data.map((value, i) => (i < 2 * n ? 0 - value : value))
}
