// Writes src/methods/catalogue.ts from the method files in src/methods/*/: metadata and a lazy import for each, so that
// listing methods loads none of them. `--check` writes nothing and fails when the file is out of date.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { z } from 'zod'
import type { AnySegmentationMethod } from '../src/methods/define.js'

const folder = fileURLToPath(new URL('../src/methods/', import.meta.url))
const target = `${folder}catalogue.ts`

/** Method files are the ones directly in a group folder; what they share lives in other rooms. */
export async function catalogue(): Promise<string> {
  const files = readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .flatMap((group) => readdirSync(folder + group.name).map((name) => `${group.name}/${name}`))
    .filter((name) => name.endsWith('.ts'))
    .sort()
  const entries: string[] = []
  const loaders: string[] = []
  for (const file of files) {
    const exported = Object.values((await import(pathToFileURL(folder + file).href)) as Record<string, unknown>)
    const methods = exported.filter(isMethod)
    if (methods.length !== 1)
      throw new Error(`src/methods/${file} must export exactly one method, it exports ${methods.length}`)
    const { params, segment: _, ...metadata } = methods[0]
    if (entries.some((entry) => entry.includes(`"id": "${metadata.id}"`)))
      throw new Error(`two methods are called ${metadata.id}`)
    entries.push(JSON.stringify({ ...metadata, parameters: z.toJSONSchema(params, { io: 'input' }) }, null, 2))
    const name = Object.entries((await import(pathToFileURL(folder + file).href)) as object).find(
      ([, v]) => v === methods[0],
    )![0]
    loaders.push(`  ${metadata.id}: async () => (await import('./${file.replace(/\.ts$/, '.js')}')).${name},`)
  }
  return `// Written by \`npm run registry\` from the files in this folder; do not edit.
import type { AnySegmentationMethod, MethodEntry } from './define.js'

export const methodList: readonly MethodEntry[] = [
${entries.join(',\n')},
]

export const loaders: Readonly<Record<string, () => Promise<AnySegmentationMethod>>> = {
${loaders.join('\n')}
}
`
}

const isMethod = (value: unknown): value is AnySegmentationMethod =>
  typeof value === 'object' && value !== null && 'id' in value && 'segment' in value && 'params' in value

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const wanted = await catalogue()
  if (process.argv.includes('--check')) {
    if (readFileSync(target, 'utf8') !== wanted) {
      console.error('src/methods/catalogue.ts is out of date: run `npm run registry`')
      process.exit(1)
    }
  } else writeFileSync(target, wanted)
}
