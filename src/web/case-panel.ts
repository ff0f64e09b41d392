import { locations } from '../lesions/types.js'
import type { CaseView } from './case-view.js'
import { choose, h } from './dom.js'
import type { ShownLesion } from './lesions.js'
import { Sorting } from './sorting.js'
import { VersionsPanel } from './versions-panel.js'
import { classColours } from './viewer.js'

type Key = 'id' | 'location' | 'volumeMm3'
/** More than these make the page slow. */
const mostRows = 500
/** The mask stays in sight below a map. */
const mapOpacity = 0.5

/** The side of a case: lesions, probability, versions, review. */
export class CasePanel {
  readonly element: HTMLElement
  private readonly rows = h('tbody')
  private readonly total = h('p', { class: 'quiet' })
  private readonly where = h(
    'select',
    { 'aria-label': 'Location', oninput: () => this.fillLesions() },
    h('option', { value: '' }, 'everywhere'),
  )
  private readonly least = h('input', {
    type: 'number',
    min: 0,
    value: 0,
    style: 'width:80px',
    'aria-label': 'Smallest volume, mm³',
    oninput: () => this.fillLesions(),
  })
  private readonly map = h('section')
  private readonly versions: VersionsPanel
  private readonly flags = h('section')
  private readonly toldOfReport = h('p', { class: 'bad', role: 'status' })
  private readonly toldOfDraft = h('p', { class: 'quiet', role: 'status' })
  private readonly toleranceField = h('input', { type: 'number', min: 1, value: 25, style: 'width:80px' })
  private readonly order = new Sorting<Key>('id', () => this.fillLesions())
  private selected = 0

  constructor(private readonly view: CaseView) {
    this.versions = new VersionsPanel(view)
    for (const name of [...locations, 'new']) this.where.append(h('option', {}, name))
    this.element = h(
      'aside',
      { class: 'side', 'aria-label': 'Lesions and versions' },
      h(
        'section',
        {},
        h('h2', {}, 'Lesions'),
        this.total,
        h('p', {}, this.where, ' from ', this.least, ' mm³'),
        h(
          'div',
          { class: 'tablebox' },
          h(
            'table',
            { 'aria-label': 'Lesions', onkeydown: (event) => this.key(event as KeyboardEvent) },
            h(
              'thead',
              {},
              h(
                'tr',
                {},
                this.order.header('id', 'No.'),
                this.order.header('location', 'Location'),
                this.order.header('volumeMm3', 'mm³', true),
                h('th', {}, h('span', { class: 'quiet' }, 'Do')),
              ),
            ),
            this.rows,
          ),
        ),
        h('p', {}, h('label', {}, 'Grow within ± ', this.toleranceField, ' of the seed')),
      ),
      this.view.beside.legend,
      this.map,
      this.versions.element,
      this.flags,
      this.toldOfReport,
      this.toldOfDraft,
    )
  }

  get note(): string {
    return this.versions.note
  }
  get tolerance(): number {
    return Number(this.toleranceField.value)
  }

  /** Says what went wrong with a report; it stays. */
  tellFailure(text: string): void {
    this.toldOfReport.textContent = text
  }

  /** Says how far the draft is. */
  tellDraft(text: string, bad = false): void {
    this.toldOfDraft.className = bad ? 'bad' : 'quiet'
    this.toldOfDraft.textContent = text
  }

  /** All but the lesions, which follow every stroke. */
  fill(): void {
    this.fillMap()
    this.versions.fill()
    const { flags } = this.view.facts.summary
    this.flags.replaceChildren(
      h('h2', {}, 'Flags'),
      flags.length === 0
        ? h('p', { class: 'quiet' }, 'None.')
        : h(
            'ul',
            { class: 'plain' },
            ...flags.map(({ severity, message }) => h('li', { class: severity === 'info' ? 'quiet' : 'bad' }, message)),
          ),
    )
  }

  private shown(): ShownLesion[] {
    const { key, down } = this.order
    const sign = down ? -1 : 1
    return this.view.shown.lesions
      .filter(
        ({ location, volumeMm3 }) =>
          (!this.where.value || location === this.where.value) && volumeMm3 >= Number(this.least.value),
      )
      .sort((a, b) => sign * (key === 'location' ? a.location.localeCompare(b.location) : a[key] - b[key]))
  }

  fillLesions(): void {
    const { lesions } = this.view.shown
    const shown = this.shown()
    const ml = (some: readonly ShownLesion[]) =>
      (some.reduce((sum, { volumeMm3 }) => sum + volumeMm3, 0) / 1000).toFixed(2)
    const [few, part] = shown.length < lesions.length ? [`${shown.length} of `, `${ml(shown)} of `] : ['', '']
    this.total.textContent = `${few}${lesions.length} lesions, ${part}${ml(lesions)} ml (18-connected)`
    const focused = this.rows.contains(document.activeElement)
    this.rows.replaceChildren(...shown.slice(0, mostRows).map((lesion) => this.row(lesion)))
    this.markRows()
    if (focused) this.rows.querySelector<HTMLElement>('tr[tabindex="0"]')?.focus()
  }

  /** The selected row takes the focus by Tab, or the first one where none that is shown is selected. */
  private markRows(): void {
    const rows = Array.from(this.rows.children)
    const current = rows.find((row) => Number((row as HTMLElement).dataset.id) === this.selected)
    for (const row of rows) {
      row.removeAttribute('aria-current')
      row.setAttribute('tabindex', row === (current ?? rows[0]) ? '0' : '-1')
    }
    current?.setAttribute('aria-current', 'true')
  }

  private row(lesion: ShownLesion): HTMLElement {
    const { id, location, volumeMm3 } = lesion
    return h(
      'tr',
      {
        'data-id': id,
        onclick: () => this.select(lesion),
      },
      h('td', {}, id),
      h(
        'td',
        {},
        h('span', { class: 'swatch', style: `background:${classColours[location] ?? classColours.lesion}` }),
        location,
      ),
      h('td', { class: 'n' }, volumeMm3.toFixed(volumeMm3 < 100 ? 1 : 0)),
      h(
        'td',
        {},
        h(
          'button',
          {
            'aria-label': `Delete lesion ${id}`,
            title: 'Delete',
            onclick: (event) => this.only(event, () => this.view.deleteLesion(lesion)),
          },
          '×',
        ),
      ),
    )
  }

  private only(event: Event, work: () => void): void {
    event.stopPropagation()
    work()
  }

  select(lesion: ShownLesion): void {
    this.selected = lesion.id
    this.view.viewer.goTo(lesion.voxel)
    this.markRows()
  }

  /** The next lesion of the table, or the one before. */
  step(by: number): void {
    const list = this.shown()
    if (list.length === 0) return
    const at = list.findIndex(({ id }) => id === this.selected)
    this.select(list[(at + by + list.length) % list.length])
    this.rows.querySelector('[aria-current]')?.scrollIntoView({ block: 'nearest' })
  }

  private key(event: KeyboardEvent): void {
    const row = (event.target as HTMLElement).closest('tr[data-id]') as HTMLElement | null
    const lesion = row && this.view.shown.lesions.find(({ id }) => id === Number(row.dataset.id))
    if (!lesion) return
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      this.selected = lesion.id
      this.step(event.key === 'ArrowDown' ? 1 : -1)
      this.rows.querySelector<HTMLElement>('[aria-current]')?.focus()
    } else if (event.key === 'Enter' && event.target === row) this.select(lesion)
    else if (event.key === 'Delete') this.view.deleteLesion(lesion)
    else if (event.key === 'x') this.view.deleteLesion(lesion, 'false-positive')
    else if (event.key === 'r') void this.relabel(lesion)
    else return
    event.preventDefault()
    event.stopPropagation()
  }

  private async relabel(lesion: ShownLesion): Promise<void> {
    const location = await choose(
      `Location of lesion ${lesion.id}`,
      Object.fromEntries(locations.map((name) => [name, name])),
    )
    if (location) this.view.relabel(lesion, location)
  }

  private fillMap(): void {
    const { maps } = this.view.facts
    if (!maps.includes('probability') || this.map.childElementCount > 0) return
    const value = h('output', {}, '0.50')
    const on = h('input', { type: 'checkbox', oninput: () => draw() })
    const slider = h('input', {
      type: 'range',
      min: 0.01,
      max: 0.99,
      step: 0.01,
      value: 0.5,
      'aria-label': 'Threshold',
      oninput: () => draw(),
    })
    const draw = () => {
      value.textContent = Number(slider.value).toFixed(2)
      void this.view.showMap('probability', () => ({
        from: Number(slider.value),
        opacity: on.checked ? mapOpacity : 0,
      }))
    }
    slider.addEventListener('input', () => {
      on.checked = true
      draw()
    })
    const spread = h('input', {
      type: 'checkbox',
      oninput: () =>
        void this.view.showMap('uncertainty', () => ({ from: 0.05, opacity: spread.checked ? mapOpacity : 0 })),
    })
    this.map.replaceChildren(
      h('h2', {}, 'Probability'),
      h(
        'p',
        {},
        h('label', {}, on, ' show from '),
        slider,
        ' ',
        value,
        ' ',
        h(
          'button',
          { onclick: () => void this.view.applyThreshold('probability', Number(slider.value)) },
          'Take as mask',
        ),
      ),
      ...(maps.includes('uncertainty') ? [h('p', {}, h('label', {}, spread, ' show uncertainty'))] : []),
    )
  }
}
