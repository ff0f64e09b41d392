/**
 * The assignment of rows to columns with the lowest total cost, each row and column used at most once and as many as
 * the smaller side has; found in O(n³) by shortest augmenting paths.
 * Sources: Kuhn 1955, Nav Res Logist Q 2:83; Jonker & Volgenant 1987, Computing 38:325.
 *
 * @param cost row by row, `rows · columns` finite numbers
 * @returns the column of each row, −1 for a row that is left over
 * @throws RangeError when a cost is not finite or their number does not fit
 */
export function cheapestAssignment(cost: ArrayLike<number>, rows: number, columns: number): Int32Array {
  if (cost.length !== rows * columns)
    throw new RangeError(`An assignment of ${rows} to ${columns} needs ${rows * columns} costs, not ${cost.length}.`)
  for (let i = 0; i < cost.length; i++)
    if (!Number.isFinite(cost[i])) throw new RangeError(`Cost ${i} is ${cost[i]}: an assignment needs finite costs.`)
  if (rows <= columns) return augment((i, j) => cost[i * columns + j], rows, columns)
  const rowOf = augment((i, j) => cost[j * columns + i], columns, rows)
  const out = new Int32Array(rows).fill(-1)
  rowOf.forEach((row, column) => {
    out[row] = column
  })
  return out
}

/**
 * Rows join one by one. Each grows a tree of cheapest paths over tight columns (Dijkstra on costs reduced by the row
 * and column prices) until it meets a free column; the path to it is then flipped. Column `columns` stands for the row
 * that is joining.
 */
function augment(cost: (row: number, column: number) => number, rows: number, columns: number): Int32Array {
  const rowPrice = new Float64Array(rows)
  const columnPrice = new Float64Array(columns + 1)
  const rowAt = new Int32Array(columns + 1).fill(-1)
  const before = new Int32Array(columns)
  const slack = new Float64Array(columns)
  const inTree = new Uint8Array(columns + 1)
  for (let joining = 0; joining < rows; joining++) {
    rowAt[columns] = joining
    slack.fill(Number.POSITIVE_INFINITY)
    inTree.fill(0)
    let at = columns
    while (rowAt[at] !== -1) {
      inTree[at] = 1
      const row = rowAt[at]
      let nearest = -1
      let step = Number.POSITIVE_INFINITY
      for (let column = 0; column < columns; column++) {
        if (inTree[column] !== 0) continue
        const reduced = cost(row, column) - rowPrice[row] - columnPrice[column]
        if (reduced < slack[column]) {
          slack[column] = reduced
          before[column] = at
        }
        if (slack[column] < step) {
          step = slack[column]
          nearest = column
        }
      }
      for (let column = 0; column <= columns; column++)
        if (inTree[column] !== 0) {
          rowPrice[rowAt[column]] += step
          columnPrice[column] -= step
        } else if (column < columns) slack[column] -= step
      at = nearest
    }
    for (; at !== columns; at = before[at]) rowAt[at] = rowAt[before[at]]
  }
  const columnOf = new Int32Array(rows).fill(-1)
  for (let column = 0; column < columns; column++) if (rowAt[column] !== -1) columnOf[rowAt[column]] = column
  return columnOf
}
