import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseHTML } from 'linkedom'
import { buildBenchmarkPage } from '../../src/report/benchmark-page.js'
import { png } from '../../src/report/raster.js'
import { failedRun, madeUpBenchmark, madeUpResult, madeUpRun, pageInput } from '../cohort/made-up.js'

const methods = ['alpha2001', 'beta2010', 'gamma2015']
const picture = (which: 'best' | 'worst') =>
  ({ method: 'beta2010', case: 'case-3', dice: 0.7, which, png: png(new Uint8Array(12), 2, 2, 3) }) as const
const text = await buildBenchmarkPage(pageInput(madeUpBenchmark(methods), [picture('best'), picture('worst')]))
const { document } = parseHTML(text)
const found = (selector: string) => Array.from(document.querySelectorAll(selector))
const cells = (selector: string) => found(selector).map((cell) => cell.textContent ?? '')

test('the page needs no network, and what a run said stands in it as text', () => {
  assert.doesNotMatch(text, /(src|href)="(https?:)?\/\//)
  assert.match(text, /Research only\. Not for diagnosis\./)
  assert.match(text, /&lt;b&gt;no brain&lt;\/b&gt;/)
  for (const name of ['results.tsv', 'benchmark.json']) assert.ok(document.querySelector(`a[href="${name}"]`), name)
})

test('every part that was promised is there, in the list of sections and under headings', () => {
  const ids = found('main section').map(({ id }) => id)
  assert.deepEqual(ids, [
    ...['ranking', 'spread', 'comparison', 'cases', 'load', 'size', 'volume', 'cost', 'pictures', 'measures'],
    ...['failed', 'method'],
  ])
  assert.equal(found('nav a').length, ids.length)
  assert.equal(found('#comparison .ranks').length, 2)
  assert.equal(found('#pictures img[alt]').length, 2)
  for (const svg of found('.panel svg')) assert.ok(svg.getAttribute('aria-label'))
})

test('methods stand by their place; the failed run shows in its cell, the reports are linked', () => {
  assert.deepEqual(
    cells('#ranking .list tbody th').map((name) => name.trim()),
    ['gamma2015', 'beta2010', 'alpha2001'],
  )
  assert.equal(cells('#cases .heat .none').filter((cell) => cell === 'failed').length, 2)
  assert.equal(found('#cases .heat a').length, 2 * (3 * 14 - 1))
  assert.deepEqual(cells('#failed tbody th'), ['case-3', 'case-99'])
})

test('two methods: the page says why there is no diagram; one method: nobody to be compared with', async () => {
  const two = await buildBenchmarkPage(pageInput(madeUpBenchmark(['x', 'y'])))
  assert.match(two, /Not drawn: mean ranks of two methods tell no more/)
  const one = await buildBenchmarkPage(pageInput(madeUpResult(['x'], [madeUpRun('x', 'a', 0.7)])))
  assert.doesNotMatch(one, /id="comparison"/)
  assert.doesNotMatch(one.slice(one.indexOf('<main>'), one.indexOf('<footer>')), /NaN|undefined|Infinity/)
})

test('nothing worked: the page has the reasons', async () => {
  const none = await buildBenchmarkPage(pageInput(madeUpResult(['x'], [failedRun('x', 'a', 'out of memory')])))
  assert.match(none, /No method gave a result/)
  assert.match(none, /out of memory/)
})
