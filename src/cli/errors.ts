import { CommanderError } from 'commander'
import { LesionwiseError } from '../errors.js'

/** Prints what went wrong in one line and gives the exit code. `LESIONWISE_DEBUG=1` adds where it happened. */
export function failed(error: unknown): number {
  if (error instanceof CommanderError) {
    // Help and version were asked for and have been printed.
    if (error.exitCode === 0) return 0
    say(error.message.replace(/^error: /, '').replace(/\n/g, ' '))
    return 2
  }
  if (isAbort(error)) {
    say('interrupted')
    return 130
  }
  if (error instanceof LesionwiseError) {
    say(error.message)
    debug(error)
    return error.exitCode
  }
  const text = error instanceof Error ? error.message : String(error)
  if (/memory|allocation failed|Invalid typed array length|too large for the 2 GB/i.test(text))
    say(`out of memory (${text}); free some memory or give a smaller image`)
  else say(`this is a bug in lesionwise, please report it: ${text.split('\n')[0]}`)
  debug(error)
  return 1
}

const say = (text: string): void => void process.stderr.write(`lesionwise: ${text}\n`)

const debug = (error: unknown): void => {
  if (process.env.LESIONWISE_DEBUG && error instanceof Error) process.stderr.write(`${error.stack}\n`)
}

const isAbort = (error: unknown): boolean => error instanceof Error && error.name === 'AbortError'
