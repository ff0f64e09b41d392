import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { reportInput } from '../report/phantom.js'
import { published } from './published.js'

const { summary } = reportInput()

test('the published schema is that of the code, and takes what is written', () => {
  const cwd = fileURLToPath(new URL('../..', import.meta.url))
  execFileSync(process.execPath, ['--import', 'tsx', 'scripts/schemas.ts', '--check'], { cwd, stdio: 'pipe' })
  for (const one of [
    summary,
    { ...summary, lesionVolumePercentOfBrain: null },
    { ...summary, model: 'multislice', connectivity: 26 },
    { ...summary, addedLater: 1 },
  ])
    assert.equal(published.safeParse(one).error, undefined)
})

test('what is no summary does not pass', () => {
  const { byLocation: _, ...without } = summary
  for (const bad of [
    null,
    {},
    without,
    { ...summary, schemaVersion: 2 },
    { ...summary, lesionCount: 1.5 },
    { ...summary, lesionVolumeMl: -1 },
    { ...summary, connectivity: 8 },
    { ...summary, flags: [{ code: 'x', severity: 'bad', message: 'y' }] },
    { ...summary, byLocation: { ...summary.byLocation, subcortical: { count: 1 } } },
  ])
    assert.equal(published.safeParse(bad).success, false, JSON.stringify(bad))
})
