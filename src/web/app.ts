import { ServerError, server, takeToken } from './api.js'
import { CaseView } from './case-view.js'
import { cohortView } from './cohort-view.js'
import { closeDialogs, h, waitingFor } from './dom.js'

takeToken()
const page = document.getElementById('page')!
let current: CaseView | undefined
/** Of the cases that the server has opened: they do not change while it runs. */
let ids: string[] = []

/** Counts what was asked for: of several in a row, the page shows the last one. */
let asked = 0

/** The list of cases, or one of them: `#case=ID`. */
async function show(): Promise<void> {
  const mine = ++asked
  const leaving = current
  const left = (await leaving?.leave()) ?? true
  if (mine !== asked) return
  if (!left) {
    history.replaceState(null, '', addressOf(leaving!.id))
    return
  }
  current = undefined
  closeDialogs()
  try {
    const wanted = location.hash.match(/^#case=(.+)$/)?.[1]
    // The list is asked for where it is shown: the server reads every result for it.
    const entries =
      wanted === undefined || ids.length === 0 ? await waitingFor('Opening the list …', () => server.cases()) : []
    if (mine !== asked) return
    if (entries.length > 0) ids = entries.map(({ id }) => id)
    const id = wanted === undefined ? (ids.length === 1 ? ids[0] : undefined) : decodeURIComponent(wanted)
    if (id === undefined) page.replaceChildren(cohortView(entries, goTo))
    else {
      current = new CaseView(id, ids)
      page.replaceChildren(current.element)
      await current.start()
    }
  } catch (error) {
    if (mine !== asked) return
    const hint = error instanceof ServerError && error.status === 401 ? '' : ' Reload the page to try again.'
    page.replaceChildren(h('p', { class: 'cards bad', role: 'alert' }, `${(error as Error).message}${hint}`))
  }
}

const addressOf = (id: string): string => `#case=${encodeURIComponent(id)}`

function goTo(id: string): void {
  location.hash = addressOf(id)
}

window.addEventListener('hashchange', () => {
  // The printed address, pasted into a tab that is open already, loads nothing anew.
  takeToken()
  void show()
})
// For tests and the console: what the page measures of itself.
Object.defineProperty(globalThis, 'lesionwise', { get: () => current })
void show()
