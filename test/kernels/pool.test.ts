import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { afterEach, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { type Arena, setThreads, withArena } from '../../src/kernels/index.js'
import { distanceTo } from '../../src/volume/distance.js'
import { gaussian } from '../../src/volume/filter.js'
import { resample } from '../../src/volume/resample.js'
import { phantomBrain, phantomImage } from '../phantom.js'

const image = phantomImage({ contrast: 'flair' })
const brain = phantomBrain()
const turned = [0.98, 0.17, 0, 3, -0.17, 0.98, 0, 1, 0, 0, 1, 2, 0, 0, 0, 1]
const first = await gaussian(image, 3)
/** Bytes of one chunk of the calls below, and its rows. */
const [chunkBytes, rows, nx, radius] = [2 ** 22, 1024, 1024, 60]

afterEach(() => setThreads(1))

/** After whatever went before, the pool still gives the right bits, on every thread. */
async function worksAgain(): Promise<void> {
  for (const threads of [1, 2, 3]) {
    setThreads(threads)
    assert.deepEqual(await gaussian(image, 3), first)
  }
}

/** Source, target and weights of blurX; the target lies so low or so high in memory that one of two chunks is outside. */
function halfOutside(arena: Arena, outside: 'first' | 'second'): number[] {
  const target = arena.float32(chunkBytes / 4)
  const source = arena.float32(chunkBytes / 2)
  const weights = arena.float32(new Float32Array(2 * radius + 1).fill(0.01))
  const end = weights.view().buffer.byteLength
  assert.ok(target.ptr < chunkBytes)
  const to = outside === 'first' ? target.ptr - chunkBytes : end - chunkBytes
  return [source.ptr, to, nx, weights.ptr, radius]
}

test('the same bits for one, two and three threads', async () => {
  const results = []
  for (const threads of [1, 2, 3]) {
    setThreads(threads)
    results.push([
      await gaussian(image, 3),
      await resample(image, image, { map: turned, method: 'cubic' }),
      await distanceTo(brain),
    ])
  }
  assert.deepEqual(results[1], results[0])
  assert.deepEqual(results[2], results[0])
  assert.notDeepEqual(results[0][0], results[0][1])
})

test('what a kernel throws, here or in a worker, is thrown once every thread is at rest', async () => {
  for (const outside of ['first', 'second'] as const) {
    for (let round = 0; round < 3; round++) {
      setThreads(2)
      await worksAgain()
      setThreads(2)
      let busy = true
      const failing = withArena(async (arena) => {
        try {
          await arena.run('blurX', 2 * rows, rows, ...halfOutside(arena, outside))
        } finally {
          busy = false
        }
      })
      const next = withArena(async () => assert.ok(!busy))
      await assert.rejects(failing, /out of bounds/)
      await next
      await worksAgain()
    }
  }
})

test('what the caller throws leaves the arena free', async () => {
  await assert.rejects(
    withArena(async (arena) => {
      arena.float32(1e6)
      throw new Error('of my own')
    }),
    /of my own/,
  )
  const place = () => withArena(async (arena) => arena.float32(4).ptr)
  assert.equal(await place(), await place())
  await worksAgain()
})

test('an image beyond the memory is refused, and the next one works', async () => {
  await assert.rejects(
    withArena(async (arena) => arena.float32(2 ** 29)),
    /too large/,
  )
  await worksAgain()
})

test('a signal ends it between runs, also from a timer, with any number of threads', async () => {
  for (const threads of [1, 2]) {
    setThreads(threads)
    const cancel = new AbortController()
    const reason = new Error('enough')
    setTimeout(() => cancel.abort(reason), 20)
    let runs = 0
    await assert.rejects(
      withArena(
        async (arena) => {
          const [a, b, weights] = [arena.float32(2 ** 20), arena.float32(2 ** 20), arena.float32([0.25, 0.5, 0.25])]
          for (; runs < 3000; runs++) await arena.run('blurX', 1024, 64, a.ptr, b.ptr, 1024, weights.ptr, 1)
        },
        { signal: cancel.signal },
      ),
      reason,
    )
    assert.ok(runs > 0 && runs < 3000, `${runs} runs`)
    await assert.rejects(
      withArena(async () => assert.fail('never begun'), { signal: cancel.signal }),
      reason,
    )
  }
  await worksAgain()
})

test('callers at the same time wait for each other, a failed or cancelled one among them', async () => {
  setThreads(2)
  const order: string[] = []
  const caller = (name: string) =>
    withArena(async (arena) => {
      order.push(`${name} begins`)
      const block = arena.float32([1, 2, 3])
      await new Promise((resolve) => setTimeout(resolve, 5))
      assert.deepEqual([...block.copy()], [1, 2, 3])
      order.push(`${name} ends`)
    })
  const failing = assert.rejects(
    withArena(async () => Promise.reject(new Error('mine alone'))),
    /mine alone/,
  )
  const [one, two] = await Promise.all([gaussian(image, 3), gaussian(image, 3), caller('a'), caller('b'), failing])
  assert.deepEqual(one, first)
  assert.deepEqual(two, first)
  assert.deepEqual(order, ['a begins', 'a ends', 'b begins', 'b ends'])
})

test('workers at rest do not keep the process alive, also after one failed', () => {
  const script = `
    import { setThreads, withArena } from './src/kernels/index.js'
    setThreads(3)
    await withArena((arena) => arena.run('blurX', 4096, 64, arena.float32(4096).ptr, arena.float32(4096).ptr, 1, 0, 0))
    console.log('went well')
    await withArena((arena) => arena.run('blurX', 4096, 64, -64, 0, 1024, 0, 1)).catch(({ message }) => console.log(message))`
  const out = execFileSync(process.execPath, ['--import', 'tsx', '--input-type=module', '--eval', script], {
    cwd: fileURLToPath(new URL('../..', import.meta.url)),
    encoding: 'utf8',
    timeout: 20_000,
  })
  assert.match(out, /went well\n.*out of bounds/)
})
