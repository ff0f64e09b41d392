// Trains the shipped network on the labelled scans of ../shared/data, and its cross-validation.
//
//   tsx scripts/default-model.ts --split patient|centre|all [--preset NAME] [--fold N …] [--seed N …] [--set KEY=VALUE …]
//     [--name NAME] [--threads N] [--flair-alone]
//
// --flair-alone trains nothing: the networks that are there label the scans left out once more, without their T1.
// Each run leaves its weights and the probabilities of the scans left out in .cache/default-model/NAME/SPLIT-FOLD-SEED/;
// what is done already is not done again. bench/network-accuracy.ts scores them.
import { existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { folds, type NetworkCase, networkCases, savedWeights } from '../bench/network-cases.js'
import { channelNames } from '../src/network/channels.js'
import { type FixedNetwork, presetConfig } from '../src/network/config.js'
import type { Weights } from '../src/network/initialise.js'
import { networkKinds } from '../src/network/kinds.js'
import type { NetworkScan } from '../src/network/scan.js'

const { values: options } = parseArgs({
  options: {
    split: { type: 'string', default: 'patient' },
    fold: { type: 'string', multiple: true },
    seed: { type: 'string', multiple: true, default: ['1'] },
    preset: { type: 'string', default: 'multislice' },
    set: { type: 'string', multiple: true, default: [] },
    name: { type: 'string' },
    threads: { type: 'string', default: '2' },
    'flair-alone': { type: 'boolean', default: false },
  },
})
const root = fileURLToPath(new URL('..', import.meta.url))
const name = options.name ?? options.preset
const config = {
  ...presetConfig(options.preset),
  ...Object.fromEntries(options.set.map((pair) => pair.split('=')).map(([key, value]) => [key, Number(value)])),
}
const kind = networkKinds[config.network as FixedNetwork]

/** Writes the probabilities of a scan whole or not at all. */
async function label(scan: NetworkScan, weights: Weights, file: string): Promise<void> {
  const probability = await kind.predict(scan, {
    features: config.features,
    weights: [weights],
    threads: Number(options.threads),
  })
  writeFileSync(`${file}.part`, new Uint8Array(probability.buffer))
  renameSync(`${file}.part`, file)
}

const read = new Map<string | undefined, NetworkCase[]>()
async function scansOf(without?: 'ljubljana'): Promise<NetworkCase[]> {
  if (!read.has(without)) {
    read.clear()
    read.set(without, await networkCases(config.network as FixedNetwork, without))
  }
  return read.get(without)!
}

for (const seed of options.seed.map(Number)) {
  for (const { name: fold, out } of folds(options.split)) {
    if (options.fold && !options.fold.includes(fold)) continue
    const folder = `${root}.cache/default-model/${name}/${options.split}-${fold}-${seed}`
    if (existsSync(`${folder}/done`) !== options['flair-alone']) continue
    // A centre left out is left out whole: the atlas's lesion frequency holds masks of ljubljana.
    const scans = await scansOf(fold === 'ljubljana' ? fold : undefined)
    if (options['flair-alone']) {
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
    const training = scans.filter((scan) => !out.includes(scan.patient))
    const left = scans.filter((scan) => out.includes(scan.patient))
    console.log(
      `${name} ${options.split} ${fold} seed ${seed}: ${training.length} scans to train, ${left.length} left out`,
    )
    mkdirSync(folder, { recursive: true })
    let mean = Number.NaN
    const started = Date.now()
    const weights = await kind.train(training, {
      config,
      seed,
      threads: Number(options.threads),
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
