import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { methodList } from '../../src/methods/registry.js'
import { loadResults } from '../../src/methods/results.js'
import { lesionwise } from './run.js'

test('every method is listed; a card says what it does, when to use it, its parameters and what it reached', async () => {
  const list = await lesionwise(['methods'])
  for (const { id } of methodList) assert.match(list.stdout, new RegExp(`^${id} `, 'm'))
  const { methods } = await loadResults()
  const { stdout } = await lesionwise(['methods', 'roura2015'])
  for (const part of [/Use it: /, /Do not: /, /alpha +2\.25/, /doi:10\.1007/, /LTPR/, /Cost: /])
    assert.match(stdout, part)
  assert.ok(stdout.includes(methods.roura2015.overall.dice.toFixed(3)))
})

test('the results of every statistical method are there, of all scans', async () => {
  const { methods } = await loadResults()
  for (const { id, strategy, supervision } of methodList.filter((entry) => entry.strategy === 'statistical')) {
    assert.equal(strategy, 'statistical')
    assert.equal(methods[id]?.scans, 15, id)
    assert.equal(methods[id].outOfFold, supervision === 'supervised', id)
  }
})

test('the steps of a method are drawn on a simulated patient', async () => {
  const file = join(mkdtempSync(join(tmpdir(), 'steps-')), 'steps.svg')
  const { code } = await lesionwise(['methods', 'roura2015', '--figure', file])
  assert.equal(code, 0)
  const svg = readFileSync(file, 'utf8')
  assert.equal(svg.match(/<image /g)?.length, 6)
  for (const step of ['FLAIR', 'Certain lesion', 'Probability', 'Result']) assert.ok(svg.includes(`>${step}<`), step)
})

test('a figure of no method, of one that needs a model, or of one that is not there is refused in one line', async () => {
  const file = join(tmpdir(), 'no-such-figure.svg')
  for (const [args, message] of [
    [['--figure', file], /give its id/],
    [['unet3d', '--figure', file], /needs a model|model of yours/],
    [['rora2015', '--figure', file], /did you mean roura2015/],
  ] as const) {
    const { code, stderr } = await lesionwise(['methods', ...args])
    assert.equal(code, 2)
    assert.match(stderr, message)
    assert.ok(!existsSync(file))
  }
})
