import type { Mask } from '../volume/volume.js'
import { type Draft, server } from './api.js'
import type { CaseView } from './case-view.js'
import { h, say, waitingFor } from './dom.js'
import type { Change } from './mask-editor.js'
import { holdDraft, openAmong } from './open-drafts.js'
import { anonymous, raterName } from './rater.js'

/** A draft is kept when the work rests for so long, and after the longest wait though it does not. */
const restSeconds = 4
const longestSeconds = 15

const newTab = (): string => crypto.randomUUID().replaceAll('-', '').slice(0, 16)

/** Unsaved work of a case: kept on the server's disk while one draws, and offered again. */
export class Drafts {
  /** Work that is put aside keeps its name: what is drawn next gets another. */
  private tab = newTab()
  private release = holdDraft(this.tab)
  /** The last step in the saved version, and in the kept draft; undefined for the mask as it was opened. */
  private saved: Change | undefined
  private kept: Change | undefined
  /** The step that brought a draft back, and what had been done in that. */
  private resumed: { step: Change | undefined; steps: readonly string[] } | undefined
  private last: Promise<unknown> = Promise.resolve()
  private timer: ReturnType<typeof setTimeout> | undefined
  private failed = false
  /** When the first change came that waits to be kept. */
  private waitingSince: number | undefined

  constructor(private readonly view: CaseView) {}

  /** Another mask was opened. */
  begin(): void {
    this.wasSaved(undefined)
  }

  /** A version holds the work up to this step; the server has dropped the draft. */
  wasSaved(step: Change | undefined): void {
    this.saved = step
    this.kept = step
    this.view.panel.tellDraft('')
  }

  /** Nobody knows what became of a save: the draft may be gone or not. */
  doubtKept(): void {
    this.kept = this.saved
    this.keepSoon()
  }

  get step(): Change | undefined {
    return this.view.editor?.history.at(-1)
  }
  get unsaved(): boolean {
    return this.step !== this.saved
  }

  /** There is work that is neither in a version nor in a draft yet. */
  get loose(): boolean {
    return this.unsaved && this.step !== this.kept
  }

  /** What the server is told of the work. */
  about() {
    return {
      rater: raterName() ?? anonymous,
      tab: this.tab,
      parent: this.view.parent,
      steps: this.view.editor.history.flatMap((step) =>
        step === this.resumed?.step ? this.resumed.steps : [step.name],
      ),
      marks: this.view.marks.all,
    }
  }

  /** Keeps the draft once the work rests; who draws without a rest does not wait for ever. */
  keepSoon(): void {
    // That one could not be kept stays to be read until one is.
    if (!this.failed) this.view.panel.tellDraft('')
    this.waitingSince ??= performance.now()
    const left = 1000 * longestSeconds - (performance.now() - this.waitingSince)
    clearTimeout(this.timer)
    this.timer = setTimeout(() => void this.keep(), Math.min(1000 * restSeconds, left))
  }

  /** Keeps what changed since the last time. @returns false when it could not be kept */
  keep(): Promise<boolean> {
    const kept = this.last.then(() => this.keepNow())
    this.last = kept
    return kept
  }

  private async keepNow(): Promise<boolean> {
    const { view, step } = this
    clearTimeout(this.timer)
    this.waitingSince = undefined
    if (step === this.kept) return true
    try {
      // Undone as far as the saved version: there is nothing to offer.
      if (this.unsaved) await server.draft(view.id, this.about(), view.editor.mask.data as Uint8Array)
      else await server.dropDraft(view.id, this.tab)
      this.kept = step
      this.failed = false
      view.panel.tellDraft(this.unsaved && !this.loose ? 'Draft kept.' : '')
      return true
    } catch (error) {
      this.failed = true
      view.panel.tellDraft(`The draft could not be kept: ${(error as Error).message}`, true)
      return false
    }
  }

  /** Sees to it that another mask may take the place of this one. @returns false when unsaved work would be lost */
  async putAside(): Promise<boolean> {
    const kept = await this.keep()
    if (!this.unsaved) return true
    if (!kept) {
      say('Your unsaved work could not be kept as a draft, so it stays here.', 15)
      return false
    }
    this.release()
    this.tab = newTab()
    this.release = holdDraft(this.tab)
    say('Your unsaved work is kept as a draft.', 8)
    return true
  }

  /** The case is left: its draft is anybody's. */
  end(): void {
    clearTimeout(this.timer)
    this.release()
  }

  /** Drafts of this rater that are not on the screen, the newest first; of all, while no name is known. */
  get others(): Draft[] {
    const own = [raterName(), anonymous]
    return this.view.facts.drafts.filter(
      ({ tab, rater }) => tab !== this.tab && (own[0] === undefined || own.includes(rater)),
    )
  }

  /** Lists the drafts, to go on with one or to throw some away; one that is open in another tab stays with that tab. */
  async offer(): Promise<void> {
    const { others, view } = this
    if (others.length === 0) return
    const open = await openAmong(others.map(({ tab }) => tab))
    if (!view.open) return
    const dropping: Promise<void>[] = []
    const item = (draft: Draft) => {
      const { rater, tab, saved, parent, steps } = draft
      const drop = () => {
        const gone = server.dropDraft(view.id, tab).then(
          () => row.remove(),
          (error: Error) => say(error.message),
        )
        dropping.push(gone)
      }
      const row = h(
        'li',
        {},
        h('p', {}, `${rater}, ${new Date(saved).toLocaleString()}, on ${parent === 'base' ? 'the result' : parent}`),
        h('p', { class: 'quiet' }, steps.slice(-5).join(', ')),
        ...(open.has(tab)
          ? [h('p', {}, 'Open in another tab: go on with it there, or close that tab first.')]
          : [
              h('button', { class: 'main', value: tab }, 'Go on with it'),
              ' ',
              h('button', { type: 'button', onclick: drop }, 'Throw it away'),
            ]),
      )
      return row
    }
    const dialog = h(
      'dialog',
      {},
      h(
        'form',
        { method: 'dialog' },
        h('h2', {}, 'There is unsaved work.'),
        h('ul', { class: 'plain' }, ...others.map(item)),
        h('p', {}, h('button', { value: '' }, 'Leave it')),
      ),
    )
    document.body.append(dialog)
    dialog.showModal()
    await new Promise((resolve) => dialog.addEventListener('close', resolve))
    dialog.remove()
    // The list that is read next must not hold what is on its way out.
    if (dropping.length > 0) await waitingFor('Throwing away …', () => Promise.all(dropping))
    if (!view.open) return
    const draft = others.find(({ tab }) => tab === dialog.returnValue)
    if (draft) await view.versions.openDraft(draft)
    else await view.reload()
  }

  /** Takes a draft over into this tab. It cannot be undone: a step back too many would throw it away. */
  async resume(draft: Draft, mask: Mask): Promise<void> {
    const { view } = this
    const step = view.act(`draft of ${draft.rater}`, () => view.editor.replace(mask.data), draft.marks)
    view.editor.settle()
    view.bars.fill()
    this.resumed = { step, steps: draft.steps }
    if (await this.keep()) await server.dropDraft(view.id, draft.tab)
  }
}
