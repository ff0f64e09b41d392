import { CommanderError } from 'commander'

/** What options of several commands take; what does not fit is a wrong argument (exit code 2). */

const refused = (text: string): CommanderError => new CommanderError(2, 'lesionwise.number', text)

export function between(low: number, high: number): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (text.trim() === '' || !(value >= low && value <= high))
      throw refused(`"${text}" is not a number from ${low} to ${high}`)
    return value
  }
}

export function atLeastOne(text: string): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1) throw refused(`"${text}" is not a whole number from 1`)
  return value
}

/** `NAME=VALUE` beside those given before: true and false, numbers as numbers, and text. */
export function parameter(text: string, given: Record<string, unknown>): Record<string, unknown> {
  const at = text.indexOf('=')
  if (at < 1) throw new CommanderError(2, 'lesionwise.param', `--param takes NAME=VALUE, not "${text}"`)
  const value = text.slice(at + 1)
  const number = value !== '' && Number.isFinite(Number(value)) ? Number(value) : value
  return { ...given, [text.slice(0, at)]: value === 'true' || (value === 'false' ? false : number) }
}
