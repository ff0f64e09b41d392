import { join } from 'node:path'
import type { Context, Hono } from 'hono'
import { z } from 'zod'
import { jsonOf } from '../formats/json.js'
import { readNiftiMask, writeNifti } from '../formats/nifti.js'
import { findLesions } from '../lesions/instances.js'
import { millilitres } from '../lesions/summary.js'
import { hash } from '../run/inputs.js'
import { ResultFolder } from '../run/result-files.js'
import type { WorkbenchOptions } from './app.js'
import { type CaseState, volume } from './case-state.js'
import { ConflictError, isRater, mark, type Version } from './corrections.js'
import { bodyWithin, misfits, problem } from './guard.js'
import { correctionsName, factsOf } from './opened.js'
import { type CaseGrid, maskForPage, maskFromPage } from './volumes.js'

/** A corrected mask of the largest head scan, gzipped, is far below this. */
export const largestBody = 64 * 2 ** 20

const step = z.string().max(200)
const parentId = z.string().max(60)
const sentVersion = z.strictObject({
  rater: z.string().refine(isRater, 'letters and digits only, 32 at most'),
  tab: z.string().refine(isRater, 'letters and digits only'),
  parent: parentId,
  steps: z.array(step).max(10_000),
  marks: z.array(z.strictObject(mark.shape)).max(10_000).default([]),
  note: z.string().max(2000).default(''),
  anyway: z.boolean().default(false),
})

/** What is saved: drafts and versions, and what was made of them. */
export function versionRoutes(
  app: Hono,
  { recalculation }: Pick<WorkbenchOptions, 'recalculation'>,
  { of: stateOf, forCase }: CaseState,
): void {
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
      const { rater, tab, parent, steps, marks } = sent.about
      await corrections.keepDraft({ rater, tab, parent, steps, marks }, await writeNifti(sent.mask, { level: 1 }))
      return context.json({ kept: true })
    }),
  )

  app.delete(
    '/api/cases/:case/draft/:tab',
    forCase(async (context, one) => {
      await stateOf(one).corrections.dropDraft(context.req.param('tab') ?? '')
      return context.json({ dropped: true })
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
        await corrections.dropDraft(tab)
        recalculation.start(one, version)
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
      const facts = await factsOf(await ResultFolder.open(join(one.folder, correctionsName, id))).catch(() => undefined)
      const state = recalculation.state(one, id) ?? (facts ? 'done' : undefined)
      return context.json({ ...version, recalculated: state, ...(state === 'done' ? facts : {}) })
    }),
  )

  app.get(
    '/api/cases/:case/report/:version',
    forCase(async (context, one) => {
      const id = context.req.param('version') ?? ''
      const known = id === 'base' || (await stateOf(one).corrections.versions()).some((v) => v.id === id)
      const files = id === 'base' ? one.files : await ResultFolder.open(join(one.folder, correctionsName, id))
      const html = known ? await files.optional('report.html') : undefined
      if (!html) return problem(context, 404, 'There is no report of this version (yet).')
      return context.body(new Uint8Array(html), 200, { 'content-type': 'text/html; charset=utf-8' })
    }),
  )
}

/** A body of four bytes (little-endian: how long the JSON is), JSON, and the mask's gzipped bytes. */
async function sentMask(context: Context, grid: CaseGrid) {
  const bytes = await bodyWithin(context.req.raw, largestBody)
  if (!bytes) return problem(context, 413, `The body is larger than ${largestBody} bytes.`)
  const length = bytes.length < 4 ? Number.NaN : new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true)
  if (!(length <= bytes.length - 4)) return problem(context, 400, 'The body is cut short.')
  const parsed = sentVersion.safeParse(jsonOf(bytes.subarray(4, 4 + length), z.unknown()))
  if (!parsed.success) return problem(context, 400, misfits(parsed.error))
  const mask = await maskFromPage(bytes.subarray(4 + length), grid)
  if (!mask) return problem(context, 400, 'The mask does not have one byte for each voxel.')
  return { about: parsed.data, mask }
}
