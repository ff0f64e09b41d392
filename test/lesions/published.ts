import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { summarySchema } from '../../src/lesions/summary.js'

const file = fileURLToPath(new URL('../../docs/schema/summary.schema.json', import.meta.url))
/** The schema as a reader gets it from the published file. */
export const published = z.fromJSONSchema(JSON.parse(readFileSync(file, 'utf8')))

/** Holds a summary.json against the published schema, and its keys against those that are described. */
export function assertPublished(path: string): void {
  const summary: unknown = JSON.parse(readFileSync(path, 'utf8'))
  const { error } = published.safeParse(summary)
  assert.equal(error, undefined, `${path}: ${error?.message}`)
  const known = Object.keys(summarySchema.shape)
  assert.deepEqual(
    Object.keys(summary as object).filter((key) => !known.includes(key)),
    [],
    path,
  )
}
