import { join } from 'node:path'
import type { Summary } from '../lesions/summary.js'
import type { Provenance } from '../run/provenance.js'

/** The result in a few lines for a reader. */
export function printSummary(summary: Summary, provenance: Provenance, folder: string): void {
  const { lesionCount, lesionVolumeMl, lesionVolumePercentOfBrain, byLocation, connectivity, minimumSizeMm3 } = summary
  const share = lesionVolumePercentOfBrain === null ? '' : ` (${lesionVolumePercentOfBrain.toFixed(2)} % of the brain)`
  const lines = [
    `${lesionCount} ${lesionCount === 1 ? 'lesion' : 'lesions'}, ${lesionVolumeMl.toFixed(2)} ml${share}; ${connectivity}-connected, at least ${minimumSizeMm3} mm³`,
    ...Object.entries(byLocation).map(
      ([location, { count, volumeMl }]) =>
        `  ${location.padEnd(16)} ${String(count).padStart(4)}  ${volumeMl.toFixed(2).padStart(8)} ml`,
    ),
    `${provenance.method.id}, ${provenance.seconds.toFixed(1)} s, at most ${provenance.peakMegabytes} MB`,
    `Report: ${join(folder, 'report.html')}`,
    'Research only. Not for diagnosis.',
  ]
  process.stdout.write(`${lines.join('\n')}\n`)
}
