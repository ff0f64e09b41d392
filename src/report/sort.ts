/** Sorts a table marked `data-sortable` when a heading is pressed; pressed again, the other way round. */
export const sortScript = `
for (const table of document.querySelectorAll('table[data-sortable]')) {
  const body = table.tBodies[0]
  const value = (row, n) => {
    const cell = row.cells[n]
    const number = parseFloat(cell.dataset.v ?? cell.textContent.replace(/,/g, ''))
    return Number.isNaN(number) ? Infinity : number
  }
  Array.from(table.tHead.rows[0].cells).forEach((head, n) => {
    const button = document.createElement('button')
    button.type = 'button'
    button.textContent = head.textContent
    head.replaceChildren(button)
    button.onclick = () => {
      const down = head.getAttribute('aria-sort') === 'ascending'
      for (const other of table.tHead.rows[0].cells) other.removeAttribute('aria-sort')
      head.setAttribute('aria-sort', down ? 'descending' : 'ascending')
      const rows = Array.from(body.rows).sort((a, b) => value(a, n) - value(b, n))
      body.replaceChildren(...(down ? rows.reverse() : rows))
    }
  })
}`
