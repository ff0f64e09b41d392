// Speed of training steps and of sliding-window inference against PyTorch (bench/peers, pinned), two threads each, the same
// shapes, every measurement in a process of its own. PyTorch is taken as it is fastest: contiguous or channels-last.
//
//   npm run bench:network [-- --only TEXT] [--mode train|recompute|infer] [--runs N] [--docs]
//
// The ratio is PyTorch's seconds by ours: above 1 we are faster. The last column is PyTorch under bfloat16 autocast, where
// the processor has it. --docs puts the table between the marks of docs/benchmarks.md.
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { replaceBetween } from './accuracy-report.js'
import { type TimedNetwork, timedNetworks } from './network-shapes.js'
import { peersInstalled, runPeer } from './peer.js'

const { values: options } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    mode: { type: 'string', multiple: true, default: ['infer', 'train', 'recompute'] },
    runs: { type: 'string', default: '5' },
    docs: { type: 'boolean', default: false },
  },
})
interface Timed {
  seconds: number[]
  weights: number
  megabytes: number
  version?: string
}
const run = fileURLToPath(new URL('network-run.ts', import.meta.url))
const median = (list: readonly number[]) => [...list].sort((a, b) => a - b)[list.length >> 1]
let peer = 'PyTorch'

function ours(network: TimedNetwork, mode: string, runs: number): Timed {
  const job = JSON.stringify({ network, mode, runs })
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--import', 'tsx', run, job], { encoding: 'utf8' })
  if (status !== 0) throw new Error(stderr.split('\n').slice(-12).join('\n'))
  return JSON.parse(stdout) as Timed
}

function torch(network: TimedNetwork, mode: string, runs: number, bf16: boolean): Timed | undefined {
  const tried = [false, true].map((channelsLast) =>
    runPeer<Timed>('network.py', { network, mode, runs, channelsLast, bf16 }),
  )
  return tried.reduce((best, one) => (best && one && median(one.seconds) < median(best.seconds) ? one : best))
}

const titles: Record<string, string> = {
  infer: 'inference',
  train: 'training step',
  recompute: 'training step, inner values computed again',
}
const rows: string[] = []
for (const mode of options.mode)
  for (const network of timedNetworks) {
    if (!network.name.includes(options.only)) continue
    const runs = Number(options.runs)
    const own = ours(network, mode, runs)
    // PyTorch keeps what it has computed: the same peer for both ways of training.
    const theirs = mode === 'recompute' ? undefined : torch(network, mode, runs, false)
    const low = theirs && torch(network, mode, runs, true)
    if (theirs && theirs.weights !== own.weights)
      throw new Error(`${network.name}: ${own.weights} weights here, ${theirs.weights} in PyTorch`)
    if (theirs?.version) peer = `PyTorch ${theirs.version}`
    const seconds = median(own.seconds)
    const ratio = (other?: Timed) => (other ? (median(other.seconds) / seconds).toFixed(2) : 'n/a')
    rows.push(
      `| ${titles[mode]} | ${network.name}${mode === 'infer' ? ` windows on ${network.image.join('×')}` : `, batch ${network.batch}`} | ${seconds.toFixed(3)} s | ${ratio(theirs)} | ${own.megabytes.toFixed(0)} MB | ${theirs ? (own.megabytes / theirs.megabytes).toFixed(2) : 'n/a'} | ${ratio(low)} |`,
    )
    console.log(rows.at(-1))
  }
if (!peersInstalled()) console.log('PyTorch is not installed (bash bench/peers/install.sh): only our own times.')
const table = [
  `| | network | ours | ${peer} / ours | our peak | ours / ${peer.replace(/ .*/, '')} | under bfloat16 / ours |`,
  '|---|---|---|---|---|---|---|',
  ...rows,
].join('\n')
console.log(`\n${table}`)
if (options.docs) replaceBetween('docs/benchmarks.md', 'network', table)
