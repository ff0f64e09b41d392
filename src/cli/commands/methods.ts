import { Command } from 'commander'

export function methodsCommand(): Command {
  return new Command('methods')
    .description('List the methods, or show one with its parameters.')
    .argument('[id]', 'method to show')
    .addHelpText(
      'after',
      '\nExamples:\n  lesionwise methods\n  lesionwise methods roura2015\n  lesionwise methods --json',
    )
    .action(run)
}

interface Property {
  description?: string
  default?: unknown
  minimum?: number
  maximum?: number
}

async function run(id: string | undefined, { json }: { json?: boolean }): Promise<void> {
  const { methodList, methodEntry } = await import('../../methods/registry.js')
  const shown = id === undefined ? methodList : [methodEntry(id)]
  if (json) {
    process.stdout.write(`${JSON.stringify(shown)}\n`)
    return
  }
  if (id === undefined) {
    for (const { id: name, title, needs } of methodList)
      process.stdout.write(
        `${name.padEnd(14)} ${needs.contrasts
          .map((set) => set.join('+'))
          .join(' or ')
          .padEnd(20)} ${title}\n`,
      )
    return
  }
  const [method] = shown
  const { properties = {} } = method.parameters as { properties?: Record<string, Property> }
  process.stdout.write(
    [
      `${method.id}: ${method.title}`,
      '',
      method.describe,
      '',
      `${method.citation.text}${method.citation.doi ? ` doi:${method.citation.doi}` : ''}`,
      `${method.supervision}, ${method.strategy}, ${method.handling}, ${method.classifier}; needs ${method.needs.contrasts.map((set) => set.join('+')).join(' or ')}`,
      '',
      'Parameters (--param NAME=VALUE):',
      ...Object.entries(properties).map(
        ([name, p]) => `  ${name.padEnd(14)} ${String(p.default ?? '').padEnd(8)} ${p.description ?? ''}${range(p)}`,
      ),
      '',
    ].join('\n'),
  )
}

const range = ({ minimum, maximum }: Property): string =>
  minimum === undefined || maximum === undefined ? '' : ` [${minimum} to ${maximum}]`
