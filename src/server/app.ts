import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { type Context, Hono } from 'hono'
import { z } from 'zod'
import { InputError, RunError } from '../errors.js'
import { readNiftiMask, writeNifti } from '../formats/nifti.js'
import { findLesions } from '../lesions/instances.js'
import { millilitres } from '../lesions/summary.js'
import { locations } from '../lesions/types.js'
import { hash } from '../run/inputs.js'
import { type Modality, modalities } from '../volume/study.js'
import { type Aligned, alignVisit } from './aligned.js'
import { compareRaters } from './compare.js'
import { ConflictError, Corrections, isRater, type Version } from './corrections.js'
import { bodyWithin, guard, problem } from './guard.js'
import { correctionsName, factsOf, type OpenedCase, segmentFiles } from './opened.js'
import type { Recalculation } from './recalculate.js'
import { Recent } from './recent.js'
import { ReviewStatus, reviewStates } from './review.js'
import { thumbnail } from './thumbnail.js'
import { type CaseGrid, caseGrid, fileForPage, imageForPage, maskForPage, maskFromPage } from './volumes.js'

export interface WorkbenchOptions {
  cases: ReadonlyMap<string, OpenedCase>
  token: string
  recalculation: Recalculation
  /** The server ends. */
  ending: AbortSignal
  /** The page's files by name: `index.html`, `app.js`, `app.css`. */
  page(name: string): Promise<Uint8Array | undefined>
}

/** Images made ready for the page: a 1 mm scan takes 15 MB. */
const keptImages = 6
const keptThumbnails = 5000
const keptVisits = 2
/** A corrected mask of the largest head scan, gzipped, is far below this. */
const largestBody = 64 * 2 ** 20

const step = z.string().max(200)
const parentId = z.string().max(60)
const sentVersion = z.strictObject({
  rater: z.string().refine(isRater, 'letters and digits only, 32 at most'),
  tab: z.string().refine(isRater, 'letters and digits only'),
  parent: parentId,
  steps: z.array(step).max(10_000),
  marks: z
    .array(
      z.strictObject({
        kind: z.enum(['false-positive', 'location']),
        at: z.tuple([z.number(), z.number(), z.number()]),
        location: z.enum(locations as readonly [string, ...string[]]).optional(),
      }),
    )
    .max(10_000)
    .default([]),
  note: z.string().max(2000).default(''),
  anyway: z.boolean().default(false),
})
const sentStatus = z.strictObject({
  status: z.enum(reviewStates),
  rater: z.string().refine(isRater, 'letters and digits only, 32 at most'),
  note: z.string().max(2000).default(''),
})

/** The workbench over HTTP: the page, what it shows, and what it saves. Every address is one of this list. */
export function workbenchApp({ cases, token, recalculation, ending, page }: WorkbenchOptions): Hono {
  const app = new Hono()
  const open = new Map<string, { corrections: Corrections; review: ReviewStatus; grid: () => Promise<CaseGrid> }>()
  const stateOf = (one: OpenedCase) => {
    let state = open.get(one.id)
    if (!state) {
      let grid: Promise<CaseGrid> | undefined
      state = {
        corrections: new Corrections(one.folder),
        review: new ReviewStatus(one.folder),
        grid: () => (grid ??= caseGrid(one.files.mask)),
      }
      open.set(one.id, state)
    }
    return state
  }
  const images = new Recent<Uint8Array>(keptImages)
  const thumbnails = new Recent<Uint8Array>(keptThumbnails)
  const visits = new Recent<Aligned>(keptVisits)
  const image = async (path: string) => await images.get(await stateOfFile(path), () => fileForPage(path))
  /** Bytes of a mask by its version. */
  const maskBytes = async (one: OpenedCase, id: string) =>
    id === 'base' ? await readFile(one.files.mask) : await stateOf(one).corrections.mask(id)
  /** Begins with what the first picture of a case needs, before the page asks for it. */
  const foresee = (one: OpenedCase) => {
    const first = modalities.find((modality) => one.images[modality] !== undefined)
    // What goes wrong is told when the page asks.
    if (first) image(one.images[first]!).catch(() => {})
    stateOf(one)
      .grid()
      .catch(() => {})
  }
  /** Runs an answer for the case that the address names. */
  const forCase =
    (answer: (context: Context, one: OpenedCase) => Promise<Response>) =>
    async (context: Context): Promise<Response> => {
      const one = cases.get(context.req.param('case') ?? '')
      return one ? await answer(context, one) : problem(context, 404, 'There is no such case.')
    }

  app.use(guard({ token, largestBody }))
  app.onError((error, context) =>
    error instanceof InputError
      ? problem(context, 422, error.message)
      : error instanceof RunError
        ? problem(context, 507, error.message)
        : problem(context, 500, 'The server failed on this request.'),
  )
  app.notFound((context) => problem(context, 404, 'There is nothing at this address.'))

  for (const [path, name, type] of [
    ['/', 'index.html', 'text/html; charset=utf-8'],
    ['/app.js', 'app.js', 'text/javascript; charset=utf-8'],
    ['/app.css', 'app.css', 'text/css; charset=utf-8'],
  ])
    app.get(path, async (context) => {
      const bytes = await page(name)
      return bytes ? context.body(new Uint8Array(bytes), 200, { 'content-type': type }) : context.notFound()
    })

  app.get('/api/cases', async (context) =>
    context.json(
      await Promise.all(
        [...cases.values()].map(async (one) => {
          const { corrections, review } = stateOf(one)
          try {
            const { summary, method, finished } = await factsOf(one.folder)
            const versions = await corrections.versions()
            return {
              id: one.id,
              lesionCount: summary.lesionCount,
              lesionVolumeMl: summary.lesionVolumeMl,
              flags: summary.flags,
              method,
              finished,
              hasFlair: one.images.flair !== undefined,
              versions: versions.length,
              latest: versions.at(-1),
              review: (await review.read()).status,
            }
          } catch (error) {
            return { id: one.id, error: (error as Error).message }
          }
        }),
      ),
    ),
  )

  app.get(
    '/api/cases/:case',
    forCase(async (context, one) => {
      foresee(one)
      const { corrections, review } = stateOf(one)
      const facts = await factsOf(one.folder)
      return context.json({
        id: one.id,
        images: modalities.filter((modality) => one.images[modality] !== undefined),
        maps: await mapsOf(one),
        ...facts,
        versions: (await corrections.versions()).map((version) => ({
          ...version,
          recalculated: recalculation.state(one, version.id),
        })),
        drafts: await corrections.drafts(),
        review: await review.read(),
      })
    }),
  )

  app.get(
    '/api/cases/:case/image/:name',
    forCase(async (context, one) => {
      const name = context.req.param('name') ?? ''
      const path = isMap(name) ? one.files[name] : one.images[name as Modality]
      if (path === undefined) return problem(context, 404, `The ${name} image is not known.`)
      return volume(context, await image(path))
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
    forCase(async (context, one) => volume(context, await fileForPage(one.files.instances))),
  )

  app.get(
    '/api/cases/:case/draft/:rater/:tab',
    forCase(async (context, one) => {
      const { corrections, grid } = stateOf(one)
      const { rater = '', tab = '' } = context.req.param()
      const bytes = await corrections.draftMask({ rater, tab })
      if (!bytes) return problem(context, 404, 'There is no such draft.')
      return volume(context, await maskForPage(await readNiftiMask(bytes, 'draft'), 'draft', await grid()))
    }),
  )

  app.put(
    '/api/cases/:case/draft',
    forCase(async (context, one) => {
      const { corrections, grid } = stateOf(one)
      const sent = await sentMask(context, await grid())
      if (sent instanceof Response) return sent
      const { rater, tab, parent, steps } = sent.about
      await corrections.keepDraft({ rater, tab, parent, steps }, await writeNifti(sent.mask, { level: 1 }))
      return context.json({ kept: true })
    }),
  )

  app.post(
    '/api/cases/:case/versions',
    forCase(async (context, one) => {
      const { corrections, grid } = stateOf(one)
      const { header } = await grid()
      const sent = await sentMask(context, await grid())
      if (sent instanceof Response) return sent
      const { tab, anyway, ...about } = sent.about
      const known = (await corrections.versions()).some(({ id }) => id === about.parent)
      if (about.parent !== 'base' && !known) return problem(context, 400, 'The version that this was drawn on is gone.')
      const { lesions } = findLesions(sent.mask, { minimumSizeMm3: 0, minimumVoxels: 1 })
      const bytes = await writeNifti(sent.mask, { like: header })
      try {
        const version: Version = await corrections.save(
          {
            ...about,
            lesionCount: lesions.length,
            lesionVolumeMl: Number(millilitres(lesions).toFixed(4)),
            sha256: hash(bytes),
          },
          bytes,
          { anyway },
        )
        await corrections.dropDraft({ rater: about.rater, tab })
        recalculation.start(one, version.id)
        return context.json(version, 201)
      } catch (error) {
        if (error instanceof ConflictError) return problem(context, 409, error.message, { latest: error.latest })
        throw error
      }
    }),
  )

  app.get(
    '/api/cases/:case/versions/:version',
    forCase(async (context, one) => {
      const id = context.req.param('version') ?? ''
      const version = (await stateOf(one).corrections.versions()).find((v) => v.id === id)
      if (!version) return problem(context, 404, 'There is no such version.')
      const facts = await factsOf(join(one.folder, correctionsName, id)).catch(() => undefined)
      const state = recalculation.state(one, id) ?? (facts ? 'done' : undefined)
      return context.json({ ...version, recalculated: state, ...(state === 'done' ? facts : {}) })
    }),
  )

  app.get(
    '/api/cases/:case/report/:version',
    forCase(async (context, one) => {
      const id = context.req.param('version') ?? ''
      const known = id === 'base' || (await stateOf(one).corrections.versions()).some((v) => v.id === id)
      const files = id === 'base' ? one.files : segmentFiles(join(one.folder, correctionsName, id))
      const html = known ? await readFile(files.report).catch(() => undefined) : undefined
      if (!html) return problem(context, 404, 'There is no report of this version (yet).')
      return context.body(new Uint8Array(html), 200, { 'content-type': 'text/html; charset=utf-8' })
    }),
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
        const bytes = (await maskBytes(other, newest)) ?? (await readFile(other.files.mask))
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

  app.get(
    '/api/cases/:case/compare',
    forCase(async (context, one) => {
      const { corrections, grid } = stateOf(one)
      return context.json(await compareRaters(one, corrections, (await grid()).native))
    }),
  )

  app.put(
    '/api/cases/:case/review',
    forCase(async (context, one) => {
      const bytes = await bodyWithin(context.req.raw, 10_000)
      const parsed = sentStatus.safeParse(bytes && json(bytes))
      if (!parsed.success) return problem(context, 400, z.prettifyError(parsed.error))
      return context.json(await stateOf(one).review.set(parsed.data))
    }),
  )
  const [only] = cases.values()
  if (cases.size === 1) foresee(only)
  return app
}

const maps = ['probability', 'uncertainty'] as const
const isMap = (name: string): name is (typeof maps)[number] => (maps as readonly string[]).includes(name)

async function mapsOf({ files }: OpenedCase): Promise<string[]> {
  const there = await Promise.all(
    maps.map((name) =>
      stat(files[name]).then(
        () => name,
        () => undefined,
      ),
    ),
  )
  return there.filter((name) => name !== undefined)
}

const volume = (context: Context, bytes: Uint8Array): Response =>
  context.body(new Uint8Array(bytes), 200, { 'content-type': 'application/octet-stream' })

/** A body of four bytes (little-endian: how long the JSON is), JSON, and the mask's gzipped bytes. */
async function sentMask(context: Context, grid: CaseGrid) {
  const bytes = await bodyWithin(context.req.raw, largestBody)
  if (!bytes) return problem(context, 413, `The body is larger than ${largestBody} bytes.`)
  const length = bytes.length < 4 ? Number.NaN : new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true)
  if (!(length <= bytes.length - 4)) return problem(context, 400, 'The body is cut short.')
  const parsed = sentVersion.safeParse(json(bytes.subarray(4, 4 + length)))
  if (!parsed.success) return problem(context, 400, z.prettifyError(parsed.error))
  const mask = await maskFromPage(bytes.subarray(4 + length), grid)
  if (!mask) return problem(context, 400, 'The mask does not have one byte for each voxel.')
  return { about: parsed.data, mask }
}

/** Changes when the file does. */
async function stateOfFile(path: string): Promise<string> {
  const { mtimeMs, size } = await stat(path)
  return `${path} ${mtimeMs} ${size}`
}

function json(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes))
  } catch {
    return undefined
  }
}
