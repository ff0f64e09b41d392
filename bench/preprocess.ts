// Every step of the preparation beside the tools people use now, in one table: accuracy, time with one and two threads,
// ratio, peak memory, and whether the targets are met. Runs the benches of the steps, each in a process of its own, and keeps
// what they print in out/bench/.
//
//   npm run bench:preprocess -- [--only registration,deformable,n4,nlm,brain,tissue,transforms] [--keep] [--docs]
//
// --keep takes what an earlier run left; --docs puts the table into docs/preprocess.md. Peers: bench/peers/install.sh.
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { peersInstalled } from './peer.js'

const { values: options } = parseArgs({
  options: {
    only: { type: 'string' },
    keep: { type: 'boolean', default: false },
    docs: { type: 'boolean', default: false },
  },
})
const root = fileURLToPath(new URL('..', import.meta.url))
const folder = `${root}out/bench/`
mkdirSync(folder, { recursive: true })

interface Row {
  step: string
  measured: string
  time: string
  ratio: string
  target: string
  met: boolean
}

type Answers = Record<string, unknown>
const parts: Record<string, { runs: Record<string, string[]>; rows(answers: Answers): Row[] }> = {
  registration: {
    runs: { two: ['capture.ts', '--ants'], one: ['capture.ts', '--seeds', '0', '--threads', '1'] },
    rows: registrationRows,
  },
  deformable: {
    // SyN with one thread takes minutes: one patient will do.
    runs: { two: ['deformable.ts', '--threads', '2'], one: ['deformable.ts', '--threads', '1', '--case', 'lj-sub-07'] },
    rows: deformableRows,
  },
  n4: { runs: { all: ['bias.ts'] }, rows: biasRows },
  nlm: { runs: { all: ['denoise.ts'] }, rows: denoiseRows },
  brain: { runs: { all: ['brain-methods.ts'] }, rows: brainRows },
  tissue: { runs: { all: ['tissue.ts'] }, rows: tissueRows },
  transforms: { runs: { all: ['transforms.ts'] }, rows: transformRows },
}

if (!peersInstalled()) console.log('The peers are not installed (bench/peers/install.sh): ours are measured alone.')
const wanted = options.only?.split(',') ?? Object.keys(parts)
const rows: Row[] = []
const memory: string[] = []
for (const name of wanted) {
  const part = parts[name]
  if (!part) throw new Error(`There is no part "${name}"; the parts are ${Object.keys(parts).join(', ')}.`)
  const answers: Answers = {}
  for (const [kind, command] of Object.entries(part.runs)) {
    const file = `${folder}${name}-${kind}.json`
    if (!options.keep || !existsSync(file)) {
      console.log(`… ${command.join(' ')}`)
      const { text, megabytes } = await run(command)
      writeFileSync(file, JSON.stringify({ megabytes, answer: JSON.parse(text) }))
    }
    const kept = JSON.parse(readFileSync(file, 'utf8')) as { megabytes: number; answer: unknown }
    answers[kind] = kept.answer
    memory.push(`${name} ${kept.megabytes} MB`)
  }
  rows.push(...part.rows(answers))
}
const table = [
  '| step | measured | time, ours / peer | ratio | target | |',
  '|---|---|---|---|---|---|',
  ...rows.map(
    ({ step, measured, time, ratio, target, met }) =>
      `| ${step} | ${measured} | ${time} | ${ratio} | ${target} | ${target === '' ? '' : met ? 'met' : '**missed**'} |`,
  ),
].join('\n')
const foot = `${cpus().length} × ${cpus()[0].model.trim()}, Node ${process.versions.node}. Peak memory of our benches, peers apart: ${memory.join(', ')}.`
console.log(`\n${table}\n\n${foot}`)
if (options.docs) {
  const path = `${root}docs/preprocess.md`
  const text = readFileSync(path, 'utf8')
  writeFileSync(path, text.replace(/(<!-- bench -->)[\s\S]*?(<!-- \/bench -->)/, `$1\n${table}\n\n${foot}\n$2`))
}
process.exit(0)

/** Runs a bench with --json; its answer, and the most memory it took (0 where /proc is not there). */
async function run([script, ...rest]: string[]): Promise<{ text: string; megabytes: number }> {
  const child = spawn(
    process.execPath,
    ['--import', 'tsx', fileURLToPath(new URL(script, import.meta.url)), '--json', ...rest],
    { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] },
  )
  let text = ''
  let kilobytes = 0
  const watch = setInterval(() => {
    try {
      const seen = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))
      if (seen) kilobytes = Math.max(kilobytes, Number(seen[1]))
    } catch {
      // It has just ended, or this is no Linux.
    }
  }, 200)
  child.stdout.on('data', (bytes: Buffer) => {
    text += bytes.toString()
  })
  const status = await new Promise<number | null>((resolve) => child.on('close', resolve))
  clearInterval(watch)
  if (status !== 0) throw new Error(`${script} ended with ${status}`)
  return { text, megabytes: Math.round(kilobytes / 1024) }
}

interface Peer {
  average: number
  worst: number
  seconds: number
  ratio: number
}

function registrationRows({ two, one }: Answers): Row[] {
  interface Capture {
    errors: { mm: number; rigidPartMm: number; inverseMm: number }[]
    average: number
    worst: number
    seconds: number
    peers: Record<string, Peer>
    oneMm: { average: number; worst: number; seconds: number; peers: Record<string, Peer> }
    captured: number
    recovered: number
    worstStart: number
  }
  const [a, b] = [two as Capture, one as Capture]
  const peers = Object.entries(a.peers)
  const ratioOf = (all: Record<string, Peer>) => Math.min(...Object.values(all).map((p) => p.ratio))
  const [fastest, single] = [ratioOf(a.peers), ratioOf(b.peers)]
  const fine = Object.entries(a.oneMm.peers)
  return [
    {
      step: 'rigid T1w → FLAIR, four 1 mm pairs, T1w moved by 6° and 10 mm',
      measured: `mean ${mm(a.oneMm.average)}, worst ${mm(a.oneMm.worst)} (${fine.map(([name, p]) => `${name} ${mm(p.average)}, ${mm(p.worst)}`).join('; ')})`,
      time: `${s(a.oneMm.seconds)} / ${fine.map(([name, p]) => `${name} ${s(p.seconds)}`).join(', ')}; 1 thread ${s(b.oneMm.seconds)}`,
      ratio: `${times(ratioOf(a.oneMm.peers))} the faster peer, 1 thread ${times(ratioOf(b.oneMm.peers))}`,
      target: 'no worse than the peers; ≥ 2×',
      met: fine.every(([, p]) => a.oneMm.average <= p.average) && (fine.length === 0 || ratioOf(a.oneMm.peers) >= 2),
    },
    {
      step: 'rigid T1w, T2w → FLAIR, six raw pairs',
      measured: `mean ${mm(a.average)}, worst ${mm(a.worst)} (${peers.map(([name, p]) => `${name} ${mm(p.average)}, ${mm(p.worst)}`).join('; ')}); to the authors' rigid part ${mm(mean(a.errors.map((e) => e.rigidPartMm)))}`,
      time: `${s(a.seconds)} / ${peers.map(([name, p]) => `${name} ${s(p.seconds)}`).join(', ')}; 1 thread ${s(b.seconds)}`,
      ratio: `${times(fastest)} the faster peer, 1 thread ${times(single)}`,
      target: 'mean ≤ 0.42, worst ≤ 0.60 mm, no worse than the peers; ≥ 2×',
      met:
        a.average <= 0.42 &&
        a.worst <= 0.6 &&
        peers.every(([, p]) => a.average <= p.average) &&
        (peers.length === 0 || fastest >= 2),
    },
    {
      step: 'inverse consistency, the six pairs',
      measured: `there and back ${mm(mean(a.errors.map((e) => e.inverseMm)))}, at most ${mm(Math.max(...a.errors.map((e) => e.inverseMm)))}`,
      time: '',
      ratio: '',
      target: '',
      met: true,
    },
    {
      step: 'capture range, up to 40° and 60 mm',
      measured: `${a.recovered} of ${a.captured} recovered, worst ${mm(a.worstStart)}`,
      time: '',
      ratio: '',
      target: 'all',
      met: a.recovered === a.captured,
    },
  ]
}

function deformableRows({ two, one }: Answers): Row[] {
  interface Bench {
    rows: { case: string; map: string; mean: number; threads?: number; seconds?: number }[]
    worstPoint: number
  }
  const { rows: lines, worstPoint } = two as Bench
  const single = (map: string) => mean((one as Bench).rows.filter((l) => l.map === map).map((l) => l.seconds ?? 0))
  const of = (map: string, threads?: number) =>
    lines.filter((line) => line.map === map && (threads === undefined || line.threads === threads))
  const dice = (map: string) => mean(of(map).map((line) => line.mean))
  const seconds = (map: string, threads: number) => mean(of(map, threads).map((line) => line.seconds ?? 0))
  return [
    ...['velocity', 'bspline'].map((model) => ({
      step: `deformable (${model}), template → 4 patients`,
      measured: `tissue Dice ${dice(model).toFixed(3)} (SyN ${dice('SyN').toFixed(3)}, affine ${dice('affine').toFixed(3)})`,
      time: `${s(seconds(model, 2))} / ${s(seconds('SyN', 2))}; 1 thread, one patient ${s(single(model))} / ${s(single('SyN'))}`,
      ratio: `${times(seconds('SyN', 2) / seconds(model, 2))}, 1 thread ${times(single('SyN') / single(model))}`,
      target: 'no worse than SyN; aim 3×',
      met: dice(model) >= dice('SyN'),
    })),
    {
      step: 'displacement fields through files, beside SimpleITK',
      measured: `500 points at most ${worstPoint.toExponential(1)} mm apart`,
      time: '',
      ratio: '',
      target: '≤ 1e-3 mm',
      met: worstPoint <= 1e-3,
    },
  ]
}

function biasRows({ all }: Answers): Row[] {
  const { rows: lines } = all as {
    rows: { case: string; tool: string; threads: number; seconds: number; truth?: number; itk?: number }[]
  }
  const of = (tool: string, threads = 2) => lines.filter((line) => line.tool === tool && line.threads === threads)
  const truth = (tool: string) => mean(of(tool).flatMap((line) => line.truth ?? []))
  const seconds = (tool: string, threads: number) => mean(of(tool, threads).map((line) => line.seconds))
  const synthetic = of('n4').filter((line) => line.truth !== undefined)
  const apart = Math.max(...synthetic.map((line) => line.itk ?? 0))
  const peers = [...new Set(lines.map(({ tool }) => tool))].filter((tool) => /ITK|ANTs/.test(tool))
  const ratio = seconds('ITK N4', 2) / seconds('n4', 2)
  return [
    {
      step: 'N4, known fields on ICBM152 and real scans',
      measured: `error ${truth('n4').toFixed(2)} % (${peers.map((tool) => `${tool} ${truth(tool).toFixed(2)}`).join(', ')}); to ITK's at most ${apart.toFixed(2)} %; n3 ${truth('n3').toFixed(2)}`,
      time: `${s(seconds('n4', 2))} / ${s(seconds('ITK N4', 2))}; 1 thread ${s(seconds('n4', 1))} / ${s(seconds('ITK N4', 1))}`,
      ratio: `${times(ratio)}, 1 thread ${times(seconds('ITK N4', 1) / seconds('n4', 1))}`,
      target: "within 2 % of ITK's, error no worse; ≥ 3×",
      met: apart <= 2 && truth('n4') <= truth('ITK N4') && ratio >= 3,
    },
  ]
}

function denoiseRows({ all }: Answers): Row[] {
  const { rows: lines } = all as {
    rows: { case: string; tool: string; threads: number; psnr: number; ssim: number; seconds?: number }[]
  }
  const of = (tool: string, threads = 2) => lines.filter((line) => line.tool === tool && line.threads === threads)
  const psnr = (tool: string) => mean(of(tool).map((line) => line.psnr))
  const seconds = (tool: string, threads: number) => mean(of(tool, threads).map((line) => line.seconds ?? 0))
  const row = (step: string, own: string, peer: string, target: string, met: boolean): Row => ({
    step,
    measured: `PSNR ${psnr(own).toFixed(2)} dB (${peer} ${psnr(peer).toFixed(2)}), SSIM ${mean(of(own).map((l) => l.ssim)).toFixed(3)} (${mean(of(peer).map((l) => l.ssim)).toFixed(3)})`,
    time: `${s(seconds(own, 2))} / ${s(seconds(peer, 2))}; 1 thread ${s(seconds(own, 1))} / ${s(seconds(peer, 1))}`,
    ratio: `${times(seconds(peer, 2) / seconds(own, 2))}, 1 thread ${times(seconds(peer, 1) / seconds(own, 1))}`,
    target,
    met,
  })
  const worst = (own: string, peer: string) => Math.min(...of(own).map((line, i) => line.psnr - of(peer)[i].psnr))
  const good = (own: string, peer: string) => worst(own, peer) >= -0.2 && seconds(peer, 2) / seconds(own, 2) >= 2
  return [
    ...['dipy blockwise', 'dipy classic'].flatMap((peer) => [
      row('NLM, blocks, 96³', 'ours blockwise', peer, 'within 0.2 dB; ≥ 2×', good('ours blockwise', peer)),
      row('NLM, voxels, 96³', 'ours voxels', peer, 'within 0.2 dB; ≥ 2×', good('ours voxels', peer)),
    ]),
    row(
      'anisotropic diffusion, 96³',
      'ours diffusion',
      'ITK gradient',
      'within 0.2 dB',
      worst('ours diffusion', 'ITK gradient') >= -0.2,
    ),
  ]
}

function brainRows({ all }: Answers): Row[] {
  const { rows: lines } = all as {
    rows: { case: string; images: string; method: string; dice: number | null; seconds: number }[]
  }
  const scored = lines.filter((line): line is typeof line & { dice: number } => line.dice !== null)
  const of = (set: string, method: string, images?: string) =>
    scored.filter((line) => line.case.startsWith(set) && line.method === method && (!images || line.images === images))
  const dice = (set: string, method: string, images?: string) => of(set, method, images).map((line) => line.dice)
  const own = ['surface', 'auto', 'bet', 'beast', 'robex']
  const peers = [...new Set(scored.map(({ method }) => method))].filter((method) => !own.includes(method))
  const list = (values: number[]) => values.map((v) => v.toFixed(3)).join(', ')
  const beaten = (method: string) =>
    ['flair', 't1'].every((images) =>
      peers.every((peer) => dice('long', peer, images).every((value, i) => dice('long', method, images)[i] > value)),
    )
  return own.flatMap((method) => {
    const [real, simulated] = [dice('long', method), dice('simulated', method)]
    const seconds = mean(of('long', method).map((line) => line.seconds))
    return [
      {
        step: `brain (${method}${method === 'surface' ? ', the default' : ''}), ljubljana-long sub-01, both visits`,
        measured: `Dice FLAIR ${list(dice('long', method, 'flair'))}; T1 ${list(dice('long', method, 't1'))}; both ${list(dice('long', method, 'flair+t1'))}${
          method === 'surface'
            ? `. Peers: ${peers.map((peer) => `${peer} FLAIR ${list(dice('long', peer, 'flair'))}; T1 ${list(dice('long', peer, 't1'))}`).join('. ')}`
            : ''
        }`,
        time: `${s(seconds)} of processor time${method === 'surface' ? ` / ${peers.map((peer) => `${peer} ${s(mean(of('long', peer).map((line) => line.seconds)))}`).join(', ')}` : ''}`,
        ratio: '',
        target: 'Dice ≥ 0.94, better than each peer on the same image',
        met: Math.min(...real) >= 0.94 && beaten(method),
      },
      {
        step: `brain (${method}), simulated heads`,
        measured: `Dice ${list(simulated)}${['beast', 'robex'].includes(method) ? ' (trained on such heads)' : ''}`,
        time: '',
        ratio: '',
        target: 'Dice ≥ 0.96; aim 0.98',
        met: Math.min(...simulated) >= 0.96,
      },
    ]
  })
}

function tissueRows({ all }: Answers): Row[] {
  const { rows: lines } = all as {
    rows: { case: string; images: string; prior: string; tool: string; mean: number; seconds: number }[]
  }
  return ['PH-1', 'ICBM'].map((set) => {
    const here = lines.filter((line) => line.case.startsWith(set))
    const tools = [...new Set(here.map(({ tool }) => tool))]
    const dice = (tool: string) => mean(here.filter((line) => line.tool === tool).map((line) => line.mean))
    const seconds = (tool: string) => mean(here.filter((line) => line.tool === tool).map((line) => line.seconds))
    const peers = tools.filter((tool) => tool !== 'lesionwise')
    const best = peers.reduce((a, b) => (dice(a) >= dice(b) ? a : b), peers[0])
    return {
      step: `tissue classes, ${set === 'PH-1' ? 'PH-1' : 'simulated from ICBM152'}`,
      measured: `mean Dice ${dice('lesionwise').toFixed(3)}${peers.map((tool) => ` (${tool} ${dice(tool).toFixed(3)})`).join('')}`,
      time: `${s(seconds('lesionwise'))}${best ? ` / ${s(seconds(best))}` : ''}`,
      ratio: best ? times(seconds(best) / seconds('lesionwise')) : '',
      target: 'no worse than Atropos',
      met: peers.every((tool) => dice('lesionwise') >= dice(tool)),
    }
  })
}

function transformRows({ all }: Answers): Row[] {
  const { readByItk, readByUs } = all as { readByItk: number; readByUs: number }
  return [
    {
      step: 'linear transforms through files, beside SimpleITK',
      measured: `ours read by ITK ${readByItk.toExponential(1)} mm, ITK's read by us ${readByUs.toExponential(1)} mm`,
      time: '',
      ratio: '',
      target: '≤ 1e-3 mm',
      met: readByItk <= 1e-3 && readByUs <= 1e-3,
    },
  ]
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, v) => sum + v, 0) / values.length
}
function mm(value: number): string {
  return `${value.toFixed(2)} mm`
}
function s(value: number): string {
  return value < 10 ? `${value.toFixed(2)} s` : `${value.toFixed(1)} s`
}
function times(value: number): string {
  return `${value.toFixed(1)}×`
}
