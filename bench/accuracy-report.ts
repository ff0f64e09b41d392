import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { lesionF1 } from '../src/evaluate/lesionwise.js'
import { dice } from '../src/evaluate/overlap.js'
import type { Mask } from '../src/volume/volume.js'
import { volumeMl } from '../src/volume/volume.js'
import type { LabelledCase } from './cases.js'

const root = fileURLToPath(new URL('..', import.meta.url))

export interface Score {
  dice: number
  f1: number
  sensitivity: number
  precision: number
  ml: number
}
export interface Scored {
  scan: LabelledCase
  referenceMl: number
  /** One per grid point. */
  scores: Score[]
}

/** A scan's score at the point that was chosen without its patient. */
export interface Row {
  scan: LabelledCase
  referenceMl: number
  score: Score
  point: number | string
}

export function score(mask: Mask, reference: Mask): Score {
  const lesions = lesionF1(reference, mask)
  return {
    dice: dice(reference, mask),
    f1: lesions.f1,
    sensitivity: lesions.sensitivity,
    precision: lesions.precision,
    ml: volumeMl(mask),
  }
}

/** Index of the grid point with the best mean (Dice + F1) / 2, patients weighing the same, over scans above 2 ml. */
export const bestPoint = (training: readonly Scored[]): number =>
  highest(training, (point) =>
    overPatients(
      training.filter(({ referenceMl }) => referenceMl > 2),
      point,
    ),
  )

/** As `bestPoint`, with centres weighing the same and scans of little lesion too: there false positives show. */
export function bestPointOverCentres(training: readonly Scored[]): number {
  const centres = [...new Set(training.map(({ scan }) => scan.centre))]
  return highest(training, (point) =>
    mean(
      centres.map((centre) =>
        overPatients(
          training.filter(({ scan }) => scan.centre === centre),
          point,
        ),
      ),
    ),
  )
}

function highest(training: readonly Scored[], value: (point: number) => number): number {
  let best = 0
  for (let point = 1; point < (training[0]?.scores.length ?? 0); point++) if (value(point) > value(best)) best = point
  return best
}

function overPatients(scans: readonly Scored[], point: number): number {
  const patients = [...new Set(scans.map(({ scan }) => scan.patient))]
  return mean(
    patients.map((patient) =>
      mean(
        scans
          .filter(({ scan }) => scan.patient === patient)
          .map(({ scores }) => (scores[point].dice + scores[point].f1) / 2),
      ),
    ),
  )
}

/** @param title names the method and what it was given */
export function report(title: string, rows: readonly Row[]): string {
  const line = (name: string, some: readonly Row[]) => {
    const of = (key: keyof Score) => mean(some.map(({ score: s }) => (Number.isNaN(s[key]) ? 0 : s[key]))).toFixed(3)
    return `| ${name} | ${some.length} | ${of('dice')} | ${of('f1')} | ${of('sensitivity')} | ${of('precision')} |`
  }
  const centres = ['ljubljana', 'mslesseg', 'tabriz'] as const
  return [
    `| ${title} | scans | Dice | lesion F1 | lesion sensitivity | lesion precision |`,
    '|---|---|---|---|---|---|',
    ...centres.map((centre) =>
      line(
        centre,
        rows.filter(({ scan }) => scan.centre === centre),
      ),
    ),
    line('all', rows),
    line(
      'more than 2 ml of lesions',
      rows.filter(({ referenceMl }) => referenceMl > 2),
    ),
    '',
    ...rows.map(
      ({ scan, referenceMl, score: s, point }) =>
        `    ${scan.id.padEnd(7)} reference ${referenceMl.toFixed(1).padStart(5)} ml, ours ${s.ml.toFixed(1).padStart(5)} ml  Dice ${s.dice.toFixed(3)}  F1 ${s.f1.toFixed(3)}  sensitivity ${s.sensitivity.toFixed(3)}  precision ${s.precision.toFixed(3)}  point ${point}`,
    ),
    '',
  ].join('\n')
}

/** Replaces what stands between two marks of a page. */
export function replaceBetween(name: string, mark: string, content: string): void {
  const path = root + name
  const pattern = new RegExp(`(<!-- ${mark} -->)[\\s\\S]*?(<!-- /${mark} -->)`)
  writeFileSync(
    path,
    readFileSync(path, 'utf8').replace(pattern, (_, start, end) => `${start}\n${content}\n${end}`),
  )
}

export function mean(values: number[]): number {
  return values.length === 0 ? Number.NaN : values.reduce((sum, value) => sum + value, 0) / values.length
}
