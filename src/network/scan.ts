import { identity } from '../volume/affine.js'
import { dilateSteps } from '../volume/morphology.js'

/** A scan as a network sees it. Volumes are x-fastest, on one grid. */
export interface NetworkScan {
  dims: readonly [number, number, number]
  /** Voxel sizes, mm. */
  spacing: readonly [number, number, number]
  /** One per input channel of the network. */
  channels: readonly Float32Array[]
  brain: Uint8Array
}

/** A scan to learn from. */
export interface LabelledScan extends NetworkScan {
  id: string
  /** Visits of one person share it; people are drawn with equal chance. */
  patient: string
  /** 1 = lesion. */
  truth: Uint8Array
}

/** Where crops are centred: shares of them, the rest anywhere in the brain. */
export interface CropShares {
  /** On lesion, where there is any. */
  foreground: number
  /** On lookalikes: the brightest 3 % of what is not within two voxels of a lesion. */
  lookalikes: number
}

/** Labelled scans by person, with where their lesions, their lookalikes and their brain lie. */
export class ScanPool {
  readonly #patients: readonly (readonly Located[])[]

  /** @param bright the channel that tells lookalikes, bright where lesions are bright */
  constructor(scans: readonly LabelledScan[], bright: number) {
    const groups = new Map<string, Located[]>()
    for (const scan of scans) {
      const located = {
        scan,
        lesion: places(scan.truth),
        lookalike: lookalikes(scan, bright),
        inside: places(scan.brain),
      }
      groups.set(scan.patient, [...(groups.get(scan.patient) ?? []), located])
    }
    this.#patients = [...groups.values()]
  }

  /** A scan of a random person, and a voxel of it. */
  voxel({ foreground, lookalikes }: CropShares, random: () => number): { scan: LabelledScan; voxel: number } {
    const { scan, lesion, lookalike, inside } = this.#scan(random)
    const where = random()
    if (where < foreground && lesion.length > 0) return { scan, voxel: pick(lesion, random) }
    const hard = where >= foreground && where < foreground + lookalikes && lookalike.length > 0
    return { scan, voxel: pick(hard ? lookalike : inside, random) }
  }

  /** As `voxel`, in lesion; undefined when the drawn scan has none. */
  lesion(random: () => number): { scan: LabelledScan; voxel: number } | undefined {
    const { scan, lesion } = this.#scan(random)
    return lesion.length > 0 ? { scan, voxel: pick(lesion, random) } : undefined
  }

  readonly #scan = (random: () => number): Located => pick(pick(this.#patients, random), random)
}

interface Located {
  scan: LabelledScan
  lesion: Uint32Array
  lookalike: Uint32Array
  inside: Uint32Array
}

export const pick = <T>(list: { readonly length: number; readonly [at: number]: T }, random: () => number): T =>
  list[Math.floor(random() * list.length)]

/** Voxels of a mask, in order. */
export function places(mask: Uint8Array): Uint32Array {
  const found: number[] = []
  for (let i = 0; i < mask.length; i++) if (mask[i]) found.push(i)
  return Uint32Array.from(found)
}

/** Voxels of the brain away from lesions that are as bright as lesions may be. */
function lookalikes({ dims, channels, brain, truth }: LabelledScan, bright: number): Uint32Array {
  const near = dilateSteps({ dims, affine: identity, data: truth }, 18, 2).data
  const away = places(brain.map((inside, i) => (inside && !near[i] ? 1 : 0)))
  const values = Float32Array.from(away, (i) => channels[bright][i]).sort()
  const least = values[Math.floor(0.97 * values.length)]
  return away.filter((i) => channels[bright][i] >= least)
}
