import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { parseHTML } from 'linkedom'
import { InputError } from '../../src/errors.js'
import { readSurvey, type Survey, scoreByYear, summariseKinds, withResults } from '../../src/evaluate/survey.js'
import { readTsv } from '../../src/formats/tsv.js'
import { shortName, surveyFigures } from '../../src/report/survey-figure.js'
import { surveyPage } from '../../src/report/survey-page.js'
import { surveyMarkdown, surveyTsv } from '../../src/report/survey-tables.js'

const root = fileURLToPath(new URL('../../', import.meta.url))
const real = join(root, '../shared/methods/deep/TABLES.json')
const skip = existsSync(real) ? false : `${real} is not on this machine`

const row = (
  method: string,
  kind: string,
  entry: boolean,
  score: number,
  ltpr: number,
  lfpr: number,
  dice?: number,
) => ({
  method,
  cite: '[1]',
  kind,
  challenge_entry: entry,
  score,
  LTPR: { mean: ltpr, sd: 0.1 },
  LFPR: { mean: lfpr, sd: 0.2 },
  ...(dice === undefined ? {} : { Dice: { mean: dice, sd: 0.15 } }),
})
const made = {
  source: 'A survey made up for this test',
  tableIII: {
    challenge: 'MICCAI-MSSEG 2008',
    columns: ['score', 'LTPR', 'LFPR'],
    rows: [
      row('Ash et al., 2008', 'statistical', true, 80, 0.4, 0.6),
      row('Birch & Co et al., 2017', 'deep', false, 86.5, 0.6, 0.5),
      row('Cedar et al.', 'statistical', false, 82, 0.5, 0.7),
    ],
  },
  tableIV: {
    challenge: 'ISBI 2015',
    columns: ['score', 'Dice', 'LTPR', 'LFPR'],
    rows: [
      row('Ash et al., 2008', 'statistical', true, 90, 0.2, 0.3, 0.58),
      row('Elm and Fir, 2019', 'deep', false, 92.25, 0.5, 0.1, 0.66),
      row('Ash et al., 2020', 'deep', false, 93, 0.55, 0.12, 0.67),
    ],
  },
  inconsistencies: [
    { id: 'table1-ash', certainty: 'certain', note: 'Ash is listed twice in Table I.' },
    { id: 'table4-ash', certainty: 'likely', note: 'Ash 2020 has the LFPR of <another> row & more.' },
  ],
}
const survey = readSurvey(JSON.stringify(made), 'made.json')

/** Each text of an SVG, as it is read. */
const texts = (svg: string): string[] =>
  Array.from(
    parseHTML(`<html><body>${svg}</body></html>`).document.querySelectorAll('svg text'),
    (t) => t.textContent ?? '',
  )

const json = (path: string) => JSON.parse(readFileSync(path, 'utf8')) as typeof made

function sameNumbers(mine: Survey, wanted: typeof made): void {
  for (const [n, table] of [wanted.tableIII, wanted.tableIV].entries()) {
    const { rows } = readTsv(surveyTsv(mine.tables[n]), 'table')
    assert.equal(rows.length, table.rows.length)
    for (const [i, { method, score, LTPR, LFPR, Dice }] of table.rows.entries()) {
      assert.equal(rows[i].method, method)
      const numbers = [score, LTPR.mean, LTPR.sd, LFPR.mean, LFPR.sd, Dice?.mean, Dice?.sd]
      const keys = ['score', 'ltpr', 'ltpr_sd', 'lfpr', 'lfpr_sd', 'dice', 'dice_sd']
      keys.forEach((key, k) =>
        assert.equal(rows[i][key], numbers[k] === undefined ? undefined : String(numbers[k]), key),
      )
    }
  }
}

test('tables hold the numbers of the JSON, in its order', () => {
  sameNumbers(survey, made)
  const markdown = surveyMarkdown(survey)
  assert.match(
    markdown,
    /\| Elm and Fir, 2019 \[1\] \| deep \| later \| 2019 \| 92.25 \| 0.66±0.15 \| 0.50±0.10 \| 0.10±0.20 \|/,
  )
  for (const { note } of made.inconsistencies) assert.ok(markdown.includes(note))
})

test('notes are set to the lines they name, by author and year', () => {
  assert.deepEqual(
    survey.tables.map(({ rows }) => rows.map(({ notes }) => notes)),
    [
      [[], [], []],
      [[], [], [2]],
    ],
  )
  assert.deepEqual(survey.tables[1].rows.map(shortName), ['Ash 2008', 'Elm 2019', 'Ash 2020†'])
})

test('each figure names each method once, its mark where the rates say', async () => {
  const figures = await surveyFigures(survey)
  assert.deepEqual(
    figures.map(({ name }) => name),
    ['figure-2', 'figure-3', 'by-challenge', 'by-year', 'by-kind'],
  )
  const first = ['Ash 2008', 'Birch & Co 2017', 'Cedar']
  const second = ['Ash 2008', 'Elm 2019', 'Ash 2020†']
  const wanted = [
    first,
    second,
    ...Array(3).fill(['Ash 2008 (III)', ...first.slice(1), 'Ash 2008 (IV)', ...second.slice(1)]),
  ]
  figures.forEach(({ svg, name }, n) => {
    for (const label of wanted[n]) assert.equal(texts(svg).filter((t) => t === label).length, 1, `${label} in ${name}`)
    assert.match(svg, /^<svg [^>]*xmlns="http:\/\/www.w3.org\/2000\/svg"[^>]*><title>/)
    const points = n < 2 ? survey.tables[n].rows : survey.tables.flatMap(({ rows }) => rows)
    const marks = [...svg.matchAll(/<title>[^<]*LTPR/g)]
    assert.equal(marks.length, points.length, name)
  })
  // Figure 2 spans 0.2 … 0.6 (1 − LFPR) over 790 pixels from 66, and 0.3 … 0.7 (LTPR) over 578 up from 660.
  const at = /translate\(([\d.]+),([\d.]+)\)[^>]*><title>Birch/.exec(figures[0].svg)!
  assert.ok(Math.abs(Number(at[1]) - (66 + (790 * 0.3) / 0.4)) < 1, at[1])
  assert.ok(Math.abs(Number(at[2]) - (660 - (578 * 0.3) / 0.4)) < 1, at[2])
})

test('own results join tables and figures; what does not fit is one clear error', async () => {
  const head = 'method\tchallenge\tscore\tltpr\tlfpr\tdice\tyear\tkind\n'
  const joined = withResults(
    survey,
    `${head}ours\tisbi2015\t91\t0.5\t0.2\t0.6\t2026\tstatistical\nhalf\tMICCAI-MSSEG 2008\tn/a\tn/a\t0.4\tn/a\tn/a\tdeep\n`,
    'ours.tsv',
  )
  assert.deepEqual(
    joined.tables.map(({ rows }) => rows.filter(({ own }) => own).map(({ method }) => method)),
    [['half'], ['ours']],
  )
  const figures = await surveyFigures(joined)
  assert.equal(texts(figures[1].svg).filter((t) => t === 'ours').length, 1)
  assert.equal(texts(figures[0].svg).filter((t) => t === 'half').length, 0)
  assert.ok(figures[1].svg.includes('own result') && !(await surveyFigures(survey))[1].svg.includes('own result'))
  assert.deepEqual(summariseKinds(joined), summariseKinds(survey))
  for (const [line, message] of [
    [
      'a\twmh2017\t1\t0\t0\t0\t2020\tdeep',
      /line 2: the challenge "wmh2017" has no table; give MICCAI-MSSEG 2008 or ISBI 2015/,
    ],
    ['a\tisbi2015\t1\t62\t0\t0\t2020\tdeep', /line 2: ltpr is "62"; give a number from 0 to 1/],
    ['a\tisbi2015\t1\t0\t0\t0\t2020\tmagic', /kind is "magic"/],
    ['n/a\tisbi2015\t1\t0\t0\t0\t2020\tdeep', /no name/],
    ['Elm and Fir, 2019\tisbi2015\t1\t0\t0\t0\t2020\tdeep', /in this table already/],
  ] as const)
    assert.throws(
      () => withResults(survey, `${head}${line}\n`, 'ours.tsv'),
      (error) => error instanceof InputError && message.test(error.message),
    )
  assert.throws(() => withResults(survey, 'method\tscore\n', 'o.tsv'), /no column "challenge"/)
})

test('a file that is no survey is told so', () => {
  assert.throws(() => readSurvey('{', 'x.json'), /^InputError: x.json: is not JSON/)
  const broken = structuredClone(made)
  broken.tableIV.rows[1].LTPR.mean = 58
  assert.throws(() => readSurvey(JSON.stringify(broken), 'x.json'), /x.json: .*tableIV.rows.1.LTPR.mean: Too big/)
  assert.throws(() => readSurvey('[]', 'x.json'), InputError)
})

test('summaries by kind and year, by hand', () => {
  const [statistical, deep] = summariseKinds(survey)
  assert.deepEqual([statistical.score.n, statistical.score.mean, deep.score.mean], [2, 81, 86.5])
  assert.deepEqual(
    scoreByYear(survey).map(({ tau, n }) => [tau, n]),
    [
      [1, 2],
      [1, 3],
    ],
  )
})

test('the page needs no other file, escapes what it is given, and links notes to their list', async () => {
  const page = surveyPage(survey, await surveyFigures(survey), {
    software: { name: 'lesionwise', version: '0' },
    date: '2026-01-01',
  })
  const { document } = parseHTML(page)
  assert.equal(document.querySelectorAll('figure svg').length, 5)
  assert.equal(document.querySelectorAll('#inconsistencies li').length, 2)
  assert.equal(document.querySelector('#note-2')?.textContent, 'likely. Ash 2020 has the LFPR of <another> row & more.')
  assert.equal(document.querySelector('#table-4 sup a')?.getAttribute('href'), '#note-2')
  assert.doesNotMatch(page, /(src|href)="(https?:|\/)/)
  const ids = Array.from(document.querySelectorAll('[id]'), (element) => element.id)
  assert.equal(new Set(ids).size, ids.length, 'an id is there twice')
})

test('the survey of Ma et al.: 13 + 13 methods, numbers as in the file, each once in its figure', {
  skip,
}, async () => {
  const ma = readSurvey(readFileSync(real, 'utf8'), real)
  sameNumbers(ma, json(real))
  assert.deepEqual(
    ma.tables.map(({ rows }) => rows.length),
    [13, 13],
  )
  const figures = await surveyFigures(ma)
  ma.tables.forEach(({ rows }, n) => {
    const seen = texts(figures[n].svg)
    for (const name of rows.map(shortName)) assert.equal(seen.filter((t) => t === name).length, 1, name)
  })
  for (const { svg } of figures.slice(2)) assert.equal([...svg.matchAll(/<title>[^<]*LTPR/g)].length, 26)
  const list = surveyMarkdown(ma)
  for (const { note } of json(real).inconsistencies) assert.ok(list.includes(note))
})

test('the command writes its files, and says in one line what is wrong', () => {
  const folder = mkdtempSync(join(tmpdir(), 'survey-'))
  const tables = join(folder, 'made.json')
  writeFileSync(tables, JSON.stringify(made))
  const command = ['--import', 'tsx', 'scripts/survey.ts']
  try {
    execFileSync(process.execPath, [...command, '--tables', tables, '--out', join(folder, 'out')], { cwd: root })
    assert.deepEqual(readdirSync(join(folder, 'out')).sort(), [
      'by-challenge.svg',
      'by-kind.svg',
      'by-year.svg',
      'figure-2.svg',
      'figure-3.svg',
      'survey.html',
      'table-3.tsv',
      'table-4.tsv',
      'tables.md',
    ])
    const wrong = spawnSync(process.execPath, [...command, '--tables', join(folder, 'none.json'), '--out', folder], {
      cwd: root,
      encoding: 'utf8',
    })
    assert.equal(wrong.status, 3)
    assert.match(wrong.stderr, /^lesionwise: .*none.json: cannot be read \(ENOENT\); give a file that is there\n$/)
  } finally {
    rmSync(folder, { recursive: true })
  }
})
