import { readdirSync, readFileSync } from 'node:fs'
import { animaScores } from '../src/evaluate/anima.js'
import { staple } from '../src/evaluate/consensus/staple.js'
import { readNiftiMask } from '../src/formats/nifti.js'
import type { Mask } from '../src/volume/volume.js'
import { sharedData } from '../test/shared-data.js'

/** How our numbers compare with those that an original program printed. */
export interface GoldenResult {
  cases: number
  /** Cases in which every value is within the tolerance, and the same keys are there. */
  equal: number
  values: number
  /** The largest absolute deviation, and the case and value that has it. */
  largest: number
  where: string
}

const read = (path: string): Promise<Mask> => readNiftiMask(readFileSync(path), path)

/** Keys of animaSegPerfAnalyzer that do not become ours by a small first letter. */
const renamed: Record<string, string> = { PPV: 'ppv', NPV: 'npv', PPVL: 'ppvL', F1_score: 'f1Score' }
const ourKey = (key: string) => renamed[key] ?? key[0].toLowerCase() + key.slice(1)

/** All pairs of animaSegPerfAnalyzer; equal means 2e-6 + 2e-5 of the value. Undefined without the data. */
export async function goldenPairs(): Promise<GoldenResult | undefined> {
  const folder = sharedData('scorer-golden')
  if (!folder) return undefined
  const printed = JSON.parse(readFileSync(`${folder}/values.json`, 'utf8')) as Record<string, number | string | null>[]
  const tally = new Tally()
  for (const { id, voxelSizeMm, ...values } of printed) {
    const { scores } = await animaScores(
      await read(`${folder}/${id}_reference.nii.gz`),
      await read(`${folder}/${id}_candidate.nii.gz`),
    )
    const same = Object.entries(values).map(([key, value]) => {
      const expected = value === null ? Number.NaN : Number(value)
      return tally.add(`${id} ${key}`, scores[ourKey(key)], expected, 2e-6 + 2e-5 * Math.abs(expected))
    })
    tally.close(same.every(Boolean) && Object.keys(scores).length === same.length)
  }
  return tally.result
}

/** All cases of animaSTAPLE: labels identical, the raters' performance within 1e-6. */
export async function goldenStaple(): Promise<GoldenResult | undefined> {
  const folder = sharedData('scorer-golden')
  if (!folder) return undefined
  const printed = JSON.parse(readFileSync(`${folder}/staple.json`, 'utf8')) as {
    id: string
    performance: number[][][]
  }[]
  const tally = new Tally()
  for (const { id, performance } of printed) {
    const files = readdirSync(folder)
      .filter((name) => name.startsWith(`${id}_rater`))
      .sort()
    const ours = staple(await Promise.all(files.map((name) => read(`${folder}/${name}`))))
    const label = await read(`${folder}/${id}_label.nii.gz`)
    const same = performance.flatMap((rater, j) =>
      rater.flatMap((said, l) =>
        said.map((value, m) =>
          tally.add(`${id} ${j + 1}[${l}][${m}]`, ours.raters[j].performance?.[l][m], value, 1e-6),
        ),
      ),
    )
    tally.close(same.every(Boolean) && label.data.every((value, i) => value === ours.labels.data[i]))
  }
  return tally.result
}

class Tally {
  readonly result: GoldenResult = { cases: 0, equal: 0, values: 0, largest: 0, where: 'none' }

  /** True when the value is the expected one. */
  add(where: string, ours: number | undefined, expected: number, tolerance: number): boolean {
    this.result.values++
    if (Object.is(ours, expected)) return true
    const deviation =
      ours === undefined || Number.isNaN(ours - expected) ? Number.POSITIVE_INFINITY : Math.abs(ours - expected)
    if (deviation > this.result.largest) Object.assign(this.result, { largest: deviation, where })
    return deviation <= tolerance
  }

  close(equal: boolean): void {
    this.result.cases++
    if (equal) this.result.equal++
  }
}
