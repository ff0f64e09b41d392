import type { Flag } from '../errors.js'
import type { Location } from '../lesions/types.js'
import type { MethodContent, Row, Stat, Table } from '../report/content.js'

export type Doc = PDFKit.PDFDocument

export const fonts = { plain: 'plain', bold: 'bold' } as const
/** Points around each page. */
export const margin = 42

export const colours = {
  ink: '#191d21',
  soft: '#555e66',
  line: '#d4d8d6',
  accent: '#0b6e6e',
  warning: '#8a5200',
} as const
export const severityColours: Record<Flag['severity'], string> = {
  serious: '#b3261e',
  warning: colours.warning,
  info: '#2f5878',
}
/** On paper: those of the page in print. */
const dots: Record<Location, string> = {
  periventricular: '#e0631f',
  juxtacortical: '#1593b0',
  infratentorial: '#9a5fd0',
  subcortical: '#c39b00',
}

const body = 8.5
const fine = 7.2
/** Room of the footer. */
const footer = 26

/** Pages on which things are set one below the other. What does not fit on a page is left out and the caller is told. */
export class Paper {
  y = margin

  constructor(readonly doc: Doc) {}

  get width(): number {
    return this.doc.page.width - 2 * margin
  }

  /** Where the footer begins. */
  get bottom(): number {
    return this.doc.page.height - margin - footer
  }

  nextPage(): void {
    this.doc.addPage()
    this.y = margin
  }

  title(mark: string, title: string, facts: string, pill: string): void {
    const { doc } = this
    this.set(fonts.bold, fine, colours.accent).text(mark.toUpperCase(), margin, this.y, { characterSpacing: 0.8 })
    this.set(fonts.bold, body, colours.warning)
    const wide = doc.widthOfString(pill) + 18
    doc
      .roundedRect(margin + this.width - wide, this.y + 4, wide, 20, 10)
      .lineWidth(0.8)
      .stroke(colours.warning)
    doc.text(pill, margin + this.width - wide, this.y + 9.5, { width: wide, align: 'center', lineBreak: false })
    this.set(fonts.bold, 17).text(title, margin, this.y + 11, { width: this.width - wide - 10, lineBreak: false })
    this.y += 36
    this.paragraph(facts, fonts.plain, body, colours.soft)
    this.rule(4)
  }

  stats(stats: readonly Stat[]): void {
    const { doc } = this
    const each = this.width / Math.max(stats.length, 1)
    let tallest = 0
    stats.forEach(({ value, unit, note }, n) => {
      const x = margin + n * each
      this.set(fonts.bold, 19).text(value, x, this.y, { lineBreak: false })
      this.set(fonts.plain, body).text(unit, x, this.y + 24, { lineBreak: false })
      this.set(fonts.plain, fine, colours.soft)
      tallest = Math.max(tallest, doc.heightOfString(note, { width: each - 12 }))
      doc.text(note, x, this.y + 36, { width: each - 12 })
    })
    this.y += 36 + tallest + 8
  }

  /** @param shares of the width, by column */
  table({ head, rows }: Table, shares: readonly number[]): void {
    const { doc } = this
    const widths = shares.map((share) => share * this.width)
    const at = (column: number) => margin + widths.slice(0, column).reduce((sum, wide) => sum + wide, 0)
    const line = (cells: readonly string[], font: string, size: number, colour: string, indent: number) => {
      this.set(font, size, colour)
      const options = (column: number) => ({
        width: widths[column] - (column === 0 ? indent + 4 : 4),
        align: column === 0 ? ('left' as const) : ('right' as const),
      })
      const height = Math.max(...cells.map((cell, column) => doc.heightOfString(cell, options(column))))
      cells.forEach((cell, column) => {
        const low = this.y + height - doc.heightOfString(cell, options(column))
        doc.text(cell, at(column) + (column === 0 ? indent : 4), low, options(column))
      })
      this.y += height
    }
    line(head, fonts.plain, fine, colours.soft, 12)
    this.hair(1.5)
    rows.forEach(({ cells, location, apart }, n) => {
      if (apart && n > 0) this.hair(0, colours.soft)
      this.y += 2.2
      if (location) doc.circle(margin + 4, this.y + 4.9, 3).fill(dots[location])
      line(cells, apart ? fonts.bold : fonts.plain, body, colours.ink, 12)
      this.y += 2.2
      if (n < rows.length - 1 && !rows[n + 1].apart) this.hair(0)
    })
    this.y += 5
  }

  heading(text: string): void {
    if (this.y > margin) this.y += 7
    this.paragraph(text, fonts.bold, 11, colours.ink)
  }

  strong(text: string): void {
    this.y += 6
    this.paragraph(text, fonts.bold, body, colours.ink)
  }

  text(text: string, colour: string = colours.ink, mostLines = 6): void {
    this.paragraph(text, fonts.plain, body, colour, mostLines)
  }

  small(text: string): void {
    this.paragraph(text, fonts.plain, fine, colours.soft, 4)
  }

  /** What a colour stands for. */
  legend(rows: readonly Row[]): void {
    const { doc } = this
    let x = margin
    this.set(fonts.plain, fine)
    for (const { cells, location } of rows) {
      if (location) doc.circle(x + 3, this.y + 4.2, 3).fill(dots[location])
      this.set(fonts.plain, fine).text(cells[0], x + 9, this.y, { lineBreak: false })
      x += doc.widthOfString(cells[0]) + 24
    }
    this.y += 12
  }

  /** False when there is no room left for it (and for a line that says so). */
  flag(label: string, message: string, colour: string): boolean {
    const { doc } = this
    const wide = this.width - 62
    this.set(fonts.plain, body)
    const height = doc.heightOfString(message, { width: wide })
    if (this.y + height + 14 > this.bottom) return false
    doc.rect(margin, this.y, 2.5, height).fill(colour)
    this.set(fonts.bold, body, colour).text(label, margin + 8, this.y, { width: 54, lineBreak: false })
    this.set(fonts.plain, body).text(message, margin + 62, this.y, { width: wide })
    this.y += height + 4
    return true
  }

  /** False when the list would leave less than `rest` points for what follows. */
  setting({ name, note, value }: MethodContent['settings'][number], rest: number): boolean {
    const { doc } = this
    if (this.y + 14 + rest > this.bottom) return false
    const [first, second, third] = [0.27, 0.2, 0.53].map((share) => share * this.width)
    this.set(fonts.plain, fine)
    const one = { height: 10, ellipsis: true }
    const noted = Math.min(note ? doc.heightOfString(note, { width: third - 4 }) : 0, 19)
    doc.text(name, margin, this.y, { ...one, width: first - 6 })
    this.set(fonts.bold, fine).text(value, margin + first, this.y, { ...one, width: second - 8 })
    if (note)
      this.set(fonts.plain, fine, colours.soft).text(note, margin + first + second, this.y, {
        width: third - 4,
        height: noted + 1,
        ellipsis: true,
      })
    this.y += Math.max(noted, 9) + 2
    this.hair(0)
    this.y += 2
    return true
  }

  caption(text: string, x: number, y: number, width: number): void {
    this.set(fonts.plain, fine, colours.soft).text(text, x, y, { width, height: 10, ellipsis: true })
  }

  /** Writes what stands at the foot of each page (left and right) and gives the file. */
  async finish(foot: (page: number) => readonly [string, string]): Promise<Uint8Array> {
    const { doc } = this
    const { count } = doc.bufferedPageRange()
    for (let page = 0; page < count; page++) {
      doc.switchToPage(page)
      // Below the margin pdfkit would begin a new page.
      doc.page.margins.bottom = 0
      const [left, right] = foot(page + 1)
      const y = doc.page.height - margin - 10
      doc
        .moveTo(margin, y - 5)
        .lineTo(margin + this.width, y - 5)
        .lineWidth(0.5)
        .stroke(colours.line)
      this.set(fonts.plain, 6.6, colours.soft)
      doc.text(left, margin, y, { width: this.width - 70, height: 18, ellipsis: true })
      doc.text(right, margin + this.width - 65, y, { width: 65, align: 'right', lineBreak: false })
    }
    const parts: Uint8Array[] = []
    const ended = new Promise<void>((done, fail) => {
      doc.on('data', (part: Uint8Array) => parts.push(part))
      doc.on('end', () => done())
      doc.on('error', fail)
    })
    doc.end()
    await ended
    return new Uint8Array(Buffer.concat(parts))
  }

  private set(font: string, size: number, colour: string = colours.ink): Doc {
    return this.doc.font(font).fontSize(size).fillColor(colour)
  }

  private paragraph(text: string, font: string, size: number, colour: string, mostLines = 6): void {
    this.set(font, size, colour)
    const most = Math.min(mostLines * 1.25 * size, Math.max(size * 1.3, this.bottom - this.y))
    const height = Math.min(this.doc.heightOfString(text, { width: this.width }), most)
    this.doc.text(text, margin, this.y, { width: this.width, height: height + 1, ellipsis: true })
    this.y += height + 2.5
  }

  private hair(below: number, colour: string = colours.line): void {
    this.doc
      .moveTo(margin, this.y)
      .lineTo(margin + this.width, this.y)
      .lineWidth(0.5)
      .stroke(colour)
    this.y += below
  }

  private rule(around: number): void {
    this.y += around
    this.hair(around + 4)
  }
}
