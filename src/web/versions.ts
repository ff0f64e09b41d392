import { readNiftiMask } from '../formats/nifti.js'
import { type Draft, ServerError, server, type Version } from './api.js'
import type { CaseView } from './case-view.js'
import { choose, say } from './dom.js'
import { knownRater } from './rater.js'

/** The versions of a case: saved, opened, and followed until their reports are made. */
export class Versions {
  /** Those whose reports are waited for, or were. */
  private readonly followed = new Set<string>()

  constructor(private readonly view: CaseView) {}

  /** Saves a version; asks what to do when somebody saved meanwhile. */
  async save(anyway = false): Promise<void> {
    const { view } = this
    const rater = await knownRater()
    if (!rater) return
    try {
      const { id } = await view.waiting('Saving …', () => this.send(rater, anyway))
      await view.reload()
      say(`Saved as ${id}. Volumes, locations and report are being made.`)
      this.followAll()
    } catch (error) {
      if (view.open) await this.notSaved(error as Error)
    }
  }

  private async send(rater: string, anyway: boolean): Promise<Version> {
    const { view } = this
    // A draft on its way must not arrive after the version that makes it needless.
    await view.drafts.keep()
    const { step } = view.drafts
    const about = { ...view.drafts.about(), rater, note: view.panel.note, anyway }
    const version = await server.save(view.id, about, view.editor.mask.data as Uint8Array)
    view.parent = version.id
    view.drafts.wasSaved(step)
    return version
  }

  private async notSaved(error: Error): Promise<void> {
    const { status, body } = error instanceof ServerError ? error : {}
    if (status === 0) {
      this.view.drafts.doubtKept()
      say('The server does not answer: the list of versions will show whether this was saved.', 15)
    } else if (status !== 409) say(`Not saved: ${error.message}`, 15)
    else {
      const answer = await choose(`${error.message}. Your work is not lost.`, {
        anyway: 'Save mine as a further version',
        look: `Look at ${body?.latest?.id ?? 'the other'} first`,
      })
      if (answer === 'anyway') await this.save(true)
      else if (answer === 'look' && body?.latest) await this.open(body.latest.id)
    }
  }

  /** Waits for the reports that are being made, whoever saved the versions. */
  followAll(): void {
    for (const { id, recalculated } of this.view.facts.versions)
      if ((recalculated === 'waiting' || recalculated === 'running') && !this.followed.has(id)) {
        this.followed.add(id)
        void this.follow(id)
      }
  }

  private async follow(id: string): Promise<void> {
    const { view } = this
    while (view.open) {
      const told = await server.version(view.id, id).catch((error: ServerError) => error)
      if (told instanceof Error) {
        // A server that does not answer now may answer later.
        if (told.status !== 0) return view.panel.tellFailure(`${id}: ${told.message}`)
        await pause(5)
        continue
      }
      const { recalculated } = told
      if (typeof recalculated === 'object') view.panel.tellFailure(`${id}: ${recalculated.failed}`)
      if (recalculated !== 'waiting' && recalculated !== 'running') break
      await pause(1)
    }
    if (view.open) await view.reload()
  }

  /** Takes a version to work on; unsaved work is put aside as a draft. */
  async open(id: string): Promise<void> {
    await this.opening(id === 'base' ? 'the result' : id, () => this.take(id))
  }

  /** Goes on with a draft, on the version that it was drawn on. */
  async openDraft(draft: Draft): Promise<void> {
    const { view } = this
    await this.opening('the draft', async () => {
      const mask = await readNiftiMask(new Uint8Array(await server.draftMask(view.id, draft)), 'draft')
      if (!view.open) return
      const other = view.drafts.unsaved || draft.parent !== view.parent
      if (!other || (await this.take(draft.parent))) await view.drafts.resume(draft, mask)
    })
  }

  /** What were done meanwhile would be done to the mask that goes. */
  private async opening(what: string, work: () => Promise<unknown>): Promise<void> {
    const { view } = this
    try {
      await view.waiting(`Opening ${what} …`, work)
    } catch (error) {
      say((error as Error).message, 15)
    }
    if (view.open) await view.reload()
  }

  /** @returns false when unsaved work could not be put aside: the mask stays as it is */
  private async take(id: string): Promise<boolean> {
    const { view } = this
    const [bytes, facts] = await Promise.all([server.mask(view.id, id), server.facts(view.id)])
    const mask = await readNiftiMask(new Uint8Array(bytes), id)
    if (!view.open || !(await view.drafts.putAside())) return false
    view.takeVersion(id, mask, facts)
    return true
  }
}

const pause = (seconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, 1000 * seconds))
