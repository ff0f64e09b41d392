import { Hono } from 'hono'
import { z } from 'zod'
import { InputError, RunError } from '../errors.js'
import { jsonOf } from '../formats/json.js'
import { modalities } from '../volume/study.js'
import { caseState } from './case-state.js'
import { compareRaters } from './compare.js'
import { isRater } from './corrections.js'
import { bodyWithin, guard, misfits, problem } from './guard.js'
import { imageRoutes, mapsOf } from './image-routes.js'
import { factsOf, type OpenedCase } from './opened.js'
import type { Recalculation } from './recalculate.js'
import { reviewStates } from './review.js'
import { largestBody, versionRoutes } from './version-routes.js'

export interface WorkbenchOptions {
  cases: ReadonlyMap<string, OpenedCase>
  token: string
  recalculation: Recalculation
  /** The server ends. */
  ending: AbortSignal
  /** The page's files by name: `index.html`, `app.js`, `app.css`. */
  page(name: string): Promise<Uint8Array | undefined>
}

const sentStatus = z.strictObject({
  status: z.enum(reviewStates),
  rater: z.string().refine(isRater, 'letters and digits only, 32 at most'),
  note: z.string().max(2000).default(''),
})

/** The workbench over HTTP: the page, what it shows, and what it saves. Every address is one of this list and of the two beside. */
export function workbenchApp(options: WorkbenchOptions): Hono {
  const { cases, token, recalculation, page } = options
  const app = new Hono()
  const state = caseState(cases)
  const { of: stateOf, foresee, forCase } = state

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
            const { summary, method, finished } = await factsOf(one.files)
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
      const facts = await factsOf(one.files)
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
      const parsed = sentStatus.safeParse(jsonOf(bytes, z.unknown()))
      if (!parsed.success) return problem(context, 400, misfits(parsed.error))
      return context.json(await stateOf(one).review.set(parsed.data))
    }),
  )
  imageRoutes(app, options, state)
  versionRoutes(app, options, state)
  const [only] = cases.values()
  if (cases.size === 1) foresee(only)
  return app
}
