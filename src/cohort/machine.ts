import { cpus, totalmem } from 'node:os'
import { coreCount, runtime } from '../platform/index.js'

/** The machine that times were measured on. */
export interface Machine {
  processor: string
  cores: number
  memoryGb: number
  system: string
  runtime: string
}

export const thisMachine = (): Machine => ({
  processor: cpus()[0]?.model.trim() || process.arch,
  cores: coreCount(),
  memoryGb: Math.round(totalmem() / 2 ** 30),
  system: process.platform,
  runtime: runtime(),
})
