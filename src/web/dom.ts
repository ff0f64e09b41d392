type Child = Node | string | number | false | null | undefined
type Attributes = Record<string, string | number | boolean | undefined | ((event: Event) => void)>

/** An element with attributes (`onclick` and the like take functions; `false` leaves one out) and children, as text or nodes. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) continue
    if (typeof value === 'function') element.addEventListener(name.slice(2), value)
    else element.setAttribute(name, value === true ? '' : String(value))
  }
  for (const child of children)
    if (child !== false && child !== null && child !== undefined)
      element.append(typeof child === 'number' ? String(child) : child)
  return element
}

/** Says something to the eye and to a screen reader; it goes after a while. */
export function say(text: string, seconds = 5): void {
  const box = document.getElementById('say')!
  box.textContent = text
  clearTimeout(timer)
  timer = setTimeout(() => {
    box.textContent = ''
  }, 1000 * seconds)
}
let timer: ReturnType<typeof setTimeout> | undefined

/** A question with one text field. @returns undefined when it was left */
export function askFor(
  question: string,
  value: string,
  hint: string,
  fits: (text: string) => boolean,
): Promise<string | undefined> {
  return new Promise((resolve) => {
    const field = h('input', { value, 'aria-label': question })
    const error = h('p', { class: 'bad', role: 'alert' })
    const dialog = h(
      'dialog',
      {},
      h(
        'form',
        {
          method: 'dialog',
          onsubmit: (event) => {
            if (fits(field.value.trim())) return
            event.preventDefault()
            error.textContent = hint
          },
        },
        h('h2', {}, question),
        h('p', { class: 'quiet' }, hint),
        field,
        error,
        h('button', { class: 'main', value: 'yes' }, 'OK'),
        ' ',
        h('button', { type: 'button', onclick: () => dialog.close('') }, 'Cancel'),
      ),
    )
    dialog.addEventListener('close', () => {
      resolve(dialog.returnValue === 'yes' ? field.value.trim() : undefined)
      dialog.remove()
    })
    document.body.append(dialog)
    dialog.showModal()
    field.select()
  })
}

/** A question with a few answers. @returns the key of the one that was chosen */
export function choose(question: string, answers: Record<string, string>): Promise<string | undefined> {
  return new Promise((resolve) => {
    const dialog = h(
      'dialog',
      {},
      h(
        'form',
        { method: 'dialog' },
        h('h2', {}, question),
        ...Object.entries(answers).flatMap(([value, text]) => [h('button', { value }, text), ' ']),
      ),
    )
    dialog.addEventListener('close', () => {
      resolve(dialog.returnValue || undefined)
      dialog.remove()
    })
    document.body.append(dialog)
    dialog.showModal()
  })
}

/**
 * The page waits for some work: nothing is pressed, painted or typed meanwhile. What had the focus has it again.
 *
 * @param text what it waits for; shown once it takes long enough to be read
 */
export async function waitingFor<T>(text: string, work: () => Promise<T>): Promise<T> {
  const dialog = h(
    'dialog',
    {
      class: 'waiting',
      role: 'status',
      closedby: 'none',
      // Browsers that do not know the attribute let Escape close it.
      onkeydown: (event) => (event as KeyboardEvent).key === 'Escape' && event.preventDefault(),
      oncancel: (event) => event.preventDefault(),
    },
    h('p', {}, text),
  )
  document.body.append(dialog)
  dialog.showModal()
  try {
    return await work()
  } finally {
    dialog.close()
    dialog.remove()
  }
}

/** Questions that nobody is there to answer any more are taken back. */
export function closeDialogs(): void {
  for (const dialog of Array.from(document.querySelectorAll('dialog'))) dialog.close()
}

/**
 * Puts new children into an element. What looks the same stays, so that a press that began on it ends on it: its name must
 * say what it does. A button or field that had the focus has it again.
 */
export function refill(element: HTMLElement, ...children: Node[]): void {
  const nameOf = (control: Element) => control.getAttribute('aria-label') ?? control.textContent
  const { activeElement } = document
  const focused = activeElement && element.contains(activeElement) ? nameOf(activeElement) : undefined
  for (const [at, child] of children.entries()) {
    const old = element.childNodes.item(at)
    if (!old) element.append(child)
    else if (!old.isEqualNode(child)) old.replaceWith(child)
  }
  while (element.childNodes.length > children.length) element.lastChild?.remove()
  if (focused !== undefined && document.activeElement !== activeElement)
    Array.from(element.querySelectorAll<HTMLElement>('button, input'))
      .find((control) => nameOf(control) === focused)
      ?.focus({ preventScroll: true })
}

const themeKey = 'lesionwise-theme'
/** Dark, light, or as the system says. */
export function themeButton(): HTMLButtonElement {
  const apply = (theme: string | null) => {
    if (theme) document.documentElement.dataset.theme = theme
  }
  apply(localStorage.getItem(themeKey))
  return h(
    'button',
    {
      title: 'Light or dark',
      'aria-label': 'Light or dark',
      onclick: () => {
        const dark = getComputedStyle(document.documentElement).colorScheme === 'dark'
        localStorage.setItem(themeKey, dark ? 'light' : 'dark')
        apply(dark ? 'light' : 'dark')
      },
    },
    '◐',
  )
}
