import { parseArgs } from 'node:util'
import { fitLogistic, predictLogistic } from '../src/learn/logistic.js'
import { findLesions } from '../src/lesions/instances.js'
import { tissueChannels } from '../src/network/channels.js'
import { lesionsOf, withBelief } from '../src/network/model.js'
import { labelComponents } from '../src/volume/components.js'
import { emptyImage, type Mask, voxelVolume } from '../src/volume/volume.js'
import { mean, type Score, score } from './accuracy-report.js'
import { beliefOf, leftOutProbability, type NetworkCase, networkCases } from './network-cases.js'

const { values: options } = parseArgs({
  options: {
    name: { type: 'string', default: 'multislice' },
    share: { type: 'string', default: '0.3' },
    threshold: { type: 'string', default: '0.4' },
    cut: { type: 'string', multiple: true, default: ['0.3', '0.4', '0.5', '0.6'] },
  },
})
const splits = { patient: ['1', '2', '3'], centre: ['1'] } as const
type Split = keyof typeof splits
const cuts = options.cut.map(Number)

interface Findings {
  scan: NetworkCase
  split: Split
  mask: Mask
  /** Of each voxel: the number of its finding, 0 outside. */
  labels: ArrayLike<number>
  rows: number[][]
  truth: (0 | 1)[]
}

const all: Findings[] = []
for (const scan of await networkCases()) {
  const belief = await beliefOf(scan)
  for (const split of Object.keys(splits) as Split[]) {
    const network = leftOutProbability(scan, { name: options.name, split, seeds: splits[split] })
    if (network) all.push(findingsOf(scan, split, network, belief))
    else console.log(`${scan.id} is left out of ${split}: its fold is not done`)
  }
}
for (const split of Object.keys(splits) as Split[]) {
  const scored: { centre: string; scores: Score[] }[] = []
  for (const one of all.filter((found) => found.split === split)) {
    const others = all.filter(({ scan }) =>
      split === 'centre' ? scan.labelled.centre !== one.scan.labelled.centre : scan.patient !== one.scan.patient,
    )
    // Scans weigh the same, however many findings they have.
    const model = fitLogistic(
      others.flatMap(({ rows }) => rows),
      others.flatMap(({ truth }) => truth),
      { importance: others.flatMap(({ rows }) => rows.map(() => 50 / rows.length)), ridge: 1 },
    )
    const sure = one.rows.map((row) => predictLogistic(model, row))
    const scores: Score[] = []
    for (const cut of cuts) {
      const data = Uint8Array.from(one.labels, (label) => (label && sure[label - 1] >= cut ? 1 : 0))
      const native = await one.scan.preparation.toNative.mask({ ...one.mask, data })
      scores.push(score(findLesions(native, {}).mask, one.scan.reference))
    }
    scored.push({ centre: one.scan.labelled.centre, scores })
  }
  console.log(
    `\n| ${split} left out, weight of the belief ${options.share}, threshold ${options.threshold} | all | ljubljana | mslesseg | tabriz |`,
  )
  console.log('|---|---|---|---|---|')
  for (const [c, cut] of cuts.entries()) {
    const cell = (some: typeof scored) =>
      `${mean(some.map(({ scores }) => scores[c].dice)).toFixed(3)} / ${mean(some.map(({ scores }) => scores[c].f1)).toFixed(3)}`
    const centres = ['ljubljana', 'mslesseg', 'tabriz'].map((name) =>
      cell(scored.filter(({ centre }) => centre === name)),
    )
    console.log(`| findings of probability ${cut} and more | ${cell(scored)} | ${centres.join(' | ')} |`)
  }
}
process.exit(0)

/** Each finding's largest and mean probability and belief, its volume, and the means of atlas and FLAIR in it. */
function findingsOf(scan: NetworkCase, split: Split, network: Float32Array, belief: Float32Array): Findings {
  const { grid } = scan.preparation.study
  const threshold = Number(options.threshold)
  const mixed = { ...emptyImage(grid), data: withBelief(network, belief, Number(options.share)) }
  const mask = lesionsOf(mixed, { threshold, certain: threshold })
  const { labels, sizes } = labelComponents(mask, 18)
  const places = ['white', 'cortex', 'lesions', 'flair-excess'].map(
    (name) => scan.channels[(tissueChannels as readonly string[]).indexOf(name)],
  )
  const sums = Array.from(sizes, () => ({ most: [0, 0], total: [0, 0], place: places.map(() => 0), hit: 0 }))
  for (let i = 0; i < network.length; i++) {
    const label = labels.data[i]
    if (!label) continue
    const own = sums[label]
    for (const [k, map] of [network, belief].entries()) {
      own.most[k] = Math.max(own.most[k], map[i])
      own.total[k] += map[i]
    }
    places.forEach((map, k) => {
      own.place[k] += map[i]
    })
    own.hit += scan.truth[i]
  }
  const logit = (p: number) => Math.log((p + 1e-3) / (1 - p + 1e-3))
  const found = sums.map(({ most, total, place, hit }, label) => {
    const size = sizes[label]
    const row = [
      ...most.map(logit),
      ...total.map((t) => logit(t / size)),
      Math.log(size * voxelVolume(grid)),
      ...place.map((t) => t / size),
    ]
    return { row, truth: (hit >= 0.1 * size ? 1 : 0) as 0 | 1 }
  })
  const findings = found.slice(1)
  return {
    scan,
    split,
    mask,
    labels: labels.data,
    rows: findings.map(({ row }) => row),
    truth: findings.map(({ truth }) => truth),
  }
}
