import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'

/** Numbers of other programs (see bench/peers/golden_*), as they lie in test/golden. */
export const golden = <T>(name: string): T =>
  JSON.parse(readFileSync(new URL(`../../golden/${name}.json`, import.meta.url), 'utf8')) as T

/** Fails unless two numbers agree to a share of the expected one, or to an absolute difference. */
export function close(actual: number, expected: number, what: string, relative = 1e-9, absolute = 1e-12): void {
  const fits = actual === expected || Math.abs(actual - expected) <= relative * Math.abs(expected) + absolute
  assert.ok(fits, `${what}: ${actual}, expected ${expected}`)
}
