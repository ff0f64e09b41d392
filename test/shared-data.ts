import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../shared/data/', import.meta.url))

/** Path of a folder or file of the shared research data, or undefined where this machine has none. */
export const sharedData = (name: string): string | undefined => (existsSync(root + name) ? root + name : undefined)

/** For a test's options: a reason to skip when `name` is missing, else false. */
export const skipWithout = (name: string): string | false =>
  sharedData(name) === undefined ? `../shared/data/${name} is not on this machine` : false
