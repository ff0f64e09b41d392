import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { locationHex } from '../lesions/types.js'
import { contentOf, type ReportContent, type Table } from '../report/content.js'
import type { ReportInput } from '../report/input.js'
import { type PrintPicture, type PrintPictures, printPictures } from '../report/print.js'
import { colours, type Doc, fonts, margin, Paper, severityColours } from './paper.js'
import { trueTypeOf } from './woff.js'

/**
 * The report on one to three A4 pages: figures and doubts, pictures, method. The same content as the HTML page; fonts are
 * embedded; the same input gives the same bytes.
 */
export async function buildPdf(input: ReportInput): Promise<Uint8Array> {
  const content = contentOf(input)
  const paper = await openPaper(content, input)
  firstPage(paper, content, input.flair !== undefined)
  const pictures = printPictures(input)
  if (pictures) {
    paper.nextPage()
    picturePage(paper, content, pictures, input.lesions.length)
  }
  paper.nextPage()
  methodPage(paper, content)
  const { words } = content.speech
  const total = String(pictures ? 3 : 2)
  return await paper.finish((page) => [words.footer(content.software), words.page(String(page), total)])
}

/** pdfkit and the fonts are loaded only when a PDF is wanted. */
async function openPaper({ speech, software }: ReportContent, { date }: ReportInput): Promise<Paper> {
  const { default: PdfDocument } = await import('pdfkit')
  const resolve = createRequire(import.meta.url).resolve
  // The name says "latin"; the file holds the whole font.
  const font = async (weight: number) =>
    Buffer.from(
      trueTypeOf(await readFile(resolve(`@fontsource/dejavu-sans/files/dejavu-sans-latin-${weight}-normal.woff`))),
    )
  // The clock stays out of it: a result's report is the same whenever it is written.
  const written = new Date(/^\d{4}-\d\d-\d\d$/.test(date ?? '') ? `${date}T00:00:00Z` : 0)
  const options = {
    size: 'A4',
    margin,
    font: null,
    pdfVersion: '1.7',
    lang: speech.words.language,
    displayTitle: true,
    bufferPages: true,
    info: {
      Title: speech.words.title,
      Author: '',
      Creator: software,
      Producer: 'PDFKit',
      CreationDate: written,
      ModDate: written,
    },
  }
  const doc: Doc = new PdfDocument(options as unknown as PDFKit.PDFDocumentOptions)
  doc.registerFont(fonts.plain, await font(400))
  doc.registerFont(fonts.bold, await font(700))
  return new Paper(doc)
}

function firstPage(paper: Paper, content: ReportContent, hasPictures: boolean): void {
  const { words } = content.speech
  paper.title(content.software.split(' ')[0], words.title, content.facts.join(' · '), words.research)
  paper.stats(content.stats)
  paper.table(content.byLocation, [0.46, 0.18, 0.18, 0.18])
  paper.heading(words.criteria.title)
  paper.text(content.criteria.sentence)
  paper.small(content.criteria.lead)
  paper.table(content.criteria.table, [0.46, 0.18, 0.18, 0.18])
  if (content.earlier) {
    paper.heading(words.earlier.title)
    paper.table(splitHead(content.earlier.table), [0.2, 0.13, 0.13, 0.08, 0.13, 0.13, 0.09, 0.11])
    for (const note of content.earlier.notes) paper.text(note, colours.warning)
    paper.small(words.earlier.lead)
  }
  paper.heading(words.quality.title)
  if (!hasPictures) paper.small(words.pictures.missing)
  if (content.flags.length === 0) paper.text(words.quality.none)
  const left = content.flags.findIndex(
    ({ severity, label, message }) => !paper.flag(label, message, severityColours[severity]),
  )
  if (left >= 0) paper.small(words.quality.more(String(content.flags.length - left)))
}

/** Long heads break at the colon and before the date. */
const splitHead = ({ head, rows }: Table): Table => ({
  head: head.map((name) => name.replace(': ', ':\n').replace(' (', '\n(')),
  rows,
})

/** Points between pictures. */
const gap = 6

function picturePage(paper: Paper, content: ReportContent, pictures: PrintPictures, lesions: number): void {
  const { words } = content.speech
  paper.heading(words.pictures.title)
  paper.small(`${lesions > 0 ? words.pictures.withLesions : words.pictures.withoutLesions}. ${words.pictures.sides}`)
  paper.legend(content.byLocation.rows.filter(({ location, cells }) => location !== undefined && cells[1] !== '0'))
  const top = paper.y + 4
  const height = (paper.bottom - top) / pictures.key.length - 14 - gap
  const columns = pictures.close.length > 0 ? 3 : 2
  const widest = Math.max(...pictures.key.map(({ widthMm }) => widthMm))
  const column = (paper.width - (columns - 1) * gap) / columns
  const scale = Math.min(height / pictures.tallestMm, column / widest)
  const rowHeight = scale * pictures.tallestMm
  pictures.key.forEach((picture, row) => {
    const y = top + row * (rowHeight + 14 + gap)
    const plain = { ...picture, edges: [] }
    for (const [at, one] of [plain, picture].entries())
      drawPicture(paper, one, { x: margin + at * (column + gap), y, width: column, height: rowHeight, scale })
    paper.caption(picture.caption, margin, y + rowHeight + 2, 2 * column + gap)
  })
  const x = margin + 2 * (column + gap)
  const end = top + pictures.key.length * (rowHeight + 14 + gap)
  const step = Math.min((end - top) / Math.max(pictures.close.length, 1), column + 14 + gap)
  const side = step - 14 - gap
  pictures.close.forEach((picture, n) => {
    const y = top + n * step
    const closeScale = side / Math.max(picture.widthMm, picture.heightMm)
    drawPicture(paper, picture, { x, y, width: side, height: side, scale: closeScale })
    paper.caption(picture.caption, x, y + side + 2, column)
  })
}

interface Place {
  x: number
  y: number
  width: number
  height: number
  /** Points a mm. */
  scale: number
}

/** A picture in the middle of a black box. */
function drawPicture({ doc }: Paper, picture: PrintPicture, { x, y, width, height, scale }: Place): void {
  const [w, h] = [picture.widthMm * scale, picture.heightMm * scale]
  const [left, top] = [x + (width - w) / 2, y + (height - h) / 2]
  doc.save().rect(x, y, width, height).clip()
  doc.rect(x, y, width, height).fill('#000')
  doc.image(Buffer.from(picture.png), left, top, { width: w, height: h })
  doc.save().translate(left, top).scale(scale)
  for (const { location, path } of picture.edges)
    doc
      .path(path)
      .lineWidth(0.9 / scale)
      .lineCap('square')
      .stroke(locationHex(location))
  doc.restore()
  if (picture.sides) {
    const { left: l, right: r, top: t, bottom: b } = picture.sides
    doc.font(fonts.bold).fontSize(7).fillColor('#fff')
    const letter = (text: string, at: number, down: number) =>
      doc.text(text, at - 6, down - 4, { width: 12, align: 'center', lineBreak: false })
    letter(l, x + 7, y + height / 2)
    letter(r, x + width - 7, y + height / 2)
    letter(t, x + width / 2, y + 7)
    letter(b, x + width / 2, y + height - 7)
  }
  doc.restore()
}

function methodPage(paper: Paper, { speech, method }: ReportContent): void {
  const { words } = speech
  paper.heading(words.method.title)
  paper.strong(method.title)
  paper.text(method.describe, colours.ink, 8)
  if (method.citation) paper.small(method.citation)
  paper.strong(words.method.paper)
  paper.text(method.paper, colours.ink, 12)
  paper.strong(words.method.settings)
  // What follows the list needs its room too.
  const rest = 26 + 14 * method.versions.length + 26 * (method.references.length + 1)
  const left = method.settings.findIndex((one) => !paper.setting(one, rest))
  if (left >= 0) paper.small(words.method.more(String(method.settings.length - left)))
  paper.strong(words.method.versions)
  for (const version of method.versions) paper.small(version)
  paper.strong(words.method.references)
  for (const reference of method.references) paper.small(reference)
}
