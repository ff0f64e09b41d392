import { createHash } from 'node:crypto'
import { access, constants } from 'node:fs/promises'
import { tmpdir, totalmem } from 'node:os'
import { Command } from 'commander'
import { coreCount, readAsset } from '../../platform/index.js'

interface Check {
  name: string
  ok: boolean
  /** False for what is good to have but not needed. */
  needed: boolean
  found: string
}

export function doctorCommand(): Command {
  return new Command('doctor')
    .description('Check what this machine has and lacks.')
    .addHelpText('after', '\nExamples:\n  lesionwise doctor\n  lesionwise doctor --json')
    .action(run)
}

async function run({ json }: { json?: boolean }): Promise<void> {
  const checks = [node(), memory(), await kernels(), await atlas(), await temporary(), await networks()]
  if (json) process.stdout.write(`${JSON.stringify({ ok: checks.every(fine), cores: coreCount(), checks })}\n`)
  else
    for (const check of checks)
      process.stdout.write(
        `${check.ok ? 'ok     ' : check.needed ? 'MISSING' : 'no     '} ${check.name.padEnd(12)} ${check.found}\n`,
      )
  if (!checks.every(fine)) process.exitCode = 1
}

const fine = ({ ok, needed }: Check): boolean => ok || !needed

function node(): Check {
  const major = Number(process.versions.node.split('.')[0])
  return {
    name: 'Node.js',
    ok: major >= 20,
    needed: true,
    found: `${process.versions.node}${major >= 20 ? '' : '; install Node.js 20 or later'}`,
  }
}

function memory(): Check {
  const gigabytes = totalmem() / 2 ** 30
  return {
    name: 'memory',
    ok: gigabytes >= 3,
    needed: false,
    found: `${gigabytes.toFixed(1)} GB, ${coreCount()} cores (a 1 mm scan takes about 1 GB)`,
  }
}

/** Smooths a small image in WebAssembly and looks at the answer. */
async function kernels(): Promise<Check> {
  try {
    const { gaussian } = await import('../../volume/filter.js')
    const data = new Float32Array(1000)
    data[555] = 1
    const { data: smooth } = await gaussian(
      { dims: [10, 10, 10], affine: [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1], data },
      1,
    )
    const ok = Math.abs(smooth[555] - 0.0635) < 0.002
    return {
      name: 'kernels',
      ok,
      needed: true,
      found: ok ? 'WebAssembly SIMD and shared memory work' : 'a kernel gave a wrong answer; install the package again',
    }
  } catch (error) {
    return { name: 'kernels', ok: false, needed: true, found: `${(error as Error).message}; install the package again` }
  }
}

async function atlas(): Promise<Check> {
  try {
    const { maps } = JSON.parse(new TextDecoder().decode(await readAsset('assets/atlas/atlas.json'))) as {
      maps: Record<string, { file: string; sha256: string }>
    }
    for (const { file, sha256 } of Object.values(maps)) {
      const bytes = await readAsset(`assets/atlas/${file}`)
      if (createHash('sha256').update(bytes).digest('hex') !== sha256)
        return { name: 'atlas', ok: false, needed: true, found: `${file} is damaged; install the package again` }
    }
    return { name: 'atlas', ok: true, needed: true, found: `${Object.keys(maps).length} maps, checksums fit` }
  } catch (error) {
    return { name: 'atlas', ok: false, needed: true, found: `${(error as Error).message}; install the package again` }
  }
}

async function temporary(): Promise<Check> {
  const ok = await access(tmpdir(), constants.W_OK).then(
    () => true,
    () => false,
  )
  return { name: 'temp folder', ok, needed: false, found: ok ? 'can be written' : 'cannot be written' }
}

async function networks(): Promise<Check> {
  const name: string = 'onnxruntime-node'
  const ok = await import(name).then(
    () => true,
    () => false,
  )
  return {
    name: 'onnxruntime',
    ok,
    needed: false,
    found: ok ? 'installed' : 'not installed; only networks need it, the statistical methods do not',
  }
}
