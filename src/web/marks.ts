import type { Mark } from './api.js'
import type { Change } from './mask-editor.js'

/** What a rater marked. It belongs to the steps of the mask, and is undone and done again with them. */
export class Marks {
  /** Those in force. */
  all: readonly Mark[]
  private readonly after = new WeakMap<Change, readonly Mark[]>()

  /** @param carried marks of the version that the mask is drawn on */
  constructor(private readonly carried: readonly Mark[]) {
    this.all = carried
  }

  /** A step leaves these marks. */
  set(step: Change, marks: readonly Mark[]): void {
    this.after.set(step, marks)
  }

  /** Goes to the marks of the last step in force; a step that set none leaves them as they were. */
  follow(last: Change | undefined): void {
    this.all = last ? (this.after.get(last) ?? this.all) : this.carried
    if (last) this.after.set(last, this.all)
  }
}
