import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { jsonOf } from '../formats/json.js'
import { writeWhole } from '../run/output-file.js'
import { correctionsName } from './opened.js'

export const reviewStates = ['to-review', 'accepted', 'corrected', 'rejected'] as const
export type ReviewState = (typeof reviewStates)[number]

export interface Review {
  status: ReviewState
  /** Every decision, oldest first. */
  history: { status: ReviewState; rater: string; when: string; note: string }[]
}

const state = z.enum(reviewStates)
const review = z.object({
  status: state,
  history: z.array(z.object({ status: state, rater: z.string(), when: z.string(), note: z.string() })),
}) satisfies z.ZodType<Review>

/** What was decided of a result, in `corrections/review.json`. */
export class ReviewStatus {
  private readonly path: string
  private last: Promise<unknown> = Promise.resolve()

  constructor(private readonly result: string) {
    this.path = join(result, correctionsName, 'review.json')
  }

  async read(): Promise<Review> {
    const bytes = await readFile(this.path).catch(() => undefined)
    return jsonOf(bytes, review) ?? { status: 'to-review', history: [] }
  }

  /** @throws RunError when the folder cannot be written */
  async set({ status, rater, note }: { status: ReviewState; rater: string; note: string }): Promise<Review> {
    const work = async () => {
      const { history } = await this.read()
      const now: Review = {
        status,
        history: [...history, { status, rater, when: new Date().toISOString(), note }],
      }
      await mkdir(join(this.result, correctionsName), { recursive: true }).catch(() => {})
      await writeWhole(new Map([[this.path, `${JSON.stringify(now, null, 1)}\n`]]))
      return now
    }
    const result = this.last.then(work, work)
    this.last = result.catch(() => {})
    return await result
  }
}
