import { InputError } from '../errors.js'

export type Cell = string | number | undefined

/** A BIDS table: tab-separated, one header line, `n/a` for what is missing. */
export function writeTsv(columns: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const text = (cell: Cell) =>
    cell === undefined || Number.isNaN(cell) ? 'n/a' : String(cell).replace(/[\t\r\n]+/g, ' ')
  return [columns, ...rows.map((row) => columns.map((_, i) => text(row[i])))]
    .map((cells) => `${cells.join('\t')}\n`)
    .join('')
}

/**
 * Reads a table into one record a row; `n/a` and empty cells are left out.
 * @throws InputError naming the line whose cells do not fit the header
 */
export function readTsv(text: string, source: string): { columns: string[]; rows: Record<string, string>[] } {
  const lines = text.replace(/^\uFEFF/, '').split(/\r?\n/)
  const columns = (lines[0] ?? '').split('\t').map((name) => name.trim())
  if (columns.length === 1 && columns[0] === '')
    throw new InputError(source, 'the table is empty', 'give a TSV with a header line')
  const twice = columns.find((name, i) => columns.indexOf(name) !== i)
  if (twice !== undefined)
    throw new InputError(source, `the column "${twice}" is there twice`, 'give each column a name of its own')
  const rows: Record<string, string>[] = []
  for (const [i, line] of lines.entries()) {
    if (i === 0 || line.trim() === '') continue
    const cells = line.split('\t')
    if (cells.length !== columns.length)
      throw new InputError(
        source,
        `line ${i + 1} has ${cells.length} cells, the header ${columns.length}`,
        'separate the cells by tabs, one for each column',
      )
    const given = columns
      .map((name, c) => [name, cells[c].trim()] as const)
      .filter(([, cell]) => cell !== '' && cell !== 'n/a')
    rows.push(Object.fromEntries(given))
  }
  return { columns, rows }
}
