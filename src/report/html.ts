/** A piece of HTML that is safe to put into a page as it stands. */
export interface Html {
  readonly html: string
}

type Part = Html | string | number | undefined | null | false | readonly Part[]

/**
 * HTML from a template: whatever is put in is escaped, unless it is HTML already. Lists are joined; `false`, `null`
 * and `undefined` leave nothing.
 */
export function html(strings: TemplateStringsArray, ...parts: Part[]): Html {
  let out = strings[0]
  parts.forEach((part, n) => {
    out += markup(part) + strings[n + 1]
  })
  return { html: out }
}

/** Takes text for HTML. Only for text that this program made. */
export const trusted = (text: string): Html => ({ html: text })

export const escapeHtml = (text: string): string =>
  text.replace(/[&<>"']/g, (c) => `&${{ '&': 'amp', '<': 'lt', '>': 'gt', '"': 'quot', "'": '#39' }[c]};`)

function markup(part: Part): string {
  if (part === undefined || part === null || part === false) return ''
  if (typeof part === 'string' || typeof part === 'number') return escapeHtml(String(part))
  if ('html' in part) return part.html
  return part.map(markup).join('')
}
