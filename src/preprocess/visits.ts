import { compose, invert } from '../volume/affine.js'
import { emptyMask, type Mask } from '../volume/volume.js'
import { contrastName, type Preparing } from './context.js'
import { halfway } from './halfway.js'
import type { Located } from './locate.js'
import { brainIn } from './place.js'
import { registrationCheck, trustworthy } from './register.js'
import { inVoxels, type Space } from './space.js'

/** A visit's place in a common space, with the brain that all visits share there: where one of them has brain. */
export interface Shared {
  space: Space
  brain: Mask
}

/** Weight of the stage, about its seconds. */
export const halfwayWeight = (visits: number): number => 2 * visits * (visits - 1)

/**
 * The halfway space of several visits, found from their anchors inside the brain.
 *
 * @param voxelMm edge of cubic voxels; default: each axis as the finest of the visits
 */
export async function halfwaySpaces(located: readonly Located[], work: Preparing, voxelMm?: number): Promise<Shared[]> {
  const { stages, steps, seed } = work
  const anchors = located.map(({ images, anchor }) => images[anchor]!)
  const masks = located.map(({ brain }) => brain)
  const { value } = await stages.run('Aligning the visits', halfwayWeight(located.length), (progress) =>
    steps.run(
      {
        name: 'align-visits',
        version: 1,
        params: { dof: 6, seed },
        inputs: located.flatMap(({ keys, anchor }) => [keys.images[anchor]!, keys.brain]),
      },
      async () => {
        const { grid, maps } = await halfway(anchors, { masks, seed, signal: stages.signal, progress })
        const trust: Record<string, number> = {}
        for (let i = 1; i < maps.length; i++)
          trust[`1-${i + 1}`] = await registrationCheck(
            anchors[0],
            anchors[i],
            compose(maps[i], invert(maps[0])),
            masks[0],
          )
        return { dims: grid.dims, affine: grid.affine, maps: maps.flat(), trust }
      },
      ({ trust }) => ({ trust }),
    ),
  )
  for (const [pair, check] of Object.entries(value.trust))
    if (!trustworthy(check))
      work.flag({
        code: 'visits-do-not-fit',
        severity: 'serious',
        message: `The ${contrastName(located[0].anchor)} of visits ${pair.replace('-', ' and ')} do not fit each other (check ${check.toFixed(2)}): the registration failed, or they show different people.`,
      })
  const own = { dims: value.dims, affine: value.affine }
  const grid = voxelMm === undefined ? own : inVoxels(own, voxelMm)
  return await shared(
    located,
    located.map((_, i) => ({
      name: 'halfway',
      grid,
      world: grid,
      toAnchor: value.maps.slice(16 * i, 16 * i + 16),
    })),
  )
}

/** All visits in a space of the first one, by way of the halfway space. */
export async function onFirst(own: Space, between: readonly Shared[], located: readonly Located[]): Promise<Shared[]> {
  const toMiddle = invert(between[0].space.toAnchor)
  return await shared(
    located,
    between.map(({ space }, i) =>
      i === 0 ? own : { ...own, toAnchor: compose(space.toAnchor, toMiddle, own.toAnchor) },
    ),
  )
}

async function shared(located: readonly Located[], spaces: readonly Space[]): Promise<Shared[]> {
  const brain = emptyMask(spaces[0].grid)
  for (const [i, visit] of located.entries()) {
    const { data } = await brainIn(visit, spaces[i])
    for (let at = 0; at < data.length; at++) if (data[at] !== 0) brain.data[at] = 1
  }
  return spaces.map((space) => ({ space, brain }))
}
