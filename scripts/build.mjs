// Builds dist/: the SIMD kernels (AssemblyScript), the library (tsc), the workbench's page (esbuild), and marks the
// command as executable.
// Skips what is newer than its sources, so that `npm run demo` and `npm test` start at once the second time.
import { execFileSync } from 'node:child_process'
import { chmodSync, copyFileSync, existsSync, mkdirSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const bin = (name) => join(root, 'node_modules', '.bin', name)
const run = (name, args) => execFileSync(bin(name), args, { cwd: root, stdio: 'inherit' })

function newest(path) {
  const entry = statSync(path)
  if (!entry.isDirectory()) return entry.mtimeMs
  return Math.max(entry.mtimeMs, ...readdirSync(path).map((name) => newest(join(path, name))))
}

const stale = (output, ...sources) => {
  const path = join(root, output)
  return !existsSync(path) || Math.max(...sources.map((s) => newest(join(root, s)))) > statSync(path).mtimeMs
}

mkdirSync(join(root, 'dist'), { recursive: true })
if (stale('dist/kernels.wasm', 'src/kernels/assembly', 'scripts/build.mjs')) {
  run('asc', [
    'src/kernels/assembly/index.ts',
    '-o',
    'dist/kernels.wasm',
    '-O3',
    '--noAssert',
    '--runtime',
    'stub',
    '--enable',
    'simd',
    '--enable',
    'threads',
    '--enable',
    'bulk-memory',
    '--importMemory',
    '--sharedMemory',
    '--initialMemory',
    '16',
    '--maximumMemory',
    '65536',
  ])
}
if (stale('dist/cli/main.js', 'src', 'package.json', 'tsconfig.build.json')) {
  run('tsc', ['-p', 'tsconfig.build.json'])
  if (existsSync(join(root, 'dist/cli/main.js'))) chmodSync(join(root, 'dist/cli/main.js'), 0o755)
}

if (stale('dist/web/app.js', 'src/web', 'src/volume', 'src/formats', 'package.json', 'scripts/build.mjs')) {
  mkdirSync(join(root, 'dist/web'), { recursive: true })
  run('esbuild', [
    'src/web/app.ts',
    '--bundle',
    '--minify',
    '--format=esm',
    '--platform=browser',
    '--target=es2022',
    '--legal-comments=linked',
    '--log-level=warning',
    '--outfile=dist/web/app.js',
  ])
  for (const name of ['index.html', 'app.css']) copyFileSync(join(root, 'src/web', name), join(root, 'dist/web', name))
}
