import { server } from './api.js'
import type { CaseView } from './case-view.js'
import { reviewNames } from './cohort-view.js'
import { h, refill, say, waitingFor } from './dom.js'
import { knownRater } from './rater.js'

/** The result and its corrected versions, how the raters agree, and what was decided. */
export class VersionsPanel {
  private readonly versions = h('section')
  private readonly list = h('ul', { class: 'plain' })
  private readonly review = h('section')
  readonly element = h('div', {}, this.versions, this.review)
  private readonly noteField = h('input', {
    placeholder: 'Note for the next save',
    'aria-label': 'Note for the next save',
    style: 'width:100%',
  })
  private readonly noteLine = h('p', {}, this.noteField)

  constructor(private readonly view: CaseView) {}

  get note(): string {
    return this.noteField.value
  }

  fill(): void {
    this.fillVersions()
    this.fillReview()
  }

  private fillVersions(): void {
    const { versions } = this.view.facts
    const drafts = this.view.drafts.others.length
    const item = (id: string, text: string, state: string) => {
      const name = id === 'base' ? 'Result' : id
      return h(
        'li',
        {},
        h(
          'button',
          { 'aria-pressed': String(id === this.view.parent), onclick: () => void this.view.versions.open(id) },
          name,
        ),
        ' ',
        h('span', { class: 'quiet' }, text),
        ' ',
        state === 'done' &&
          h('button', { 'aria-label': `Report of ${name}`, onclick: () => void this.openReport(id) }, 'Report'),
        state !== 'done' && state !== '' && h('span', { class: 'chip' }, state),
      )
    }
    refill(
      this.list,
      item('base', this.view.facts.method, 'done'),
      ...versions.map(({ id, saved, lesionCount, lesionVolumeMl, note, recalculated }) =>
        item(
          id,
          `${new Date(saved).toLocaleString()} · ${lesionCount} lesions, ${lesionVolumeMl.toFixed(2)} ml${note ? ` · ${note}` : ''}`,
          typeof recalculated === 'object' ? 'no report' : (recalculated ?? 'done'),
        ),
      ),
    )
    refill(
      this.versions,
      h('h2', {}, 'Versions'),
      this.list,
      h(
        'p',
        { hidden: drafts === 0 },
        h('button', { onclick: () => void this.offerDrafts() }, `Unsaved work (${drafts})`),
      ),
      this.noteLine,
      h('p', { hidden: versions.length === 0 }, h('button', { onclick: () => void this.compare() }, 'Compare raters')),
    )
  }

  /** As they are now: another tab, or this one a moment ago, may have taken one. */
  private async offerDrafts(): Promise<void> {
    await waitingFor('Opening …', () => this.view.reload())
    await this.view.drafts.offer()
  }

  private async openReport(id: string): Promise<void> {
    try {
      window.open(URL.createObjectURL(await server.report(this.view.id, id)), '_blank', 'noopener')
    } catch (error) {
      say((error as Error).message)
    }
  }

  private async compare(): Promise<void> {
    const compared = await server.compare(this.view.id).catch((error: Error) => say(error.message))
    if (!compared || !this.view.open) return
    const { masks, pairs } = compared
    const text = (value: number | null) => (value === null ? '–' : value.toFixed(3))
    const dialog = h(
      'dialog',
      {},
      h('h2', {}, 'How far the raters agree'),
      h('p', { class: 'quiet' }, 'The result, and the newest version of each rater.'),
      h(
        'table',
        {},
        h(
          'tbody',
          {},
          ...masks.map(({ id, volumeMl }) =>
            h('tr', {}, h('th', {}, id), h('td', { class: 'n' }, `${volumeMl.toFixed(3)} ml`)),
          ),
        ),
      ),
      h(
        'table',
        { 'aria-label': 'Agreement' },
        h(
          'thead',
          {},
          h(
            'tr',
            {},
            h('th', {}, 'A'),
            h('th', {}, 'B'),
            h('th', { class: 'n' }, 'Dice'),
            h('th', { class: 'n' }, 'Lesion F1'),
            h('th', { class: 'n' }, 'B − A, ml'),
          ),
        ),
        h(
          'tbody',
          {},
          ...pairs.map(({ a, b, dice, lesionF1, differenceMl }) =>
            h(
              'tr',
              {},
              h('td', {}, a),
              h('td', {}, b),
              h('td', { class: 'n' }, text(dice)),
              h('td', { class: 'n' }, text(lesionF1)),
              h('td', { class: 'n' }, differenceMl.toFixed(3)),
            ),
          ),
        ),
      ),
      h('form', { method: 'dialog' }, h('button', { class: 'main' }, 'Close')),
    )
    dialog.addEventListener('close', () => dialog.remove())
    document.body.append(dialog)
    dialog.showModal()
  }

  private fillReview(): void {
    const { review } = this.view.facts
    const set = async (status: keyof typeof reviewNames) => {
      const rater = await knownRater()
      if (!rater) return
      try {
        await waitingFor('Keeping the decision …', () =>
          server.review(this.view.id, { status, rater, note: this.note }),
        )
      } catch (error) {
        say((error as Error).message)
      }
      await this.view.reload()
    }
    const last = review.history.at(-1)
    refill(
      this.review,
      h('h2', {}, 'Review'),
      h(
        'span',
        { class: 'group', role: 'group', 'aria-label': 'Review' },
        ...Object.entries(reviewNames).map(([status, name]) =>
          h(
            'button',
            {
              'aria-pressed': String(status === review.status),
              onclick: () => void set(status as keyof typeof reviewNames),
            },
            name,
          ),
        ),
      ),
      h(
        'p',
        { class: 'quiet' },
        last && `${last.rater}, ${new Date(last.when).toLocaleString()}${last.note ? `: ${last.note}` : ''}`,
      ),
    )
  }
}
