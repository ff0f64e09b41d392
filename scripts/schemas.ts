// Writes docs/schema/*.schema.json from the schemas in the code, so that the two cannot differ. `--check` fails when they do.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { summarySchema } from '../src/lesions/summary.js'

const folder = fileURLToPath(new URL('../docs/schema/', import.meta.url))
const published = { summary: { title: 'Lesionwise summary.json', schema: summarySchema } }

const stale = Object.entries(published).filter(([name, { title, schema }]) => {
  // As for input: keys that a later version may add are no error for a reader.
  const { $schema, ...rest } = z.toJSONSchema(schema, { io: 'input' })
  const text = `${JSON.stringify({ $schema, title, ...rest }, null, 2)}\n`
  const target = `${folder}${name}.schema.json`
  if (process.argv.includes('--check')) return readFileSync(target, 'utf8') !== text
  mkdirSync(folder, { recursive: true })
  writeFileSync(target, text)
  return false
})
if (stale.length > 0) {
  console.error(`docs/schema is out of date (${stale.map(([name]) => name).join(', ')}): run \`npm run docs\``)
  process.exit(1)
}
