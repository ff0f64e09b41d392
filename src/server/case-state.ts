import { stat } from 'node:fs/promises'
import type { Context } from 'hono'
import { modalities } from '../volume/study.js'
import { Corrections } from './corrections.js'
import { problem } from './guard.js'
import type { OpenedCase } from './opened.js'
import { Recent } from './recent.js'
import { ReviewStatus } from './review.js'
import { type CaseGrid, caseGrid, fileForPage } from './volumes.js'

/** Images made ready for the page: a 1 mm scan takes 15 MB. */
const keptImages = 6

/** What the routes of the workbench share: the cases, and what was read of them. */
export interface CaseState {
  of(one: OpenedCase): { corrections: Corrections; review: ReviewStatus; grid: () => Promise<CaseGrid> }
  /** An image file as the page reads it. */
  image(path: string): Promise<Uint8Array>
  /** Bytes of a mask by its version. */
  maskBytes(one: OpenedCase, id: string): Promise<Uint8Array | undefined>
  /** Begins with what the first picture of a case needs, before the page asks for it. */
  foresee(one: OpenedCase): void
  /** Runs an answer for the case that the address names. */
  forCase(answer: (context: Context, one: OpenedCase) => Promise<Response>): (context: Context) => Promise<Response>
}

export function caseState(cases: ReadonlyMap<string, OpenedCase>): CaseState {
  const open = new Map<string, ReturnType<CaseState['of']>>()
  const of: CaseState['of'] = (one) => {
    let state = open.get(one.id)
    if (!state) {
      const grid = new Recent<CaseGrid>(1)
      state = {
        corrections: new Corrections(one.folder),
        review: new ReviewStatus(one.folder),
        grid: () => grid.get(one.id, () => caseGrid(one.files.path('lesion_mask.nii.gz'))),
      }
      open.set(one.id, state)
    }
    return state
  }
  const images = new Recent<Uint8Array>(keptImages)
  const image = async (path: string) => await images.get(await stateOfFile(path), () => fileForPage(path))
  return {
    of,
    image,
    async maskBytes(one, id) {
      return id === 'base' ? await one.files.bytes('lesion_mask.nii.gz') : await of(one).corrections.mask(id)
    },
    foresee(one) {
      const first = modalities.find((modality) => one.images[modality] !== undefined)
      // What goes wrong is told when the page asks.
      if (first) image(one.images[first]!).catch(() => {})
      of(one)
        .grid()
        .catch(() => {})
    },
    forCase: (answer) => async (context) => {
      const one = cases.get(context.req.param('case') ?? '')
      return one ? await answer(context, one) : problem(context, 404, 'There is no such case.')
    },
  }
}

export const volume = (context: Context, bytes: Uint8Array): Response =>
  context.body(new Uint8Array(bytes), 200, { 'content-type': 'application/octet-stream' })

/** Changes when the file does. */
async function stateOfFile(path: string): Promise<string> {
  const { mtimeMs, size } = await stat(path)
  return `${path} ${mtimeMs} ${size}`
}
