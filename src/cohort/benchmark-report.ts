import type { Protocol } from '../evaluate/protocol.js'
import type { BenchmarkResult } from './benchmark.js'
import type { JudgedCase } from './judge.js'
import type { PlannedMethod } from './plan.js'

export async function benchmarkPage(
  result: BenchmarkResult,
  _: { methods: readonly PlannedMethod[]; protocol: Protocol; cases: readonly JudgedCase[]; out: string },
): Promise<string> {
  return JSON.stringify(result)
}
