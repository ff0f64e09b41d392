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

/** Labelled scans by person, with where their lesions and their brain lie. */
export class ScanPool {
  readonly #patients: readonly (readonly Located[])[]

  constructor(scans: readonly LabelledScan[]) {
    const groups = new Map<string, Located[]>()
    for (const scan of scans) {
      const located = { scan, lesion: places(scan.truth), inside: places(scan.brain) }
      groups.set(scan.patient, [...(groups.get(scan.patient) ?? []), located])
    }
    this.#patients = [...groups.values()]
  }

  /** A scan of a random person, and a voxel of it: in lesion with the chance `foreground` where there is any, else in the brain. */
  voxel(foreground: number, random: () => number): { scan: LabelledScan; voxel: number } {
    const { scan, lesion, inside } = this.#scan(random)
    return { scan, voxel: random() < foreground && lesion.length > 0 ? pick(lesion, random) : pick(inside, random) }
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
