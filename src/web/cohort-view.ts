import { type CaseEntry, type ReviewState, server } from './api.js'
import { h, themeButton } from './dom.js'
import { raterButton } from './rater.js'
import { Sorting } from './sorting.js'

export const reviewNames: Readonly<Record<ReviewState, string>> = {
  'to-review': 'to review',
  accepted: 'accepted',
  corrected: 'corrected',
  rejected: 'rejected',
}

/** Every result of the folder: what was found, doubts, how far the review is. */
export function cohortView(entries: readonly CaseEntry[], open: (id: string) => void): HTMLElement {
  const state = h('select', { 'aria-label': 'Show', oninput: () => fill() }, h('option', { value: '' }, 'all'))
  for (const [value, text] of Object.entries(reviewNames)) state.append(h('option', { value }, text))
  const text = h('input', {
    type: 'search',
    placeholder: 'Name, flag or rater',
    'aria-label': 'Filter',
    oninput: () => fill(),
  })
  const body = h('tbody')
  // What cannot be read cannot be reviewed either.
  const readable = entries.filter(({ error }) => !error)
  const damaged = entries.length - readable.length
  const reviewed = readable.filter(({ review }) => review && review !== 'to-review').length
  const order = new Sorting<keyof CaseEntry>('id', () => fill())

  const fill = () => {
    const wanted = text.value.toLowerCase()
    const shown = entries
      // A damaged case has no state of the review: no choice hides it.
      .filter((one) => one.error || !state.value || one.review === state.value)
      .filter((one) => wordsOf(one).some((word) => word.toLowerCase().includes(wanted)))
      .sort((a, b) => {
        const [x, y] = [a[order.key], b[order.key]]
        const sign = order.down ? -1 : 1
        return typeof x === 'number' && typeof y === 'number'
          ? sign * (x - y)
          : sign * String(x ?? '').localeCompare(String(y ?? ''), 'en', { numeric: true })
      })
    body.replaceChildren(...shown.map(row))
  }
  const picture = thumbnails()
  const row = (one: CaseEntry) => {
    const go = () => open(one.id)
    if (one.error)
      return h(
        'tr',
        {},
        h('td', { class: 'thumb' }),
        h('th', {}, one.id),
        h('td', { class: 'bad', colspan: 6 }, one.error),
      )
    const flags = one.flags.filter(({ severity }) => severity !== 'info')
    return h(
      'tr',
      { onclick: go },
      h('td', { class: 'thumb' }, picture(one.id)),
      h('th', {}, h('button', { onclick: go }, one.id)),
      h('td', { class: 'n', 'data-unit': one.lesionCount === 1 ? 'lesion' : 'lesions' }, one.lesionCount),
      h('td', { class: 'n', 'data-unit': 'ml' }, one.lesionVolumeMl.toFixed(2)),
      h('td', {}, one.method),
      h(
        'td',
        { class: 'flags' },
        ...flags.map(({ code, message }) => h('span', { class: 'chip bad', title: message }, code)),
      ),
      h('td', { class: 'n', 'data-unit': one.versions === 1 ? 'correction' : 'corrections' }, one.versions),
      h(
        'td',
        { class: `review ${one.review === 'accepted' ? 'good' : one.review === 'rejected' ? 'bad' : ''}` },
        reviewNames[one.review],
      ),
    )
  }
  fill()
  return h(
    'div',
    {},
    h(
      'div',
      { class: 'bar' },
      h('h1', {}, 'Lesionwise'),
      h('span', { class: 'chip' }, 'Research only'),
      h('span', { class: 'grow' }),
      raterButton(),
      themeButton(),
    ),
    h(
      'section',
      { class: 'cards' },
      h(
        'div',
        { class: 'bar' },
        text,
        h('label', {}, 'Show', state),
        h(
          'label',
          {},
          'Reviewed',
          h('progress', { max: readable.length, value: reviewed }),
          `${reviewed} of ${readable.length}`,
        ),
        damaged > 0 && h('span', { class: 'bad' }, `${damaged} cannot be read`),
      ),
      h(
        'div',
        { style: 'overflow:auto' },
        h(
          'table',
          { class: 'cases' },
          h(
            'thead',
            {},
            h(
              'tr',
              {},
              h('td'),
              order.header('id', 'Case'),
              order.header('lesionCount', 'Lesions', true),
              order.header('lesionVolumeMl', 'Volume, ml', true),
              order.header('method', 'Method'),
              h('th', {}, 'Flags'),
              order.header('versions', 'Corrections', true),
              order.header('review', 'Review'),
            ),
          ),
          body,
        ),
      ),
    ),
  )
}

/** What the filter looks in. */
const wordsOf = ({ id, method, flags, latest }: CaseEntry): string[] => [
  id,
  method ?? '',
  latest?.rater ?? '',
  ...(flags ?? []).flatMap(({ code, message }) => [code, message]),
]

/** Most thumbnails asked for at once: the server reads a scan for each. */
const mostAtOnce = 2

/** Pictures of cases, each fetched when its row comes into view, and kept while the list is open. */
function thumbnails(): (id: string) => HTMLElement {
  const kept = new Map<string, HTMLImageElement>()
  const waiting: string[] = []
  let running = 0
  const next = () => {
    const id = running < mostAtOnce ? waiting.shift() : undefined
    if (id === undefined) return
    running++
    server
      .thumbnail(id)
      .then((png) => {
        kept.get(id)!.src = URL.createObjectURL(png)
      })
      // A case without a picture is listed all the same.
      .catch(() => {})
      .finally(() => {
        running--
        next()
      })
  }
  const observer = new IntersectionObserver((seen) => {
    for (const { isIntersecting, target } of seen) {
      if (!isIntersecting) continue
      observer.unobserve(target)
      waiting.push((target as HTMLElement).dataset.case!)
      next()
    }
  })
  return (id) => {
    let image = kept.get(id)
    if (!image) {
      image = h('img', { alt: '', 'data-case': id })
      kept.set(id, image)
      observer.observe(image)
    }
    return image
  }
}
