// Which methods agree best: panels of unsupervised methods on the 15 labelled scans, from the masks that
// `npm run bench:unsupervised` left in out/unsupervised.
//
//   npm run bench:unsupervised-panel [-- --size N …]
//
// A panel is the N best methods (mean of Dice and F1, centres weighing the same) and the number of them that must agree.
// Both are chosen on the other two centres for each centre, and once more leaving out one patient at a time; nothing of a
// scan helps to choose the panel that it is scored with. The methods' own parameters are their defaults. `roura2015` alone
// is given the same way, for comparison.
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { readNiftiMask } from '../src/formats/nifti.js'
import { findLesions } from '../src/lesions/instances.js'
import { methodList } from '../src/methods/registry.js'
import { type Mask, maskWhere, volumeMl } from '../src/volume/volume.js'
import { bestPointOverCentres, report, type Scored, score } from './accuracy-report.js'
import { labelledCases } from './cases.js'

const out = `${fileURLToPath(new URL('..', import.meta.url))}out/unsupervised`
const { values: options } = parseArgs({
  options: { size: { type: 'string', multiple: true, default: ['3', '4', '5', '6', '7', '8'] } },
})
const ids = methodList
  .filter(({ supervision, strategy }) => supervision === 'unsupervised' && strategy === 'statistical')
  .map(({ id }) => id)
  .filter((id) => labelledCases().every((scan) => existsSync(`${out}/${id}-${scan.id}.nii.gz`)))
const cases = labelledCases()
const masks = new Map<string, { reference: Mask; of: Map<string, Mask> }>()
for (const scan of cases) {
  const reference = await readNiftiMask(readFileSync(scan.mask), scan.mask)
  const of = new Map<string, Mask>()
  for (const id of ids) {
    const path = `${out}/${id}-${scan.id}.nii.gz`
    of.set(id, await readNiftiMask(readFileSync(path), path))
  }
  masks.set(scan.id, { reference, of })
}
/** Each method by itself: one score a method. */
const alone: Scored[] = cases.map((scan) => {
  const { reference, of } = masks.get(scan.id)!
  return { scan, referenceMl: volumeMl(reference), scores: ids.map((id) => score(of.get(id)!, reference)) }
})

for (const split of ['centre', 'patient'] as const) {
  const groups = new Map<string, Scored[]>()
  for (const one of alone) groups.set(one.scan[split], [...(groups.get(one.scan[split]) ?? []), one])
  const rows = []
  const single = []
  for (const [name, left] of groups) {
    const others = alone.filter(({ scan }) => scan[split] !== name)
    const order = ranked(others)
    const panels = options.size
      .map(Number)
      .flatMap((size) => Array.from({ length: size - 1 }, (_, v) => ({ members: order.slice(0, size), votes: v + 2 })))
    const scored = (some: readonly Scored[]): Scored[] =>
      some.map((one) => ({
        ...one,
        scores: panels.map(({ members, votes }) => {
          const { reference, of } = masks.get(one.scan.id)!
          return score(
            agreed(
              members.map((id) => of.get(id)!),
              votes,
            ),
            reference,
          )
        }),
      }))
    const best = bestPointOverCentres(scored(others))
    console.error(`${name} left out: ${panels[best].votes} of ${panels[best].members.join(', ')}`)
    for (const one of scored(left))
      rows.push({ ...one, score: one.scores[best], point: `${panels[best].votes} of ${panels[best].members.length}` })
    for (const one of left) single.push({ ...one, score: one.scores[ids.indexOf('roura2015')], point: 'defaults' })
  }
  console.log(report(`panel chosen with each ${split} left out`, rows))
  if (split === 'centre') console.log(report('roura2015', single))
}
process.exit(0)

function ranked(scans: readonly Scored[]): string[] {
  const centres = [...new Set(scans.map(({ scan }) => scan.centre))]
  const value = (k: number) =>
    centres.reduce((sum, centre) => {
      const here = scans.filter(({ scan }) => scan.centre === centre)
      return sum + here.reduce((all, { scores }) => all + scores[k].dice + (scores[k].f1 || 0), 0) / here.length
    }, 0)
  return ids
    .map((id, k) => ({ id, value: value(k) }))
    .sort((a, b) => b.value - a.value)
    .map(({ id }) => id)
}

/** Voxels that at least so many masks hold, without what is smaller than a lesion. */
function agreed(members: readonly Mask[], votes: number): Mask {
  const mask = maskWhere(members[0], (_, i) => {
    let n = 0
    for (const { data } of members) if (data[i] !== 0) n++
    return n >= votes
  })
  return findLesions(mask, {}).mask
}
