// One save of the workbench's store, for bench/workbench.ts, which kills it at a random moment.
import { readFileSync } from 'node:fs'
import { Corrections } from '../src/server/corrections.js'

const [result, mask, count] = process.argv.slice(2)
const corrections = new Corrections(result)
const bytes = readFileSync(mask)
process.stdout.write('ready\n')
for (let n = 1; n <= Number(count); n++) {
  const { id } = await corrections.save(
    {
      rater: 'bench',
      parent: 'base',
      steps: [],
      marks: [],
      note: '',
      lesionCount: 1,
      lesionVolumeMl: 1,
      sha256: '',
    },
    bytes,
    { anyway: true },
  )
  // What the user was told is saved must be there, whatever comes after.
  process.stdout.write(`${id}\n`)
}
