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
import { channelRoles } from '../src/network/channels.js'
import { hash } from '../src/network/initialise.js'
import { diceAndBinaryCrossEntropy } from '../src/network/losses.js'
import { multiplaneUnet } from '../src/network/networks/multiplane.js'
import { predictPlanes } from '../src/network/planes/predict.js'
import { PlanePool, planeDefaults } from '../src/network/planes/sample.js'
import { Trainer } from '../src/network/trainer.js'
import { seededRandom } from '../src/random.js'

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
const peakRate = 3e-3
const recipe = { ...planeDefaults, ...(options.pasting ? { pasting: Number(options.pasting) } : {}) }

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
    const weights = await train(training, seed)
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

async function train(training: Awaited<ReturnType<typeof networkCases>>, seed: number) {
  const pool = new PlanePool(training, channelRoles, recipe)
  const { size } = recipe
  const channels = training[0].channels.length
  const net = multiplaneUnet()
  const loss = diceAndBinaryCrossEntropy(2)
  const trainer = await Trainer.create(
    {
      inputs: { image: [batch, channels, size, size], truth: [batch, 1, size, size] },
      build: (graph, { image, truth }) => ({ loss: loss(graph, net(graph, image), truth) }),
    },
    { optimiser: { kind: 'adam', decoupled: true, weightDecay: 0.01, clip: 5, averageDecay: 0.99 }, seed, threads: 2 },
  )
  const draw = (step: number) => {
    const image = new Float32Array(batch * channels * size * size)
    const truth = new Float32Array(batch * size * size)
    for (let b = 0; b < batch; b++) {
      const random = seededRandom(hash(`${seed}/${step}/${b}`))
      pool.draw(
        random,
        image.subarray(b * channels * size * size, (b + 1) * channels * size * size),
        truth.subarray(b * size * size, (b + 1) * size * size),
      )
    }
    return { image, truth }
  }
  const started = Date.now()
  let next = draw(0)
  let mean = 0
  for (let step = 0; step < steps; step++) {
    const rate = peakRate * Math.min(1, (step + 1) / 30) * 0.5 * (1 + Math.cos((Math.PI * step) / steps))
    const running = trainer.train(next, rate)
    next = draw(step + 1)
    const { loss: now } = await running
    mean = step ? mean * 0.95 + now * 0.05 : now
    if (step % 50 === 49)
      console.log(`  step ${step + 1} loss ${mean.toFixed(3)} ${((Date.now() - started) / 1000).toFixed(0)} s`)
  }
  const weights = trainer.weights({ average: true })
  await trainer.close()
  return weights
}
