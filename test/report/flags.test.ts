import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { deFlags } from '../../src/report/words/de-flags.js'
import { flagSentence } from '../../src/report/words/flags.js'

const thick = {
  code: 'thick-slices',
  severity: 'warning',
  message: 'The slices are 5.5 mm thick.',
  values: { slice: 5.5, pixel: 1 },
} as const

test('a flag is said in German with its figures, in English where something is missing', () => {
  assert.match(flagSentence(thick, 'de'), /^Die Schichten sind 5,5 mm dick \(Pixel 1 mm\)/)
  assert.equal(flagSentence(thick, 'en'), thick.message)
  assert.equal(flagSentence({ ...thick, values: { slice: 5.5 } }, 'de'), thick.message)
  assert.equal(flagSentence({ ...thick, values: undefined }, 'de'), thick.message)
  assert.equal(flagSentence({ ...thick, code: 'of-another-version' }, 'de'), thick.message)
  assert.equal(flagSentence({ ...thick, code: 'constructor' }, 'de'), thick.message)
  const cut = { ...thick, code: 'missing-coverage', values: { end: 'bottom' } } as const
  assert.match(flagSentence(cut, 'de'), /\(unten\)/)
})

test('every German sentence belongs to a flag that is raised, and asks for values that it has', () => {
  const folder = join(import.meta.dirname, '../../src')
  const source = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.includes('words'))
    .map((name) => readFileSync(join(folder, name), 'utf8'))
    .join('\n')
  for (const [code, sentence] of Object.entries(deFlags.sentences)) {
    if (/^(flair-for|without)-/.test(code)) continue
    const at = source.indexOf(`'${code}'`)
    assert.ok(at >= 0, code)
    for (const [, name] of sentence.matchAll(/\{(\w+)\}/g))
      assert.match(source.slice(at, at + 900), new RegExp(`\\b${name}\\b[,: }]`), `${code}: ${name}`)
  }
})
