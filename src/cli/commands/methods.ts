import { Command } from 'commander'
import type { MethodEntry, ParameterEntry } from '../../methods/define.js'
import type { MethodResults } from '../../methods/results.js'

interface Flags {
  json?: boolean
  figure?: string
}

export function methodsCommand(): Command {
  return new Command('methods')
    .description('List the methods, or show the card of one.')
    .argument('[id]', 'method to show')
    .option('--figure <file>', 'with an id: run it on a simulated patient and draw its steps, as SVG')
    .addHelpText(
      'after',
      '\nExamples:\n  lesionwise methods\n  lesionwise methods roura2015\n  lesionwise methods roura2015 --figure steps.svg\n  lesionwise methods --json',
    )
    .action(run)
}

async function run(id: string | undefined, { json, figure }: Flags): Promise<void> {
  const { methodList, methodEntry } = await import('../../methods/registry.js')
  const shown = id === undefined ? methodList : [methodEntry(id)]
  if (figure !== undefined) await draw(id, figure)
  if (id === undefined && !json) {
    for (const { id: name, title, needs } of methodList)
      process.stdout.write(
        `${name.padEnd(18)} ${needs.contrasts
          .map((set) => set.join('+'))
          .join(' or ')
          .padEnd(38)} ${title}\n`,
      )
    return
  }
  const { loadResults } = await import('../../methods/results.js')
  const { methods: results, about } = await loadResults()
  process.stdout.write(
    json
      ? `${JSON.stringify(shown.map((entry) => ({ ...entry, results: results[entry.id] })))}\n`
      : `${card(shown[0], results[shown[0].id], about).join('\n')}\n`,
  )
}

async function draw(id: string | undefined, file: string): Promise<void> {
  const { UsageError } = await import('../../errors.js')
  if (id === undefined) throw new UsageError('--figure draws the steps of one method: give its id')
  const { methodEntry } = await import('../../methods/registry.js')
  if (methodEntry(id).needs.model) throw new UsageError(`${id} runs only with a model of yours: there is none to draw`)
  const { methodFigure } = await import('../../run/method-figure.js')
  const { writeWhole } = await import('../../run/output-file.js')
  await writeWhole(new Map([[file, new TextEncoder().encode(await methodFigure(id))]]))
}

function card(method: MethodEntry, results: MethodResults['methods'][string] | undefined, about: string): string[] {
  const { properties = {} } = method.parameters
  const { citation, needs, use } = method
  return [
    `${method.id}: ${method.title}`,
    '',
    method.describe,
    '',
    `Use it: ${use.for}`,
    `Do not: ${use.not}`,
    '',
    `${citation.text}${citation.doi ? ` doi:${citation.doi}` : ''}`,
    `${method.supervision}, ${method.strategy}, ${method.handling}, ${method.classifier}; the paper: ${method.modalities.join(', ')}; needs ${needs.contrasts.map((set) => set.join('+')).join(' or ')}`,
    '',
    'Parameters (--param NAME=VALUE):',
    ...Object.entries(properties).map(
      ([name, p]) => `  ${name.padEnd(14)} ${String(p.default ?? '').padEnd(8)} ${p.description ?? ''}${range(p)}`,
    ),
    ...(results ? ['', ...resultLines(results, about)] : []),
  ]
}

function resultLines(
  { scans, overall, large, centres, seconds, peakMegabytes, outOfFold }: MethodResults['methods'][string],
  about: string,
): string[] {
  const line = (name: string, s: typeof overall) =>
    `  ${name.padEnd(18)} ${[s.dice, s.lesionF1, s.ltpr, s.lfpr].map((v) => v.toFixed(3)).join('  ')}`
  return [
    `Results on ${scans} development scans${outOfFold ? ', each by a model that has not seen its patient' : ''}:`,
    `  ${''.padEnd(18)} Dice   F1     LTPR   LFPR`,
    line('all', overall),
    line('above 2 ml', large),
    ...Object.entries(centres).map(([name, s]) => line(name, s)),
    `Cost: ${seconds.mean.toFixed(1)} s a scan (longest ${seconds.longest.toFixed(1)} s), ${Math.round(peakMegabytes)} MB`,
    about,
  ]
}

const range = ({ minimum, maximum, enum: choices }: ParameterEntry): string =>
  choices
    ? ` [${choices.join(', ')}]`
    : minimum === undefined || maximum === undefined
      ? ''
      : ` [${minimum} to ${maximum}]`
