import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { flairFile, storeResult } from '../run/stored-result.js'
import { lesionwise } from './run.js'

const base = mkdtempSync(join(tmpdir(), 'lesionwise-report-cli-'))
after(() => rmSync(base, { recursive: true, force: true }))
const [result, flair] = [join(base, 'result'), join(base, 'FLAIR.nii.gz')]

test('report writes page and PDF in the language asked for, and prints figures with --json', async () => {
  await storeResult(result)
  await flairFile(flair)
  const { code, stdout, stderr } = await lesionwise(['report', result, '--flair', flair, '--lang', 'de', '--json'])
  assert.equal(code, 0, stderr)
  const made = JSON.parse(stdout)
  assert.equal(made.lesionCount, 3)
  assert.equal(made.language, 'de')
  assert.match(readFileSync(join(result, 'report.html'), 'utf8'), /<html lang="de">[\s\S]*Läsionen/)
  assert.equal(readFileSync(join(result, 'report.pdf')).subarray(0, 5).toString(), '%PDF-')
  assert.ok(!readdirSync(result).some((name) => name.startsWith('.lesionwise')))
})

test('wrong arguments end with 2, an unusable folder with 3, each in one line', async () => {
  for (const [args, expected] of [
    [['report'], 2],
    [['report', result, '--lang', 'xx'], 2],
    [['report', result, '--earlier-date', '2026-01-01'], 2],
    [['report', join(base, 'nowhere')], 3],
    [['report', base], 3],
    [['report', result, '--flair', join(base, 'none.nii.gz')], 3],
  ] as const) {
    const { code, stdout, stderr } = await lesionwise([...args])
    assert.equal(code, expected, `${args.join(' ')}: ${stderr}`)
    assert.equal(stdout, '')
    assert.match(stderr, /^lesionwise: [^\n]+\n$/)
  }
})
