import type { Cell } from './tsv.js'

/**
 * A table as RFC 4180 has it: commas, decimal points, lines that end with CR LF, quotes around cells that need them. What
 * is missing is an empty cell, which R (`na.strings = ""`) and Stata take as missing.
 */
export function writeCsv(columns: readonly string[], rows: readonly (readonly Cell[])[]): string {
  return [columns, ...rows.map((row) => columns.map((_, i) => row[i]))]
    .map((cells) => `${cells.map(cellText).join(',')}\r\n`)
    .join('')
}

function cellText(cell: Cell): string {
  if (cell === undefined || Number.isNaN(cell)) return ''
  const text = String(cell)
  return /[",\r\n]/.test(text) ? `"${text.replace(/"/g, '""')}"` : text
}

/**
 * A variable name that R and Stata both take: letters, digits and underscores, beginning with a letter, at most 32
 * characters, not a word that either keeps for itself. Lower case.
 */
export function variableName(text: string): string {
  const plain = text
    .replace(/([a-z])([A-Z])/g, '$1_$2')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '_')
    .replace(/^_+|_+$/g, '')
  const named = /^[a-z]/.test(plain) ? plain : `v_${plain}`
  const free = reserved.has(named) || /^str\d+$/.test(named) ? `${named}_` : named
  return free.slice(0, 32)
}

/** Words of R and of Stata that cannot name a variable. */
const reserved = new Set(
  'if else repeat while function for next break true false null inf nan na in byte double float int long strl using with'.split(
    ' ',
  ),
)
