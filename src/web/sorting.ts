import { h } from './dom.js'

/** By which column a table is sorted: its headers are buttons, and say so to a screen reader. */
export class Sorting<Key extends string> {
  down = false
  private readonly headers = new Map<Key, HTMLElement>()

  constructor(
    public key: Key,
    private readonly sorted: () => void,
  ) {}

  header(key: Key, name: string, number = false): HTMLElement {
    const header = h('th', { class: number && 'n' }, h('button', { onclick: () => this.by(key) }, name))
    this.headers.set(key, header)
    this.mark()
    return header
  }

  private by(key: Key): void {
    this.down = this.key === key && !this.down
    this.key = key
    this.mark()
    this.sorted()
  }

  private mark(): void {
    for (const [key, header] of this.headers)
      if (key === this.key) header.setAttribute('aria-sort', this.down ? 'descending' : 'ascending')
      else header.removeAttribute('aria-sort')
  }
}
