import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compareGroups, findOutliers } from '../../src/cohort/cohort-analysis.js'
import { cohortTable } from '../../src/cohort/cohort-table.js'
import { readTsv } from '../../src/formats/tsv.js'
import { buildCohortPage } from '../../src/report/cohort-page.js'
import { madeUpCohort, madeUpVisit } from './made-up-cohort.js'

const none = {
  lesionMl: Number.NaN,
  lesionCount: Number.NaN,
  percentOfBrain: Number.NaN,
  brainMl: Number.NaN,
  byLocation: {},
  report: undefined,
}
const failed = madeUpVisit('900', 1, 0, {
  ...none,
  status: 'failed',
  reason: 'x_FLAIR.nii.gz: <cut> short',
  minutes: Number.NaN,
})

const withoutScript = (page: string): string => page.replace(/<script>[\s\S]*<\/script>/, '')

test('groups: a load twice as high at the same age is found, the brain is not said to differ', () => {
  const {
    groups,
    differences,
    joint,
    leftOut,
    none: why,
  } = compareGroups([...madeUpCohort(40), failed], 'group', ['age', 'sex'])
  assert.equal(why, undefined)
  assert.deepEqual(
    [groups, leftOut],
    [
      [
        { name: 'RRMS', n: 20 },
        { name: 'SPMS', n: 20 },
      ],
      0,
    ],
  )
  const of = (name: string) => differences.find(({ figure }) => figure === name)!
  // (8 + 1) / (4 + 1), since one is added before the logarithm.
  assert.ok(of('lesionMl').low < 1.8 && of('lesionMl').high > 1.8, JSON.stringify(of('lesionMl')))
  assert.ok(of('lesionMl').adjusted < 1e-6 && of('lesionMl').rankP < 1e-6 && of('brainMl').adjusted > 0.05)
  assert.ok(of('lesionMl').adjusted >= of('lesionMl').p)
  // Two groups: the joint test is the same test.
  assert.ok(Math.abs(joint[0].p - of('lesionMl').p) < 1e-9)
})

test('groups: why nothing is compared', () => {
  const visits = madeUpCohort(12)
  const why = (change: (n: number) => object, covariates: string[] = []) =>
    compareGroups(
      visits.map((visit) => ({ ...visit, ...change(Number(visit.subject)) })),
      'group',
      covariates,
    ).none
  assert.match(why(() => ({ group: undefined })) ?? '', /no column "group" with values/)
  assert.match(why(() => ({ group: 'A' })) ?? '', /all people .* are of one group/)
  assert.match(why((n) => ({ group: n < 3 ? 'A' : 'B' })) ?? '', /A has 2 people; three are the least/)
  const told = why((n) => ({ group: n % 2 ? 'A' : 'B', covariates: { site: n % 2 ? 'x' : 'y' } }), ['site'])
  assert.match(told ?? '', /the column site y follows from the others/)
})

test('outliers: far from the others, leaps between visits, doubts of the run', () => {
  const visits = [
    ...madeUpCohort(30),
    madeUpVisit('901', 1, 300),
    madeUpVisit('902', 1, 5),
    madeUpVisit('902', 2, 13, { brainMl: 1250 }),
    madeUpVisit('903', 1, 5, { doubts: ['The slices are thick.'] }),
    failed,
  ]
  const found = findOutliers(visits)
  const of = (id: string) =>
    found
      .filter((one) => one.id === id)
      .map(({ why }) => why)
      .join(' ')
  assert.match(of('sub-901_ses-1'), /Lesion volume, ml: 300\.0, .*robust z/)
  assert.match(of('sub-902_ses-2'), /The brain is 11 % smaller than at sub-902_ses-1.*more than doubled or halved/)
  assert.match(of('sub-903_ses-1'), /The slices are thick\./)
  assert.equal(of('sub-900_ses-1'), '')
  assert.equal(found.filter(({ id }) => id.startsWith('sub-0')).length, 0)
})

test('table and page: a row a visit, every column explained, failures with reasons, escaped', async () => {
  const visits = [...madeUpCohort(20), failed]
  const outliers = findOutliers(visits)
  const { table, dictionary } = cohortTable(visits, { groupColumn: 'group', covariates: ['age', 'sex'], outliers })
  const { columns, rows } = readTsv(table, 'cohort.tsv')
  assert.deepEqual(Object.keys(JSON.parse(dictionary)), columns)
  assert.equal(rows.length, visits.length)
  const last = rows.at(-1)
  assert.deepEqual(
    [last?.status, last?.reason, last?.lesion_volume],
    ['failed', 'x_FLAIR.nii.gz: <cut> short', undefined],
  )
  const page = await buildCohortPage({
    software: { name: 'Lesionwise', version: '0' },
    date: '2026-01-01',
    dataset: 'Made up',
    ...{ visits, outliers, problems: [], mixed: [] },
    comparison: compareGroups(visits, 'group', ['age', 'sex']),
    methods: [{ id: 'roura2015', n: 20 }],
  })
  assert.match(page, /x_FLAIR\.nii\.gz: &lt;cut&gt; short/)
  for (const id of ['spread', 'course', 'groups', 'outliers', 'failed']) assert.match(page, new RegExp(`id="${id}"`))
  assert.match(page, /href="sub-001\/ses-1\/sub-001_ses-1_report\.html"/)
  assert.doesNotMatch(withoutScript(page), /NaN|undefined/)
})

test('a cohort without any result still makes a page', async () => {
  const comparison = compareGroups([failed], 'group', [])
  const page = await buildCohortPage({
    ...{ software: { name: 'Lesionwise', version: '0' }, date: '2026-01-01', outliers: [], problems: [], mixed: [] },
    ...{ visits: [failed], comparison, methods: [] },
  })
  assert.doesNotMatch(withoutScript(page), /NaN|undefined/)
})
