import { basename } from 'node:path'
import type { ConsensusResult } from '../run/consensus.js'
import { aligned } from './table.js'

/** The consensus and its raters in a table for a reader. */
export function printConsensus(
  { method, consensus, raters, agreement, iterations }: ConsensusResult,
  out: string,
): void {
  const names = shortNames(raters.map(({ file }) => file))
  const extra = raters[0].weight === undefined ? [] : ['weight']
  const table = [['', 'ml', 'sensitivity', 'specificity', 'PPV', ...extra, ...names.map((_, i) => `Dice ${i + 1}`)]]
  raters.forEach((one, i) => {
    table.push([
      `${i + 1} ${names[i]}`,
      one.volumeMl.toFixed(2),
      figure(one.sensitivity),
      figure(one.specificity, 4),
      figure(one.ppv),
      ...(one.weight === undefined ? [] : [figure(one.weight)]),
      ...agreement.dice[i].map((d, j) => (i === j ? '–' : figure(d))),
    ])
  })
  const rounds = iterations > 1 ? `, ${iterations} rounds` : ''
  process.stdout.write(
    `${[
      `${method} of ${raters.length} raters: ${consensus.volumeMl.toFixed(2)} ml, ${consensus.lesions} ${consensus.lesions === 1 ? 'lesion' : 'lesions'} (${consensus.connectivity}-connected)${rounds}`,
      '',
      ...aligned(table, 1),
      '',
      `Agreement: mean Dice ${figure(agreement.meanDice)}, mean lesion F1 ${figure(agreement.meanLesionF1)}, Fleiss' kappa ${figure(agreement.fleissKappa)} (${agreement.kappaVoxels} voxels), conformity ${figure(agreement.generalisedConformity)}`,
      `Written: ${out}`,
    ].join('\n')}\n`,
  )
}

const figure = (value: number, digits = 3): string => (Number.isNaN(value) ? 'n/a' : value.toFixed(digits))

/** File names, with their folders where names alone are the same. */
function shortNames(files: readonly string[]): string[] {
  const names = files.map((file) => basename(file))
  return new Set(names).size === names.length ? names : [...files]
}
