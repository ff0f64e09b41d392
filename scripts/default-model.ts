// Trains the shipped network on the labelled scans of ../shared/data, and its cross-validation.
//
//   tsx scripts/default-model.ts --split patient|centre|all [--fold N …] [--seed N …] [--steps N] [--name NAME] [--flair-alone]
//
// --flair-alone trains nothing: the networks that are there label the scans left out once more, without their T1.
// Each run leaves its weights and the probabilities of the scans left out in .cache/default-model/NAME/SPLIT-FOLD-SEED/;
// what is done already is not done again. bench/network-accuracy.ts scores them.
import { existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { folds, networkCases, savedWeights } from '../bench/network-cases.js'
import { channelNames } from '../src/network/channels.js'
import { presetConfig } from '../src/network/config.js'
import type { Weights } from '../src/network/initialise.js'
import { multiplaneUnet } from '../src/network/networks/multiplane.js'
import { predictPlanes } from '../src/network/planes/predict.js'
import { trainPlanes } from '../src/network/planes/train.js'
import type { NetworkScan } from '../src/network/scan.js'

const { values: options } = parseArgs({
  options: {
    split: { type: 'string', default: 'patient' },
    fold: { type: 'string', multiple: true },
    seed: { type: 'string', multiple: true, default: ['1'] },
    steps: { type: 'string', default: '700' },
    batch: { type: 'string', default: '10' },
    name: { type: 'string', default: 'multiplane' },
    pasting: { type: 'string' },
    'flair-alone': { type: 'boolean', default: false },
  },
})
const root = fileURLToPath(new URL('..', import.meta.url))
const steps = Number(options.steps)
const batch = Number(options.batch)
const config = {
  ...presetConfig('multiplane'),
  steps,
  batch,
  ...(options.pasting ? { pasting: Number(options.pasting) } : {}),
}

/** Writes the probabilities of a scan whole or not at all. */
async function label(scan: NetworkScan, weights: Weights, file: string): Promise<void> {
  const probability = await predictPlanes(scan, {
    build: multiplaneUnet(),
    weights: [weights],
    multiple: 16,
    mirror: true,
    threads: 2,
  })
  writeFileSync(`${file}.part`, new Uint8Array(probability.buffer))
  renameSync(`${file}.part`, file)
}

const scans = await networkCases()
for (const seed of options.seed.map(Number)) {
  for (const { name, out } of folds(options.split)) {
    if (options.fold && !options.fold.includes(name)) continue
    const folder = `${root}.cache/default-model/${options.name}/${options.split}-${name}-${seed}`
    if (options['flair-alone']) {
      if (!existsSync(`${folder}/done`)) continue
      const weights = savedWeights(folder)
      for (const scan of scans.filter(({ patient }) => out.includes(patient))) {
        const file = `${folder}/${scan.id}.flair.f32`
        if (existsSync(file)) continue
        const channels = scan.channels.map((c, i) =>
          i === channelNames.indexOf('t1') ? new Float32Array(c.length) : c,
        )
        await label({ ...scan, channels }, weights, file)
        console.log(`${scan.id} without T1`)
      }
      continue
    }
    if (existsSync(`${folder}/done`)) continue
    const training = scans.filter((scan) => !out.includes(scan.patient))
    const left = scans.filter((scan) => out.includes(scan.patient))
    console.log(
      `${options.name} ${options.split} ${name} seed ${seed}: ${training.length} scans to train, ${left.length} left out`,
    )
    mkdirSync(folder, { recursive: true })
    let mean = Number.NaN
    const started = Date.now()
    const weights = await trainPlanes(training, {
      config,
      seed,
      threads: 2,
      onStep({ step, loss }) {
        mean = Number.isNaN(mean) ? loss : mean * 0.95 + loss * 0.05
        if (step % 50 === 49)
          console.log(`  step ${step + 1} loss ${mean.toFixed(3)} ${((Date.now() - started) / 1000).toFixed(0)} s`)
      },
    })
    const total = [...weights.values()].reduce((n, w) => n + w.length, 0)
    const flat = new Float32Array(total)
    let at = 0
    const index = [...weights].map(([key, values]) => {
      flat.set(values, at)
      at += values.length
      return [key, values.length]
    })
    writeFileSync(`${folder}/weights.bin`, new Uint8Array(flat.buffer))
    writeFileSync(`${folder}/weights.json`, JSON.stringify(index))
    for (const scan of left) await label(scan, weights, `${folder}/${scan.id}.f32`)
    writeFileSync(`${folder}/done.part`, '')
    renameSync(`${folder}/done.part`, `${folder}/done`)
  }
}
process.exit(0)
