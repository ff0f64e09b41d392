/**
 * The errors a user can meet. Each message is one line that says what was seen, why it will not do, and what to
 * give instead; the command line prints it without a stack trace and ends with the error's exit code.
 */
export abstract class LesionwiseError extends Error {
  /** Process exit code (CONTRACTS: 1 the work failed, 2 the arguments are wrong, 3 an input is unusable). */
  abstract readonly exitCode: 1 | 2 | 3
}

/** An input file or image is unusable. `source` names the file (or the role, e.g. "FLAIR", for images given in memory). */
export class InputError extends LesionwiseError {
  override readonly name = 'InputError'
  readonly exitCode = 3

  /**
   * @param source file path or role of the image at fault
   * @param problem what was seen and why it will not do
   * @param fix what to give instead
   */
  constructor(
    readonly source: string,
    readonly problem: string,
    readonly fix: string,
    options?: { cause?: unknown },
  ) {
    super(oneLine(`${source}: ${problem}; ${fix}`), options)
  }
}

/** What a damaged file holds may stand in a message: nothing of it breaks the line or steers a terminal. */
const oneLine = (text: string): string => text.replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ')

/** The arguments are wrong: an unknown flag, method or value, or a contrast that the method needs is not given. */
export class UsageError extends LesionwiseError {
  override readonly name = 'UsageError'
  readonly exitCode = 2
}

/** A method could not do its work on sound input. */
export class MethodError extends LesionwiseError {
  override readonly name = 'MethodError'
  readonly exitCode = 1
}

/** The surroundings failed: the output folder is read-only, full, or locked by another run. */
export class RunError extends LesionwiseError {
  override readonly name = 'RunError'
  readonly exitCode = 1
}

/** Something odd that does not stop the work; it is kept in `summary.json`, the report and on stderr. */
export interface Flag {
  /** Stable machine name, e.g. `thick-slices`. */
  code: string
  severity: 'info' | 'warning' | 'serious'
  /** One sentence for a reader: what was seen and what it means for the result. */
  message: string
  /** The figures and names in that sentence, so that it can be said in another language. */
  values?: Readonly<Record<string, number | string>>
}
