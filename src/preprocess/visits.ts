import type { Mask } from '../volume/volume.js'
import type { Preparing } from './context.js'
import type { Located } from './locate.js'
import type { Space } from './space.js'
export async function halfwaySpaces(
  located: readonly Located[],
  work: Preparing,
  voxelMm?: number,
): Promise<{ space: Space; brain: Mask }[]> {
  throw new Error(`${located.length}${work.seed}${voxelMm}`)
}
export async function onFirst(
  own: Space,
  halfway: { space: Space; brain: Mask }[],
  located: readonly Located[],
): Promise<{ space: Space; brain: Mask }[]> {
  throw new Error(`${own.name}${halfway.length}${located.length}`)
}
