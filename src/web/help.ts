import { h } from './dom.js'

/** The keys that do something. */
export function help(): void {
  const rows = {
    'L B E F G M': 'look, brush, eraser, fill, grow, measure',
    'Ctrl+Z, Ctrl+Y': 'undo, redo',
    'Ctrl+S': 'save a version',
    'N, P': 'next and previous lesion',
    '1 2 3': 'axial, coronal, sagittal: the plane that arrows and Space work in',
    'Arrows, Page up/down': 'move the crosshair (picture focused)',
    Space: 'use the tool at the crosshair (picture focused); measure: from the first time to the second',
    'Delete, R, X': 'in the table: delete, change location, false positive',
  }
  const dialog = h(
    'dialog',
    {},
    h('h2', {}, 'Keys'),
    h(
      'table',
      {},
      h(
        'tbody',
        {},
        ...Object.entries(rows).map(([keys, text]) => h('tr', {}, h('th', {}, h('kbd', {}, keys)), h('td', {}, text))),
      ),
    ),
    h('form', { method: 'dialog' }, h('button', { class: 'main' }, 'Close')),
  )
  dialog.addEventListener('close', () => dialog.remove())
  document.body.append(dialog)
  dialog.showModal()
}
