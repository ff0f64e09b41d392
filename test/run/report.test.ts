import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { parseHTML } from 'linkedom'
import { InputError, UsageError } from '../../src/errors.js'
import { writeNifti } from '../../src/formats/nifti.js'
import { buildReport } from '../../src/report/page.js'
import { de } from '../../src/report/words/de.js'
import { en } from '../../src/report/words/en.js'
import { reportResult } from '../../src/run/report.js'
import { buildPdf } from '../../src/run/report-pdf.js'
import { compose, translation } from '../../src/volume/affine.js'
import { flair, reportInput } from '../report/phantom.js'
import { flairInput } from './made-up-result.js'
import { flairFile, storeResult } from './stored-result.js'

const base = mkdtempSync(join(tmpdir(), 'lesionwise-report-'))
const [now, old, image] = [join(base, 'now'), join(base, 'old'), join(base, 'FLAIR.nii.gz')]
before(async () => {
  await flairFile(image)
  await storeResult(now)
  await storeResult(old, { software: { name: 'lesionwise', version: '9.9.8', node: '20.0.0' } })
  const summary = JSON.parse(readFileSync(join(old, 'summary.json'), 'utf8'))
  // One lesion fewer, half the volume.
  const byLocation = {
    ...summary.byLocation,
    periventricular: { count: 1, volumeMl: 1.5 },
    infratentorial: { count: 0, volumeMl: 0 },
  }
  const less = { ...summary, lesionCount: 2, lesionVolumeMl: 2.4, byLocation }
  writeFileSync(join(old, 'summary.json'), JSON.stringify(less))
  const [head, ...rows] = readFileSync(join(old, 'lesions.tsv'), 'utf8').trimEnd().split('\n')
  writeFileSync(join(old, 'lesions.tsv'), `${[head, ...rows.slice(0, 2)].join('\n')}\n`)
})
after(() => rmSync(base, { recursive: true, force: true }))

const poppler = spawnSync('pdftotext', ['-v']).error === undefined
const withPoppler = poppler ? {} : { skip: 'pdftotext (poppler-utils) is not installed' }
const bytesOf = (pdf: Uint8Array) => Buffer.from(pdf).toString('latin1')
const pagesOf = (pdf: Uint8Array) => bytesOf(pdf).match(/\/Type \/Page\b(?!s)/g)?.length
/** The text of a PDF, as another program reads it. */
const textOf = (pdf: Uint8Array) =>
  spawnSync('pdftotext', ['-layout', '-', '-'], { input: pdf, encoding: 'utf8' }).stdout.replace(/\s+/g, ' ')
/** Programs that read text guess where a narrow gap is a blank. */
const dense = (text: string) => text.replace(/\s+/g, '')
const figuresOf = (page: string, section: string) => {
  const { document } = parseHTML(page)
  return Array.from(document.querySelectorAll(`#${section} .by tr`), (row) =>
    Array.from(row.querySelectorAll('th,td'), (cell) => cell.textContent ?? '')
      .filter(Boolean)
      .join(' '),
  )
}

test('two or three pages with embedded fonts, and the same bytes each time', async () => {
  const input = reportInput({ date: '2026-05-04' })
  const pdf = await buildPdf(input)
  assert.equal(pagesOf(pdf), 3)
  assert.equal(bytesOf(pdf).match(/\/FontFile2/g)?.length, 2)
  assert.doesNotMatch(bytesOf(pdf), /\/Subtype \/Type1\b/)
  assert.deepEqual(await buildPdf(input), pdf)
  assert.equal(pagesOf(await buildPdf({ ...input, flair: undefined })), 2)
})

test('what is long stays on three pages', withPoppler, async () => {
  const input = reportInput()
  const long = 'A sentence that goes on for a while, so that it needs more than one line on a page of paper. '.repeat(3)
  const flags = Array.from({ length: 30 }, (_, n) => ({ code: `c${n}`, severity: 'warning' as const, message: long }))
  const params = Object.fromEntries(Array.from({ length: 80 }, (_, n) => [`parameter_with_a_long_name_${n}`, n]))
  const pdf = await buildPdf({
    ...input,
    summary: { ...input.summary, flags },
    params,
    paramNotes: Object.fromEntries(Object.keys(params).map((name) => [name, long])),
    method: { ...input.method, describe: long.repeat(4) },
  })
  assert.equal(pagesOf(pdf), 3)
  const text = textOf(pdf)
  assert.match(text, /\d+ more in report\.html and summary\.json/)
  assert.match(text, /\d+ more in report\.html and provenance\.json/)
  assert.match(text, /Montalban/)
})

test('the page and the PDF say the same, in both languages, with letters as they are', withPoppler, async () => {
  for (const language of ['en', 'de'] as const) {
    const words = { en, de }[language]
    const input = reportInput({ language, visitDate: 'Łódź ≥ 3 mm³' })
    const page = await buildReport(input)
    const text = textOf(await buildPdf(input))
    assert.match(text, /Łódź ≥ 3 mm³/)
    for (const section of ['result', 'criteria'])
      for (const row of figuresOf(page, section)) assert.ok(dense(text).includes(dense(row)), `${language}: ${row}`)
    const { document } = parseHTML(page)
    assert.equal(document.documentElement.getAttribute('lang'), language)
    for (const one of Array.from(document.querySelectorAll('.stat b'), (b) => b.textContent ?? ''))
      assert.ok(dense(text).includes(dense(one)), one)
    assert.ok(page.includes(words.criteria.title) && text.includes(words.criteria.title))
    assert.ok(text.includes(words.research))
  }
})

test('German knows every phrase, and leaves none in English', () => {
  const paths = (value: unknown, path = ''): [string, unknown][] =>
    typeof value === 'object' && value !== null
      ? Object.entries(value).flatMap(([key, below]) => paths(below, `${path}.${key}`))
      : [[path, value]]
  const german = new Map(paths(de))
  const alike = paths(en).filter(([path, text]) => typeof text === 'string' && german.get(path) === text)
  assert.deepEqual(
    [...german.keys()].sort(),
    paths(en)
      .map(([path]) => path)
      .sort(),
  )
  const fine = /^\.(contrasts|planes|criteria\.region$)/
  assert.deepEqual(
    alike.map(([path]) => path).filter((path) => !fine.test(path)),
    [],
  )
})

test('a result gets its report anew, the figures as they were', async () => {
  const made = await reportResult({ result: now, flair: image, date: '2026-05-01' })
  assert.equal(made.pictures, true)
  const page = readFileSync(join(now, 'report.html'), 'utf8')
  const fresh = reportInput()
  assert.deepEqual(figuresOf(page, 'result'), figuresOf(await buildReport(fresh), 'result'))
  assert.deepEqual(figuresOf(page, 'criteria'), figuresOf(await buildReport(fresh), 'criteria'))
  assert.match(page, /visit 2026-05-01/)
  assert.match(page, /Roura/)
  assert.equal(pagesOf(readFileSync(join(now, 'report.pdf'))), 3)
  assert.deepEqual(
    made.criteriaRegions.map(({ lesions }) => lesions),
    [1, 1, 1],
  )
  assert.equal(made.lesionCount, 3)
})

test('anew, the T1 lies on the FLAIR as segment found it', async () => {
  const folder = join(base, 'with-t1')
  const t1 = join(base, 'T1.nii.gz')
  // The same head, its header moved by 20 mm: the recorded map undoes that.
  const affine = compose(translation([20, 0, 0]), flair.affine)
  writeFileSync(t1, await writeNifti({ ...flair, affine }))
  const sha256 = createHash('sha256').update(readFileSync(t1)).digest('hex')
  const inputs = [flairInput({ dims: flair.dims }), flairInput({ role: 't1', sha256, dims: flair.dims })]
  const aligned = { map: translation([20, 0, 0]), trust: 0.93 }
  const steps = [{ step: 'align-t1', version: 1, params: {}, result: aligned, seconds: 0 }]
  await storeResult(folder, { inputs, steps })
  const without = await reportResult({ result: folder, flair: image })
  assert.match(without.notes.join(), /how the T1 fits.*--t1 FILE/)
  const made = await reportResult({ result: folder, flair: image, t1 })
  assert.deepEqual(made.notes, [])
  const section = (page: string) => page.match(/<section id="registration".*?<\/section>/s)?.[0]
  const input = { ...reportInput(), t1: flair, registrationTrust: 0.93 }
  const shown = section(readFileSync(join(folder, 'report.html'), 'utf8'))
  assert.ok(shown?.includes('0.93'))
  assert.equal(shown, section(await buildReport(input)))
  await assert.rejects(reportResult({ result: folder, flair: image, t1: image }), /is not the T1 of this result/)
  // Another file on the same grid: whoever reads the report is told, too.
  const [sound] = inputs
  await storeResult(folder, { inputs: [{ ...sound, sha256 }], steps })
  await reportResult({ result: folder, flair: image })
  assert.match(readFileSync(join(folder, 'report.html'), 'utf8'), /another file than the FLAIR that was segmented/)
  await assert.rejects(reportResult({ result: now, flair: image, t1 }), /made without a T1/)
})

test('compared with an earlier visit: then, now, difference, and what was not made alike', async () => {
  const html = join(base, 'compared.html')
  const pdf = join(base, 'compared.pdf')
  const made = await reportResult({
    result: now,
    flair: image,
    earlier: old,
    date: '2026-05-01',
    earlierDate: '2025-05-02',
    html,
    pdf,
  })
  const page = readFileSync(html, 'utf8')
  const rows = figuresOf(page, 'earlier')
  const total = reportInput().summary.lesionVolumeMl
  const change = Number(total.toFixed(2)) - 2.4
  assert.match(rows[0], /Earlier \(2025-05-02\).*Now \(2026-05-01\)/)
  assert.ok(
    rows.includes(
      `Total 2 3 +1 2.40 ${total.toFixed(2)} +${change.toFixed(2)} +${((100 * change) / 2.4).toFixed(0)} %`,
    ),
    rows.join('\n'),
  )
  assert.ok(rows.some((row) => /^Infratentorial 0 1 \+1 0\.00 .* –$/.test(row)))
  assert.match(page, /not made alike \(version of the software\)/)
  assert.match(page, /not matched/)
  assert.deepEqual(made.earlier?.differences, ['version'])
  if (poppler) for (const row of rows.slice(1)) assert.ok(dense(textOf(readFileSync(pdf))).includes(dense(row)), row)
})

test('without the FLAIR there are no pictures, the report says so, and a page with pictures is kept', async () => {
  writeFileSync(join(now, 'report.html'), 'the page with pictures')
  const notes: string[] = []
  const made = await reportResult({ result: now, language: 'de', onNote: (text) => notes.push(text) })
  assert.equal(readFileSync(join(now, 'report.html'), 'utf8'), 'the page with pictures')
  assert.equal(made.html, undefined)
  assert.equal(made.pictures, false)
  assert.match(notes.join('\n'), /no pictures.*--flair[\s\S]*report\.html stays/)
  assert.equal(pagesOf(readFileSync(made.pdf)), 2)
  const html = join(base, 'blind.html')
  await reportResult({ result: now, language: 'de', html })
  assert.ok(readFileSync(html, 'utf8').includes(de.pictures.missing))
})

test('bad input: one line that says what to give, and nothing is written', async () => {
  const elsewhere = join(base, 'other.nii.gz')
  const { writeNifti } = await import('../../src/formats/nifti.js')
  writeFileSync(
    elsewhere,
    await writeNifti({
      ...flair,
      affine: [...flair.affine.slice(0, 3), 60, ...flair.affine.slice(4)] as unknown as typeof flair.affine,
    }),
  )
  const broken = join(base, 'broken')
  await storeResult(broken)
  writeFileSync(join(broken, 'summary.json'), '{"schemaVersion": 2}')
  const incomplete = join(base, 'incomplete')
  await storeResult(incomplete)
  rmSync(join(incomplete, 'provenance.json'))
  const clean = join(base, 'clean')
  await storeResult(clean)
  const before = readdirSync(clean).sort()
  for (const [options, kind, message] of [
    [{ result: join(base, 'nowhere') }, InputError, /no such folder/],
    [{ result: image }, InputError, /is a file/],
    [{ result: broken }, InputError, /summary\.json: is not the summary .*schemaVersion/],
    [{ result: incomplete }, InputError, /holds no provenance\.json/],
    [{ result: clean, flair: elsewhere }, InputError, /not the FLAIR of this result/],
    [{ result: clean, flair: join(base, 'none.nii.gz') }, InputError, /no such file/],
    [{ result: clean, earlier: clean }, UsageError, /is the result itself/],
    [{ result: clean, earlier: broken }, InputError, /is not the summary/],
    [{ result: clean, earlierDate: '2025-01-01' }, UsageError, /--earlier FOLDER/],
    [{ result: clean, earlier: old, date: '2025-01-01', earlierDate: '2026-01-01' }, UsageError, /is not before/],
    [{ result: clean, date: 'x'.repeat(30) }, UsageError, /24 characters/],
    [{ result: clean, pdf: join(clean, 'summary.json') }, UsageError, /is an input/],
    [{ result: clean, pdf: base }, UsageError, /is a folder/],
    [{ result: clean, pdf: join(base, 'x'), html: join(base, 'x') }, UsageError, /give two files/],
  ] as const)
    await assert.rejects(reportResult(options), (error: Error) => {
      assert.ok(error instanceof kind, `${error}`)
      assert.match(error.message, message)
      assert.doesNotMatch(error.message, /\n/)
      return true
    })
  assert.deepEqual(readdirSync(clean).sort(), before)
  assert.ok(!existsSync(join(base, 'x')))
})
