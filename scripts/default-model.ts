// Trains the shipped network on the labelled scans of ../shared/data, and its cross-validation.
//
//   tsx scripts/default-model.ts --split patient|centre|all [--fold N …] [--seed N …] [--steps N] [--name NAME]
//
// Each run leaves its weights and the probabilities of the scans left out in .cache/default-model/NAME/SPLIT-FOLD-SEED/;
// what is done already is not done again. bench/network-accuracy.ts scores them.
import { existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { folds, networkCases } from '../bench/network-cases.js'
import { presetConfig } from '../src/network/config.js'
import { multiplaneUnet } from '../src/network/networks/multiplane.js'
import { predictPlanes } from '../src/network/planes/predict.js'
import { trainPlanes } from '../src/network/planes/train.js'

const { values: options } = parseArgs({
  options: {
    split: { type: 'string', default: 'patient' },
    fold: { type: 'string', multiple: true },
    seed: { type: 'string', multiple: true, default: ['1'] },
    steps: { type: 'string', default: '700' },
    batch: { type: 'string', default: '10' },
    name: { type: 'string', default: 'multiplane' },
    pasting: { type: 'string' },
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

const scans = await networkCases()
for (const seed of options.seed.map(Number)) {
  for (const { name, out } of folds(options.split)) {
    if (options.fold && !options.fold.includes(name)) continue
    const folder = `${root}.cache/default-model/${options.name}/${options.split}-${name}-${seed}`
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
    for (const scan of left) {
      const probability = await predictPlanes(scan, {
        build: multiplaneUnet(),
        weights: [weights],
        multiple: 16,
        mirror: true,
        threads: 2,
      })
      writeFileSync(`${folder}/${scan.id}.f32`, new Uint8Array(probability.buffer))
    }
    writeFileSync(`${folder}/done.part`, '')
    renameSync(`${folder}/done.part`, `${folder}/done`)
  }
}
process.exit(0)
