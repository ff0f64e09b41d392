import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inParallel } from '../../src/cohort/pool.js'
import { reasonOf, runScript } from '../../src/cohort/processes.js'
import { assertSame } from '../../src/cohort/runs.js'
import { RunError } from '../../src/errors.js'

const ended = { timedOut: false, stdout: '', stderr: '', seconds: 1 }
const { signal } = new AbortController()

test('why a process failed, in one line', () => {
  const said = 'Note: thick slices\nlesionwise: F.nii: all voxels are zero; give another\n'
  assert.equal(reasonOf({ ...ended, code: 3, stderr: said }), 'F.nii: all voxels are zero; give another')
  assert.match(reasonOf({ ...ended, signal: 'SIGKILL' }), /ended by SIGKILL.*out of memory/)
  const heap = '<--- Last few GCs --->\nFATAL ERROR: Reached heap limit Allocation failed\n 1: 0xb7 node::Abort\n'
  assert.match(reasonOf({ ...ended, code: 134, stderr: heap }), /ended with code 134: FATAL ERROR: Reached heap limit/)
  assert.equal(reasonOf({ ...ended, code: 1 }), 'ended with code 1')
  assert.equal(reasonOf({ ...ended, signal: 'SIGTERM', timedOut: true }, 5), 'took longer than the 5 s allowed')
})

test('a script runs in a process of its own; aborted before it starts, it does not', async () => {
  const { code, stdout } = await runScript('cli/main.js', ['--version'], { signal })
  assert.equal(code, 0)
  assert.match(stdout, /^\d+\.\d+\.\d+\n$/)
  const none = await runScript('cohort/none.js', [], { signal })
  assert.match(reasonOf(none), /^ended with code 1: Error: Cannot find module/)
  await assert.rejects(runScript('cli/main.js', [], { signal: AbortSignal.abort() }), { name: 'AbortError' })
})

test('what differs from an earlier run is named', () => {
  const before = { version: '1', method: 'm', params: { k: 1, f: 'a' }, images: { flair: 'aa' }, seed: 1 }
  assertSame(before, { ...before, params: { f: 'a', k: 1 } }, 'runs/m/a')
  const changed: [Partial<typeof before>, RegExp][] = [
    [{ version: '2' }, /runs\/m\/a: .*version 1, this is 2/],
    [{ params: { k: 2, f: 'a' } }, /k = 1, not 2/],
    [{ images: { flair: 'bb' } }, /another FLAIR image/],
    [{ seed: 2 }, /seed 1, not 2/],
  ]
  for (const [change, message] of changed)
    assert.throws(
      () => assertSame(before, { ...before, ...change }, 'runs/m/a'),
      (error) => error instanceof RunError && message.test(error.message),
    )
})

test('jobs: at most so many at a time; the first error stops the rest and is thrown', async () => {
  let [now, most] = [0, 0]
  const seen: number[] = []
  const work = async (item: number) => {
    most = Math.max(most, ++now)
    await new Promise((resolve) => setTimeout(resolve, 2))
    now--
    seen.push(item)
  }
  await inParallel([1, 2, 3, 4, 5], 2, signal, work)
  assert.deepEqual([most, [...seen].sort()], [2, [1, 2, 3, 4, 5]])
  seen.length = 0
  const failing = async (item: number) => {
    if (item === 2) throw new RunError('the disk is full')
    await work(item)
  }
  await assert.rejects(inParallel([1, 2, 3, 4, 5], 1, signal, failing), /the disk is full/)
  assert.deepEqual(seen, [1])
})
