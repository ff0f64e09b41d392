import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { RunError } from '../../src/errors.js'
import { diskStore } from '../../src/run/cache.js'
import { type OwnFile, openOutputFolder } from '../../src/run/output-folder.js'

const base = mkdtempSync(join(tmpdir(), 'lesionwise-run-'))
after(() => rmSync(base, { recursive: true, force: true }))
const files = (text: string, ...names: OwnFile[]) => new Map(names.map((name) => [name, text] as const))

test('a result appears whole, replaces only our own files, and leaves nothing of the run behind', async () => {
  const out = join(base, 'a', 'b')
  const first = await openOutputFolder(out)
  await first.publish(files('one', 'summary.json', 'lesion_probability.nii.gz', 'provenance.json'))
  await first.release()
  writeFileSync(join(out, 'notes.txt'), 'mine')
  const second = await openOutputFolder(out)
  await second.publish(files('two', 'summary.json', 'provenance.json'))
  await second.release()
  assert.deepEqual(readdirSync(out).sort(), ['notes.txt', 'provenance.json', 'summary.json'])
  assert.equal(readFileSync(join(out, 'summary.json'), 'utf8'), 'two')
})

test('a run that fails leaves an earlier result as it was, and no folder that was not there', async () => {
  const out = join(base, 'kept')
  const good = await openOutputFolder(out)
  await good.publish(files('good', 'summary.json', 'provenance.json'))
  await good.release()
  await (await openOutputFolder(out)).release()
  assert.equal(readFileSync(join(out, 'summary.json'), 'utf8'), 'good')
  await (await openOutputFolder(join(base, 'never'))).release()
  assert.ok(!readdirSync(base).includes('never'))
})

test('two runs do not share a folder, within a process or between two', async () => {
  const out = join(base, 'shared')
  const first = await openOutputFolder(out)
  await assert.rejects(
    openOutputFolder(out),
    (error) => error instanceof RunError && error.exitCode === 1 && /another run/.test(error.message),
  )
  await first.release()
  const sleeper = spawn(process.execPath, ['-e', 'setTimeout(() => {}, 20000)'])
  mkdirSync(out, { recursive: true })
  writeFileSync(join(out, '.lesionwise-lock'), String(sleeper.pid))
  await assert.rejects(openOutputFolder(out), new RegExp(`process ${sleeper.pid}`))
  sleeper.kill('SIGKILL')
  await new Promise((resolve) => sleeper.on('exit', resolve))
  // The process is gone: its lock is taken over, and what it left half-written is removed.
  mkdirSync(join(out, '.lesionwise-new-1'))
  const next = await openOutputFolder(out)
  assert.ok(!readdirSync(out).includes('.lesionwise-new-1'))
  await next.release()
})

test('a run on another machine keeps its folder while it shows signs of life, and no longer', async () => {
  const out = join(base, 'nodes')
  mkdirSync(out, { recursive: true })
  const lock = join(out, '.lesionwise-lock')
  // Its process number means nothing here, even if it is that of a living one.
  writeFileSync(lock, `${process.pid} other-node`)
  await assert.rejects(openOutputFolder(out), /a run on another machine \(other-node\) is working in this folder/)
  const long = new Date(Date.now() - 600_000)
  utimesSync(lock, long, long)
  const mine = await openOutputFolder(out)
  assert.match(readFileSync(lock, 'utf8'), new RegExp(`^${process.pid} \\S+$`))
  await mine.release()
  assert.ok(!existsSync(out) || !readdirSync(out).includes('.lesionwise-lock'))
})

test('a folder that cannot be is named with the reason', async () => {
  const file = join(base, 'file')
  writeFileSync(file, 'x')
  for (const path of [file, join(file, 'below')])
    await assert.rejects(
      openOutputFolder(path),
      (error) =>
        error instanceof RunError && error.message.startsWith(`${path}: `) && /not a folder/.test(error.message),
    )
})

test('steps are kept on disk and read back; a damaged or missing one is computed again', async () => {
  const folder = join(base, 'work')
  const store = diskStore(folder)
  const image = {
    dims: [2, 1, 2] as const,
    affine: [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1],
    data: Float32Array.of(1, 2.5, -3, 4),
  }
  const mask = { ...image, data: Uint8Array.of(1, 0, 1, 1) }
  const value = { image, mask, map: [1, 2, 3], trust: 0.5, good: true }
  assert.equal(await store.load('k'), undefined)
  await store.save('k', value)
  assert.deepEqual(await store.load('k'), value)
  const path = join(folder, 'k.step')
  const bytes = readFileSync(path)
  bytes[bytes.length - 2] ^= 1
  writeFileSync(path, bytes)
  assert.equal(await store.load('k'), undefined)
  writeFileSync(path, bytes.subarray(0, 30))
  assert.equal(await store.load('k'), undefined)
  await assert.rejects(diskStore(join(base, 'file')).save('k', value), RunError)
})
