/** Cells under each other: the first `left` to the left, numbers to the right. A row of one cell is a heading. */
export function aligned(rows: readonly (readonly string[])[], left = 2): string[] {
  const widths: number[] = []
  for (const row of rows)
    if (row.length > 1) row.forEach((cell, i) => (widths[i] = Math.max(widths[i] ?? 0, cell.length)))
  return rows.map((row) =>
    row.length === 1
      ? row[0]
      : row
          .map((cell, i) => (i < left ? cell.padEnd(widths[i]) : cell.padStart(widths[i])))
          .join('  ')
          .trimEnd(),
  )
}
