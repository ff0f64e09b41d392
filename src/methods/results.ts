import { z } from 'zod'
import { readAsset } from '../platform/index.js'

const scores = z.object({ dice: z.number(), lesionF1: z.number(), ltpr: z.number(), lfpr: z.number() })

const methodResults = z.object({
  /** What the scans are, how parameters were chosen, on what machine times were taken. */
  about: z.string(),
  methods: z.record(
    z.string(),
    z.object({
      scans: z.number(),
      overall: scores,
      /** Scans with more than 2 ml of lesions. */
      large: scores,
      centres: z.record(z.string(), scores),
      seconds: z.object({ mean: z.number(), longest: z.number() }),
      peakMegabytes: z.number(),
      /** Trained: each scan by a model that has not seen its patient. */
      outOfFold: z.boolean(),
    }),
  ),
})

export type MethodResults = z.output<typeof methodResults>

/** What `npm run bench:unsupervised` measured for each method on the labelled development scans. */
export async function loadResults(): Promise<MethodResults> {
  return methodResults.parse(JSON.parse(new TextDecoder().decode(await readAsset('assets/method-results.json'))))
}
