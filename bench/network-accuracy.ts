// Accuracy of a network on the 15 labelled scans, every scan by a network that has not seen its patient (or its centre):
// scores what scripts/default-model.ts left in .cache/default-model.
//
//   npm run bench:network-accuracy -- [--preset NAME] [--name NAME] [--split patient|centre] [--seed N …] [--ensemble] [--alone]
//     [--point SHARE/THRESHOLD/CERTAIN/BRIGHT] [--flair-alone] [--pictures] [--readme]
//
// The settings of each scan are those with the best mean of Dice and F1 over the other patients' scans, in a split by
// centre over the other centres' scans, centres weighing the same. Several seeds are averaged as an ensemble and also
// scored one by one, unless --ensemble is given. The weight of the belief of roura2015 beside the network's, and the
// belief that a finding must reach, are chosen with the thresholds; --alone judges the network without it,
// --flair-alone on scans without T1, --point the given settings on every scan. The parameters of roura2015 are its
// defaults, which were chosen on all 15 scans (its own scores with patients left out: npm run bench:accuracy).
// Writes out/network-accuracy/: the scores as JSON, with --pictures an overlay PNG per scan (green: both, red: ours only,
// yellow: reference only). --readme puts the tables between the marks network-SPLIT of README.md and docs/accuracy.md.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { type Calibration, calibration } from '../src/evaluate/calibration.js'
import { lesionDetection } from '../src/evaluate/detection.js'
import { readNifti } from '../src/formats/nifti.js'
import { findLesions } from '../src/lesions/instances.js'
import { type FixedNetwork, presetConfig } from '../src/network/config.js'
import { lesionsOf, withBelief } from '../src/network/model.js'
import { overlayPng } from '../src/report/overlay.js'
import { emptyImage, type Mask, volumeMl } from '../src/volume/volume.js'
import {
  bestPointOverCentres as bestPoint,
  mean,
  replaceBetween,
  report,
  type Scored,
  score,
} from './accuracy-report.js'
import { beliefOf, leftOutProbability, type NetworkCase, networkCases } from './network-cases.js'

const root = fileURLToPath(new URL('..', import.meta.url))
const { values: options } = parseArgs({
  options: {
    preset: { type: 'string', default: 'multislice' },
    name: { type: 'string' },
    split: { type: 'string', default: 'patient' },
    seed: { type: 'string', multiple: true, default: ['1'] },
    alone: { type: 'boolean', default: false },
    ensemble: { type: 'boolean', default: false },
    point: { type: 'string' },
    'flair-alone': { type: 'boolean', default: false },
    pictures: { type: 'boolean', default: false },
    readme: { type: 'boolean', default: false },
  },
})
const name = options.name ?? options.preset
/**
 * A voxel is lesion from `threshold` on, in findings that reach `certain` somewhere; `share` is the threshold method's, and
 * `bright` what its belief must reach in a finding.
 */
const [share, threshold, certain, bright] = options.point?.split('/').map(Number) ?? []
const points = options.point
  ? [{ share, threshold, certain, bright }]
  : options.alone
    ? [0.4, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9].flatMap((threshold) =>
        [threshold, 0.8, 0.9, 0.95, 0.98]
          .filter((c, i) => i === 0 || c > threshold)
          .map((certain) => ({ share: 0, threshold, certain, bright: 0 })),
      )
    : [
        ...[0.6, 0.8, 0.9].map((threshold) => ({ share: 0, threshold, certain: 0.98, bright: 0 })),
        ...[0.3, 0.4, 0.5, 0.6].flatMap((share) =>
          [0.4, 0.5, 0.6].flatMap((threshold) =>
            [0, 0.95, 0.98].map((bright) => ({ share, threshold, certain: 0.9, bright })),
          ),
        ),
      ]
/** What was left out, and what of the method or the scans. */
const which = `${options.split}${options['flair-alone'] ? '-flair' : ''}${options.alone ? '-alone' : ''}`
const out = `${root}out/network-accuracy/${name}-${which}-${options.seed.join('+')}`
mkdirSync(out, { recursive: true })

const scans = await networkCases(presetConfig(options.preset).network as FixedNetwork)
for (const seeds of options.seed.length > 1 && !options.ensemble
  ? [...options.seed.map((s) => [s]), options.seed]
  : [options.seed]) {
  const scored: (Scored & { masks: Mask[]; calibration(point: number): Calibration })[] = []
  for (const scan of scans) {
    const probability = leftOutProbability(scan, {
      name,
      split: options.split,
      seeds,
      suffix: options['flair-alone'] ? '.flair' : '',
    })
    if (!probability) {
      console.log(`${scan.id} is left out of the table: its fold is not done`)
      continue
    }
    const belief = options.alone ? undefined : await beliefOf(scan)
    const mixed = (share: number) => (belief ? withBelief(probability, belief, share) : probability)
    const masks: Mask[] = []
    for (const point of points) masks.push(await cutAt(scan, probability, belief, point))
    scored.push({
      scan: scan.labelled,
      referenceMl: volumeMl(scan.reference),
      scores: masks.map((m) => score(m, scan.reference)),
      masks,
      calibration: (point) => calibrationOf(scan, mixed(points[point].share)),
    })
  }
  const rows = scored.map((one) => {
    const others = scored.filter(({ scan }) =>
      options.split === 'centre' ? scan.centre !== one.scan.centre : scan.patient !== one.scan.patient,
    )
    const point = bestPoint(others.length ? others : scored)
    return {
      ...one,
      score: one.scores[point],
      point: `${points[point].share}/${points[point].threshold}/${points[point].certain}/${points[point].bright}`,
      mask: one.masks[point],
      calibration: one.calibration(point),
    }
  })
  const title = `${name}${options.alone ? ' alone' : ''}${options['flair-alone'] ? ', FLAIR without T1' : ''}, ${options.split} left out, seed ${seeds.join(' + ')}`
  const tables = `${report(title, rows)}\n${await bySize(title, rows)}\n${reliability(title, rows)}`
  console.log(tables)
  console.log(`best point over all: ${JSON.stringify(points[bestPoint(scored)])}`)
  console.log(`mean over centres: Dice ${overCentres(rows, 'dice')}, F1 ${overCentres(rows, 'f1')}\n`)
  if (seeds !== options.seed && options.seed.length > 1) continue
  const kept = {
    seeds: seeds.map(Number),
    rows: rows.map(({ scan, referenceMl, score: s, point }) => ({ id: scan.id, referenceMl, point, ...s })),
    calibration: reliabilityOf(rows).bins,
  }
  writeFileSync(`${out}/scores.json`, JSON.stringify(kept, null, 1))
  if (options.readme) {
    const [brief] = tables.split('\n\n')
    replaceBetween('README.md', `network-${which}`, brief)
    replaceBetween('docs/accuracy.md', `network-${which}`, tables)
  }
  if (!options.pictures) continue
  for (const { scan, mask } of rows) {
    const whole = scans.find(({ id }) => id === scan.id)!
    const flair = (await readNifti(readFileSync(scan.flair), scan.flair)).image
    writeFileSync(`${out}/${scan.id}.png`, await overlayPng(flair, mask, whole.reference))
  }
}
process.exit(0)

function calibrationOf(scan: NetworkCase, data: Float32Array): Calibration {
  const { grid, brain } = scan.preparation.study
  return calibration({ ...grid, data: scan.truth }, { ...grid, data }, { within: brain })
}

/** Reliability of a probability, scans weighing the same. */
function reliabilityOf(rows: readonly { calibration: Calibration }[]) {
  const all = rows.map((row) => row.calibration)
  const of = (bin: number, key: 'meanProbability' | 'observed') =>
    Number(mean(all.map(({ bins }) => bins[bin][key]).filter(Number.isFinite)).toFixed(3))
  return {
    bins: all[0].bins.map(({ low, high }, i) => ({
      low,
      high,
      mean: of(i, 'meanProbability'),
      observed: of(i, 'observed'),
    })),
    expectedError: mean(all.map((one) => one.expectedError)),
    brier: mean(all.map((one) => one.brier)),
  }
}

/** How often voxels of a probability are lesion; nearly all of the brain lies in the first bin. */
function reliability(title: string, rows: readonly { calibration: Calibration }[]): string {
  const { bins, expectedError, brier } = reliabilityOf(rows)
  return [
    `| ${title}: probability | mean of it | share that is lesion |`,
    '|---|---|---|',
    ...bins.map(
      (bin) => `| ${bin.low.toFixed(1)}–${bin.high.toFixed(1)} | ${bin.mean.toFixed(2)} | ${bin.observed.toFixed(2)} |`,
    ),
    '',
    `(Expected calibration error over the brain ${expectedError.toFixed(4)}, Brier score ${brier.toFixed(4)}.)`,
    '',
  ].join('\n')
}

/** Of the lesions of every size, over all scans: how many of the reference's are found, and of ours false. */
async function bySize(title: string, rows: readonly { scan: { id: string }; mask: Mask }[]): Promise<string> {
  const found = rows.map(({ scan, mask }) =>
    lesionDetection(scans.find(({ id }) => id === scan.id)!.reference, mask, { binsMm3: [20, 100, 1000] }),
  )
  const sum = (bin: number, key: 'referenceLesions' | 'detected' | 'candidateLesions' | 'falsePositives') =>
    found.reduce((total, { bins }) => total + bins[bin][key], 0)
  const share = (part: number, whole: number) => (whole > 0 ? (part / whole).toFixed(2) : 'n/a')
  const size = ({ fromMm3, toMm3 }: { fromMm3: number; toMm3: number }) =>
    Number.isFinite(toMm3) ? `${fromMm3}–${toMm3} mm³` : `${fromMm3} mm³ and more`
  return [
    `| ${title}: lesions by their own size | in the references | of these found | ours | of these false |`,
    '|---|---|---|---|---|',
    ...found[0].bins.map((bin, i) => {
      const [reference, ours] = [sum(i, 'referenceLesions'), sum(i, 'candidateLesions')]
      return `| ${size(bin)} | ${reference} | ${share(sum(i, 'detected'), reference)} | ${ours} | ${share(sum(i, 'falsePositives'), ours)} |`
    }),
    '',
    '(18-connected; found or right where one voxel is shared.)',
    '',
  ].join('\n')
}

function overCentres(
  rows: readonly { scan: { centre: string }; score: { dice: number; f1: number } }[],
  key: 'dice' | 'f1',
): string {
  const centres = [...new Set(rows.map(({ scan }) => scan.centre))]
  return mean(
    centres.map((centre) => mean(rows.filter(({ scan }) => scan.centre === centre).map((row) => row.score[key]))),
  ).toFixed(3)
}

async function cutAt(
  { preparation: { study, toNative } }: NetworkCase,
  network: Float32Array,
  belief: Float32Array | undefined,
  point: (typeof points)[number],
): Promise<Mask> {
  const on = (data: Float32Array) => ({ ...emptyImage(study.grid), data })
  const probability = on(belief ? withBelief(network, belief, point.share) : network)
  const mask = lesionsOf(probability, point, belief && on(belief))
  // As `segment` does with its default options: smallest lesion 3 mm³ and 3 voxels, 18-connected.
  return findLesions(await toNative.mask(mask), {}).mask
}
