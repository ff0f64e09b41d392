import { stat } from 'node:fs/promises'
import type { Context, Hono } from 'hono'
import { InputError } from '../errors.js'
import { readNiftiMask } from '../formats/nifti.js'
import type { Modality } from '../volume/study.js'
import { type Aligned, alignVisit } from './aligned.js'
import type { WorkbenchOptions } from './app.js'
import { type CaseState, volume } from './case-state.js'
import { problem } from './guard.js'
import type { OpenedCase } from './opened.js'
import { Recent } from './recent.js'
import { thumbnail } from './thumbnail.js'
import { fileForPage, imageForPage, maskForPage } from './volumes.js'

const keptThumbnails = 5000
const keptVisits = 2

/** What is looked at: images, masks, maps, another visit, the pictures of the list. */
export function imageRoutes(
  app: Hono,
  { cases, ending }: Pick<WorkbenchOptions, 'cases' | 'ending'>,
  { of: stateOf, image, maskBytes, forCase }: CaseState,
): void {
  const thumbnails = new Recent<Uint8Array>(keptThumbnails)
  const visits = new Recent<Aligned>(keptVisits)

  app.get(
    '/api/cases/:case/image/:name',
    forCase(async (context, one) => {
      const name = context.req.param('name') ?? ''
      const path = isMap(name) ? one.files.path(mapFile(name)) : one.images[name as Modality]
      if (path === undefined) return problem(context, 404, `The ${name} image is not known.`)
      return await readable(context, isMap(name) ? `${name} map` : `${name.toUpperCase()} image`, () => image(path))
    }),
  )

  app.get(
    '/api/cases/:case/mask/:version',
    forCase(async (context, one) => {
      const grid = await stateOf(one).grid()
      const id = context.req.param('version') ?? ''
      if (id === 'base') return volume(context, await maskForPage(grid.native, id, grid))
      const bytes = await maskBytes(one, id)
      if (!bytes) return problem(context, 404, 'There is no such version.')
      return volume(context, await maskForPage(await readNiftiMask(bytes, id), id, grid))
    }),
  )

  app.get(
    '/api/cases/:case/instances',
    forCase((context, one) =>
      readable(context, 'image of single lesions', () => fileForPage(one.files.path('lesion_instances.nii.gz'))),
    ),
  )

  // Another visit on the grid of this one, to see what changed: its FLAIR, and its newest mask.
  app.get(
    '/api/cases/:case/beside/:other/:what',
    forCase(async (context, one) => {
      const other = cases.get(context.req.param('other') ?? '')
      if (!other || other === one) return problem(context, 404, 'There is no such case beside this one.')
      const newest = (await stateOf(other).corrections.versions()).at(-1)?.id ?? 'base'
      const key = [one.id, other.id, newest, one.images.flair, other.images.flair].join('\n')
      const visit = await visits.get(key, async () => {
        const bytes = (await maskBytes(other, newest)) ?? (await other.files.bytes('lesion_mask.nii.gz'))
        return await alignVisit(one, other, bytes, ending)
      })
      const what = context.req.param('what')
      if (what === 'image') return volume(context, await imageForPage(visit.image))
      if (what === 'mask') {
        const grid = await stateOf(one).grid()
        return volume(context, await maskForPage(visit.mask, other.id, grid))
      }
      return what === 'facts'
        ? context.json({ trusted: visit.trusted, version: newest })
        : problem(context, 404, 'There is nothing at this address.')
    }),
  )

  app.get(
    '/api/cases/:case/thumbnail',
    forCase(async (context, one) => {
      const bytes = await thumbnails.get(one.id, () => thumbnail(one))
      return context.body(new Uint8Array(bytes), 200, { 'content-type': 'image/png' })
    }),
  )
}

const maps = ['probability', 'uncertainty'] as const
const isMap = (name: string): name is (typeof maps)[number] => (maps as readonly string[]).includes(name)

const mapFile = (name: string): string => `lesion_${name}.nii.gz`

/** Answers with an image, or says which one cannot be read and why, but not where it lies. */
async function readable(context: Context, what: string, read: () => Promise<Uint8Array>): Promise<Response> {
  try {
    return volume(context, await read())
  } catch (error) {
    const cannot = `The ${what} cannot be read:`
    if (error instanceof InputError) return problem(context, 422, `${cannot} ${error.problem}.`)
    const { code } = error as NodeJS.ErrnoException
    if (code === undefined) throw error
    return code === 'ENOENT' || code === 'ENOTDIR'
      ? problem(context, 404, `${cannot} its file is gone.`)
      : problem(context, 422, `${cannot} its file does not open (${code}).`)
  }
}

/** The maps that a result has. */
export async function mapsOf({ files }: OpenedCase): Promise<string[]> {
  const there = await Promise.all(
    maps.map((name) =>
      stat(files.path(mapFile(name))).then(
        () => name,
        () => undefined,
      ),
    ),
  )
  return there.filter((name) => name !== undefined)
}
