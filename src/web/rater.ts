import { askFor, h } from './dom.js'

const key = 'lesionwise-rater'
/** In drafts, as long as nobody gave a name. */
export const anonymous = 'anonymous'

export const raterName = (): string | undefined => localStorage.getItem(key) ?? undefined

/** Asks for the rater's name. @returns undefined when the question was left */
export async function askRater(): Promise<string | undefined> {
  const hint = 'Letters and digits only, 32 at most: the name stands in the files.'
  const name = await askFor('Who are you?', raterName() ?? '', hint, (text) => /^[A-Za-z0-9]{1,32}$/.test(text))
  if (!name) return undefined
  localStorage.setItem(key, name)
  for (const button of Array.from(document.querySelectorAll(`button.${buttonClass}`))) button.textContent = label()
  return name
}

/** The rater's name, asked for where it is not known. */
export const knownRater = async (): Promise<string | undefined> => raterName() ?? (await askRater())

const buttonClass = 'rater'
const label = (): string => `Rater: ${raterName() ?? 'no name yet'}`

/** Shows who is at work, and lets them change it. */
export const raterButton = (): HTMLButtonElement =>
  h('button', { class: buttonClass, title: 'Change the name', onclick: () => void askRater() }, label())
