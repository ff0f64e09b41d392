// Writes docs/methods.md, the catalogue of methods: the cards that `lesionwise methods ID` prints, with a picture of each
// method's steps. `--check` fails when the page is out of date, `--figures [ID …]` draws docs/images/methods/ID.svg anew.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import type { MethodEntry } from '../src/methods/define.js'
import { methodList } from '../src/methods/registry.js'
import { loadResults } from '../src/methods/results.js'
import { methodFigure } from '../src/run/method-figure.js'

const root = fileURLToPath(new URL('..', import.meta.url))
const { values: options, positionals } = parseArgs({
  options: { check: { type: 'boolean', default: false }, figures: { type: 'boolean', default: false } },
  allowPositionals: true,
})
const { methods: results, about } = await loadResults()
if (options.figures) {
  mkdirSync(`${root}docs/images/methods`, { recursive: true })
  for (const { id, needs, strategy } of methodList.filter(
    ({ id }) => positionals.length === 0 || positionals.includes(id),
  )) {
    // Networks show no steps.
    if (needs.model || strategy !== 'statistical') continue
    writeFileSync(`${root}docs/images/methods/${id}.svg`, await methodFigure(id))
    console.log(id)
  }
}
const text = [
  '# The methods',
  '',
  'Written by `npm run docs` from the methods themselves (`lesionwise methods ID` prints the same). The pictures show each method on one',
  'simulated patient: FLAIR, its inner steps, and the result (green: as the truth, red: method alone, yellow: truth alone).',
  '',
  about,
  '',
  '| method | | supervision | needs | Dice | lesion F1 | CPU s |',
  '|---|---|---|---|---|---|---|',
  ...methodList.map(({ id, title, supervision, needs }) => {
    const found = results[id]
    return `| [\`${id}\`](#${id}) | ${title} | ${supervision} | ${contrasts(needs)} | ${found ? `${found.overall.dice.toFixed(3)} | ${found.overall.lesionF1.toFixed(3)} | ${found.seconds.mean.toFixed(1)}` : '| | '} |`
  }),
  ...methodList.flatMap(section),
  '',
].join('\n')
const target = `${root}docs/methods.md`
if (options.check) {
  if (!existsSync(target) || readFileSync(target, 'utf8') !== text) {
    console.error('docs/methods.md is out of date: run `npm run docs`')
    process.exit(1)
  }
} else writeFileSync(target, text)
process.exit(0)

function section(method: MethodEntry): string[] {
  const { id, title, describe, citation, use, supervision, strategy, handling, classifier, modalities, needs } = method
  const { properties = {} } = method.parameters
  const found = results[id]
  const row = (name: string, s: { dice: number; lesionF1: number; ltpr: number; lfpr: number }) =>
    `| ${name} | ${[s.dice, s.lesionF1, s.ltpr, s.lfpr].map((v) => v.toFixed(3)).join(' | ')} |`
  return [
    '',
    `## ${id}`,
    '',
    `**${title}.** ${describe}`,
    '',
    ...(existsSync(`${root}docs/images/methods/${id}.svg`) ? [`![steps of ${id}](images/methods/${id}.svg)`, ''] : []),
    `Use it: ${use.for}`,
    '',
    `Do not: ${use.not}`,
    '',
    `${citation.text}${citation.doi ? ` [doi](https://doi.org/${citation.doi})` : ''}`,
    '',
    `${supervision}, ${strategy}, ${handling}, ${classifier}; the paper: ${modalities.join(', ')}; needs ${contrasts(needs)}.`,
    ...(found
      ? [
          '',
          `| ${found.outOfFold ? 'out of fold' : 'defaults'} | Dice | lesion F1 | LTPR | LFPR |`,
          '|---|---|---|---|---|',
          row(`all ${found.scans}`, found.overall),
          row('above 2 ml', found.large),
          ...Object.entries(found.centres).map(([name, s]) => row(name, s)),
          '',
          `${found.seconds.mean.toFixed(1)} s of processor time a scan, longest ${found.seconds.longest.toFixed(1)} s; ${Math.round(found.peakMegabytes)} MB at most.`,
        ]
      : []),
    '',
    '| parameter | default | |',
    '|---|---|---|',
    ...Object.entries(properties).map(
      ([name, p]) =>
        `| \`${name}\` | ${String(p.default ?? '')} | ${p.description ?? ''}${p.enum ? ` (${p.enum.join(', ')})` : p.minimum === undefined ? '' : ` (${p.minimum}–${p.maximum})`} |`,
    ),
  ]
}

function contrasts({ contrasts: sets }: MethodEntry['needs']): string {
  return sets.map((set) => set.join('+')).join(' or ')
}
