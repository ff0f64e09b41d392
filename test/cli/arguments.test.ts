import assert from 'node:assert/strict'
import { test } from 'node:test'
import { lesionwise } from './run.js'

test('help and version answer at once, on stdout, with exit code 0', async () => {
  for (const args of [
    ['--help'],
    ['--version'],
    ['segment', '--help'],
    ['demo', '--help'],
    ['methods', '--help'],
    ['view', '--help'],
    ['doctor', '--help'],
  ]) {
    const { code, stdout, stderr } = await lesionwise(args)
    assert.deepEqual([code, stderr], [0, ''], args.join(' '))
    if (args[0] !== '--version') assert.match(stdout, /Examples:/)
  }
})

test('wrong arguments: exit code 2, one line, and what was meant', async () => {
  const roura = ['segment', '--flair', 'x', '--out', 'y', '--method', 'roura2015']
  const cases: [string[], RegExp][] = [
    [['segmnt'], /unknown command 'segmnt' \(Did you mean segment\?\)/],
    [['segment', '--flar', 'x', '--out', 'y'], /unknown option '--flar' \(Did you mean --flair\?\)/],
    [['segment', '--flair', 'x'], /--out/],
    [
      ['segment', '--flair', 'x', '--out', 'y', '--method', 'roura2014'],
      /no method "roura2014"; did you mean roura2015\?/,
    ],
    [[...roura, '--param', 'alpha=99'], /alpha = 99 will not do: .*<=10/],
    [[...roura, '--param', 'beta=1'], /no parameter "beta"; it has preset, alpha/],
    [['segment', '--flair', 'x', '--out', 'y', '--param', 'alpha'], /NAME=VALUE/],
    [['segment', '--flair', 'x', '--out', 'y', '--threshold', '-3'], /--threshold: "-3" is not a number from 0 to 1/],
    [['segment', '--flair', 'x', '--out', 'y', '--connectivity', '7'], /6, 18, 26/],
    [[...roura, '--device', 'cuda'], /--device cuda/],
    [['segment', '--flair', 'x', '--out', 'y', '--threads', 'two'], /"two" is not a whole number/],
    [['segment', '--t1', 'x', '--out', 'y'], /no FLAIR is given/],
    [['segment', '--out', 'y'], /no FLAIR is given/],
    [['segment', '--lesion-mask', 'm', '--out', 'y'], /--lesion-mask needs the FLAIR/],
    [['methods', 'nothing'], /there is no method "nothing"/],
  ]
  for (const [args, message] of cases) {
    const { code, stdout, stderr } = await lesionwise(args)
    assert.equal(code, 2, args.join(' '))
    assert.match(stderr, /^lesionwise: [^\n]+\n$/, args.join(' '))
    assert.match(stderr, message)
    assert.equal(stdout, '')
  }
})

test('methods: a line each, a card, and the whole as JSON', async () => {
  const { methodList } = await import('../../src/methods/registry.js')
  const list = await lesionwise(['methods'])
  for (const { id } of methodList) assert.match(list.stdout, new RegExp(`^${id} `, 'm'))
  const json = JSON.parse((await lesionwise(['methods', '--json'])).stdout) as { id: string }[]
  assert.deepEqual(
    json.map(({ id }) => id),
    methodList.map(({ id }) => id),
  )
  const card = (await lesionwise(['methods', 'roura2015'])).stdout
  assert.match(card, /alpha +2\.25 .*\[0\.5 to 10\]/)
})

test('doctor finds this machine able', async () => {
  const { code, stdout } = await lesionwise(['doctor', '--json'])
  const { ok, checks } = JSON.parse(stdout) as { ok: boolean; checks: { name: string; ok: boolean; needed: boolean }[] }
  assert.equal(code, 0)
  assert.ok(ok)
  for (const check of checks) assert.ok(check.ok || !check.needed, check.name)
})
