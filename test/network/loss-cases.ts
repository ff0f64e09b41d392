import type { Graph, Value } from '../../src/network/graph/graph.js'
import * as l from '../../src/network/losses.js'
import type { Build } from './gradient-check.js'

const ofLogits =
  (loss: l.Loss): Build =>
  (g, { logits, truth }) =>
    loss(g, logits, truth)

const ofChance =
  (loss: (graph: Graph, p: Value, truth: Value) => Value): Build =>
  (g, { p, truth }) =>
    loss(g, p, truth)

const blob =
  (options: l.BlobOptions): Build =>
  (g, { logits, labels }) =>
    l.blobLoss(g, logits, labels, { most: 3, ...options })

const regions: Build = (g, { logits, labels, regions: near }) => l.regionLoss(g, logits, labels, near, { most: 3 })

const counted =
  (loss: (graph: Graph, found: Value, wanted: Value) => Value): Build =>
  (g, { density, wanted }) =>
    loss(g, l.totalCount(g, density), wanted)

/** Builds of the cases of test/golden/network.json that are losses. */
export const lossCases: Record<string, Build> = {
  'L1 binaryCrossEntropy': ofLogits(l.binaryCrossEntropy),
  'L1 weightedBinaryCrossEntropy': (g, { logits, truth, weights }) =>
    l.weightedBinaryCrossEntropy(g, logits, truth, weights),
  'L1 crossEntropy': ofLogits(l.crossEntropy),
  'L1 classWeightedCrossEntropy': ofLogits(l.classWeightedCrossEntropy([0.5, 1, 2])),
  'L1 probabilityCrossEntropy': ofChance(l.probabilityCrossEntropy),
  'L2 focal': ofLogits(l.focal()),
  'L3 softDice': ofChance(l.softDice),
  'L3 softDice per image': ofChance((g, p, y) => l.softDice(g, p, y, { batch: false })),
  'L3 softDice squared': ofChance((g, p, y) => l.softDice(g, p, y, { squared: true })),
  'L3 softDice weighted': (g, { p, truth, weights }) => l.softDice(g, p, truth, { weights }),
  'L4 diceAndCrossEntropy': ofLogits(l.diceAndCrossEntropy()),
  'L4 diceAndBinaryCrossEntropy': ofLogits(l.diceAndBinaryCrossEntropy(2)),
  'L5 tversky': ofChance((g, p, y) => l.tversky(g, p, y, 0.3, 0.7)),
  'L5 fScoreLoss': ofChance((g, p, y) => l.fScoreLoss(g, p, y, 2)),
  'L6 focalTversky': ofChance((g, p, y) => l.focalTversky(g, p, y, 0.3, 0.7)),
  'L7 generalisedDice': ofChance(l.generalisedDice),
  'L7 generalisedDice absent': ofChance(l.generalisedDice),
  'L8 sensitivitySpecificity': ofChance(l.sensitivitySpecificity),
  'L10 noisyLogits': (g, { logits, s, truth }) => l.noisyLogits(g, logits, s, truth, 3),
  'L11 squaredError': (g, { p, soft }) => l.squaredError(g, p, soft),
  'L12 absoluteError': (g, { a, b }) => l.absoluteError(g, a, b),
  'L13 squaredError': (g, { a, b }) => l.squaredError(g, a, b),
  'L14 localCorrelation': (g, { a, b }) => l.localCorrelation(g, a, b, 3),
  'L14 localCorrelation 3-D': (g, { a, b }) => l.localCorrelation(g, a, b, 3),
  'L15 smoothness': (g, { flow }) => l.smoothness(g, flow),
  'L16 adversarial discriminator': (g, { real, fake }) => l.adversarial.discriminator(g, real, fake),
  'L16 adversarial generator': (g, { fake }) => l.adversarial.generator(g, fake),
  'L17 leastSquaresAdversarial discriminator': (g, { real, fake }) =>
    l.leastSquaresAdversarial.discriminator(g, real, fake),
  'L17 leastSquaresAdversarial generator': (g, { fake }) => l.leastSquaresAdversarial.generator(g, fake),
  'L18 cycleConsistency': (g, { image, back, kept }) => l.cycleConsistency(g, { image, back, kept }),
  'L20 jointTransport': (g, { coupling, source, target, truth, p }) =>
    l.jointTransport(g, { coupling, source, target, labelCost: l.pairwiseDice(g, truth, p) }, { alpha: 0.5, beta: 2 }),
  'L21 entropy': (g, { logits }) => l.entropy(g, logits),
  'L21 binaryEntropy': (g, { logits }) => l.binaryEntropy(g, logits),
  'L22 blobLoss': blob({}),
  'L22 blobLoss faithful': blob({ faithful: true }),
  'L22 blobLoss cross-entropy': blob({ criterion: 'cross-entropy' }),
  'L22 blobLoss cross-entropy faithful': blob({ criterion: 'cross-entropy', faithful: true }),
  'L22 regionLoss': regions,
  'L22 regionLoss two classes': regions,
  'L22 lesionF1': (g, { logits, labels, alarms }) => l.lesionF1(g, logits, labels, alarms, { most: 3 }),
  'L23 countError': counted(l.countError),
  'L23 poissonCount': counted(l.poissonCount),
  'L23 countHinge': (g, { density, low, high }) => l.countHinge(g, l.totalCount(g, density), low, high),
  'L23 eulerCharacteristic': (g, { p }) => l.eulerCharacteristic(g, p),
  'L23 squaredCountError': (g, { p, wanted }) => l.squaredCountError(g, l.eulerCharacteristic(g, p), wanted),
  'L23 peakCount': (g, { p, peaks }) => l.peakCount(g, p, peaks),
  'L23 noisyOr': (g, { logits }) => l.noisyOr(g, logits),
  'L23 softLargest': (g, { scores }) => l.softLargest(g, scores),
  'L23 countVariance': (g, { p }) => l.countVariance(g, p),
  'L23 concentration': (g, { density }) => l.concentration(g, density),
  'L23 totalVariation': (g, { density }) => l.totalVariation(g, density),
  'L24 deepSupervision': (g, { fine, middle, coarse, truth }) =>
    l.deepSupervision(g, [fine, middle, coarse], truth, l.binaryCrossEntropy),
}

/** The label-flip loss stops gradients on purpose, so that differences of its value say something else. */
export const detachedLosses: Record<string, Build> = {
  'L9 labelFlip': (g, { logits, s, truth }) => l.labelFlip(g, logits, l.flipProbability(g, s), truth),
}
