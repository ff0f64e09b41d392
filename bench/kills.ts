// Kill −9 a training ten times at random moments: the same command goes on each time, and the weights at the end must be
// those of a training that nobody disturbed.
//
//   npm run bench:kills -- [--kills N] [--seed N]
//
// Three synthetic patients with thick slices, the preset `quick`. Prints when each kill fell and what had been written by
// then; exits 1 where the weights differ.
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { seededRandom } from '../src/random.js'

const { values: options } = parseArgs({
  options: { kills: { type: 'string', default: '10' }, seed: { type: 'string', default: '1' } },
})
const main = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'lesionwise-kills-'))
const random = seededRandom(Number(options.seed))

/** Runs the command line; killed after so many seconds where it has not ended by then. @returns how it ended */
function lesionwise(args: readonly string[], killAfter = Number.POSITIVE_INFINITY): Promise<number | 'killed'> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [main, ...args], { stdio: ['ignore', 'ignore', 'pipe'] })
    let said = ''
    child.stderr.on('data', (chunk) => {
      said = `${said}${chunk}`.slice(-2000)
    })
    const timer =
      killAfter === Number.POSITIVE_INFINITY ? undefined : setTimeout(() => child.kill('SIGKILL'), killAfter * 1000)
    child.on('exit', (code, signal) => {
      clearTimeout(timer)
      if (signal === 'SIGKILL') resolve('killed')
      else if (code === 0) resolve(0)
      else reject(new Error(`lesionwise ${args[0]} ended with ${code ?? signal}: ${said}`))
    })
  })
}

const weightsOf = (out: string) =>
  createHash('sha256')
    .update(readFileSync(join(out, 'weights.safetensors')))
    .digest('hex')

let differ = false
try {
  const data = join(folder, 'data')
  await lesionwise(
    'simulate --subjects 3 --slice-thickness 6 --spacing 1.5 --seed 5 --quiet --out'.split(' ').concat(data),
  )
  const work = join(folder, 'work')
  const train = (out: string) => ['train', '--data', data, '--preset', 'quick', '--work', work, '--out', out]
  const calm = join(folder, 'calm')
  // The first run prepares the scans, so that the second shows how long the training itself takes.
  await lesionwise(train(join(folder, 'first')))
  const started = Date.now()
  await lesionwise(train(calm))
  const whole = (Date.now() - started) / 1000
  console.log(`undisturbed: ${whole.toFixed(0)} s, sha256 ${weightsOf(calm).slice(0, 16)}`)

  const killed = join(folder, 'killed')
  let kills = 0
  while (kills < Number(options.kills)) {
    // A resumed run keeps what its checkpoints hold, so short moments let ten kills fall before the end.
    const after = whole * (0.03 + 0.22 * random())
    if ((await lesionwise(train(killed), after)) === 0) break
    kills++
    const written = readdirSync(killed, { recursive: true })
      .map(String)
      .filter((name) => /state|checkpoint|weights/.test(name))
    console.log(`kill ${kills} after ${after.toFixed(1)} s; on disk: ${written.join(', ') || 'nothing yet'}`)
  }
  await lesionwise(train(killed))
  differ = weightsOf(killed) !== weightsOf(calm)
  console.log(
    `${kills} kills: sha256 ${weightsOf(killed).slice(0, 16)}, ${differ ? 'NOT the same' : 'the same'} as undisturbed`,
  )
  if (kills < Number(options.kills)) {
    console.log(`The training ended before ${options.kills} kills fell; give another --seed.`)
    differ = true
  }
} finally {
  rmSync(folder, { recursive: true, force: true })
}
process.exit(differ ? 1 : 0)
