// Writes docs/cli.md from the help of the built command, so that the two cannot differ. `--check` fails when they do.
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const help = (...args: string[]) =>
  execFileSync(process.execPath, [`${root}dist/cli/main.js`, ...args, '--help'], {
    encoding: 'utf8',
    env: { ...process.env, COLUMNS: '110' },
  }).trimEnd()
// In the order in which the help lists them.
const commands = [...help().matchAll(/^ {2}([a-z-]+) \[options\]/gm)].map(([, name]) => name)
const text = [
  '# The command line',
  '',
  'Written by `npm run docs` from the help texts.',
  '',
  '```',
  help(),
  '```',
  ...commands.flatMap((name) => ['', `## ${name}`, '', '```', help(name), '```']),
  '',
].join('\n')
const target = `${root}docs/cli.md`
if (process.argv.includes('--check')) {
  if (readFileSync(target, 'utf8') !== text) {
    console.error('docs/cli.md is out of date: run `npm run docs`')
    process.exit(1)
  }
} else writeFileSync(target, text)
