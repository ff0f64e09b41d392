// Consensus of seven made-up raters on 182×218×182 voxels: time of each rule, lesion voxels, Dice with the mask that the
// raters were made from; beside them SimpleITK's STAPLE (whole image) and label voting, where bench/peers is installed.
// Median of five after two warm-up runs; reading is apart.
//
//   npm run bench:consensus [-- --json]
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ConsensusOptions, consensus, consensusMethods } from '../src/evaluate/consensus.js'
import { dice } from '../src/evaluate/overlap.js'
import { raterAgreement } from '../src/evaluate/raters.js'
import { writeNifti } from '../src/formats/nifti.js'
import { seededRandom } from '../src/random.js'
import { dilate, erode } from '../src/volume/morphology.js'
import { countVoxels, emptyMask, type Mask } from '../src/volume/volume.js'
import { runPeer } from './peer.js'

const grid = { dims: [182, 218, 182] as const, affine: [-1, 0, 0, 90, 0, 1, 0, -126, 0, 0, 1, -72, 0, 0, 0, 1] }
const random = seededRandom(1)

/** Sixty balls of 1 to 9 mm, some 25 ml: many lesions of one person. */
const truth = emptyMask(grid)
for (let n = 0; n < 60; n++) {
  const radius = 1 + 8 * random() ** 2
  const [x, y, z] = [40 + 100 * random(), 50 + 120 * random(), 50 + 80 * random()]
  for (let k = Math.floor(z - radius); k <= z + radius; k++)
    for (let j = Math.floor(y - radius); j <= y + radius; j++)
      for (let i = Math.floor(x - radius); i <= x + radius; i++)
        if ((i - x) ** 2 + (j - y) ** 2 + (k - z) ** 2 <= radius * radius) truth.data[i + 182 * (j + 218 * k)] = 1
}
const shifted = (step: number): Mask => ({ ...truth, data: truth.data.map((_, i) => truth.data[i - step] ?? 0) })
const speckled = (mask: Mask): Mask => {
  const data = mask.data.slice()
  for (let n = 0; n < 3000; n++) data[Math.floor(random() * data.length)] = 1
  return { ...mask, data }
}
const raters = [
  truth,
  await dilate(truth, 1),
  await erode(truth, 1),
  shifted(1),
  shifted(182),
  speckled(truth),
  speckled(await dilate(truth, 2)),
]

async function median(body: () => unknown): Promise<number> {
  const times: number[] = []
  for (let run = -2; run < 5; run++) {
    const start = performance.now()
    await body()
    if (run >= 0) times.push(performance.now() - start)
  }
  return times.sort((a, b) => a - b)[2]
}

const folder = mkdtempSync(join(tmpdir(), 'lesionwise-bench-'))
const files = raters.map((_, i) => join(folder, `rater-${i + 1}.nii.gz`))
for (const [i, mask] of raters.entries()) writeFileSync(files[i], await writeNifti(mask, { level: 1 }))
const peer = runPeer<{ name: string; rows: Record<string, { ms: number; voxels: number; iterations: number }> }>(
  'consensus.py',
  { masks: files },
)
rmSync(folder, { recursive: true, force: true })

const rows: object[] = []
const json = process.argv.includes('--json')
if (!json)
  console.log(`${'7 raters, 182×218×182'.padEnd(26)} ${'ms'.padStart(6)} rounds  voxels   Dice   ${peer?.name ?? ''}`)
for (const [name, method, options, theirs] of [
  ['STAPLE', 'staple', {}, undefined],
  ['STAPLE, whole image', 'staple', { dilation: 0 }, peer?.rows.staple],
  ['majority', 'majority', {}, peer?.rows.majority],
  ...consensusMethods.slice(2).map((one) => [one, one, {}, undefined] as const),
] as const satisfies readonly (readonly [string, (typeof consensusMethods)[number], ConsensusOptions, unknown])[]) {
  const ms = await median(() => consensus(method, raters, options))
  const made = consensus(method, raters, options)
  const row = { name, ms, rounds: made.iterations, voxels: countVoxels(made.labels), dice: dice(truth, made.labels) }
  rows.push({ ...row, peer: theirs })
  const beside = theirs
    ? `${theirs.ms.toFixed(0)} ms, ${(theirs.ms / ms).toFixed(1)}×, ${theirs.iterations} rounds, ${theirs.voxels} voxels`
    : ''
  if (!json)
    console.log(
      `${name.padEnd(26)} ${ms.toFixed(0).padStart(6)} ${String(row.rounds).padStart(6)} ${String(row.voxels).padStart(7)}  ${row.dice.toFixed(3)}   ${beside}`,
    )
}
const ms = await median(() => raterAgreement(raters))
rows.push({ name: 'agreement', ms })
if (json) console.log(JSON.stringify({ peer: peer?.name, rows }))
else console.log(`${'agreement of the raters'.padEnd(26)} ${ms.toFixed(0).padStart(6)}`)
