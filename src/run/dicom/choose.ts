import { UsageError } from '../../errors.js'
import { type ContrastGuess, guessContrast, serves } from '../../formats/dicom/contrast.js'
import type { DicomHeader } from '../../formats/dicom/header.js'
import { type Stack, stacksOf } from '../../formats/dicom/stacks.js'
import { type Modality, modalities } from '../../volume/study.js'

/** A volume of the folder, what it is taken for, and whether it is the one to use. */
export interface Candidate {
  /** As `--map` names it: the series' number, `5.2` for its second volume, `2/5` in the second of many studies. */
  id: string
  stack: Stack<string>
  guess: ContrastGuess
  role?: Modality
  chosen: boolean
  /** Why it is used or not, in one line. */
  why: string
}

/** The volumes of a folder, the best of each contrast in each study chosen; `map` overrides. @throws UsageError for a map that fits nothing */
export function chooseSeries(
  files: readonly { header: DicomHeader; file: string }[],
  map: ReadonlyMap<string, Modality | 'skip'> = new Map(),
): Candidate[] {
  const stacks = stacksOf(files)
  const studies = [...new Set(stacks.map(({ study }) => study))]
  const taken = new Set<string>()
  const candidates = stacks.map((stack): Candidate => {
    const prefix = studies.length > 1 ? `${studies.indexOf(stack.study) + 1}/` : ''
    const stem = `${prefix}${stack.seriesNumber ?? 'x'}`
    const id = unique(stem, stack, taken)
    const guess = guessContrast(stack)
    const mapped = map.get(id)
    const fatal = stack.problems.find((problem) => problem.fatal)
    const role = mapped === 'skip' ? undefined : (mapped ?? (fatal ? undefined : guess.role))
    return { id, stack, guess, role, chosen: false, why: '' }
  })
  const ids = candidates.map(({ id }) => id)
  for (const id of map.keys())
    if (!ids.includes(id)) throw new UsageError(`--map: there is no series ${id}; there are ${ids.join(', ')}`)
  for (const study of studies)
    for (const role of modalities) {
      const rivals = candidates.filter((one) => one.stack.study === study && one.role === role)
      const mapped = rivals.filter(({ id }) => map.has(id))
      if (mapped.length > 1)
        throw new UsageError(`--map names ${mapped.map(({ id }) => id).join(' and ')} as ${role} in one study`)
      const best = mapped[0] ?? [...rivals].sort((a, b) => serves(b.stack, b.guess) - serves(a.stack, a.guess))[0]
      for (const one of rivals) {
        one.chosen = one === best
        if (mapped[0] && one === best) one.why = `named by --map (${one.guess.why})`
        else one.why = one.chosen ? one.guess.why : `${one.guess.why}; series ${best.id} serves better as ${role}`
      }
    }
  for (const one of candidates)
    if (one.role === undefined)
      one.why =
        map.get(one.id) === 'skip'
          ? 'left out by --map'
          : (one.stack.problems.find(({ fatal }) => fatal)?.message ?? one.guess.why)
  return candidates
}

function unique(stem: string, { part, parts }: Stack, taken: Set<string>): string {
  const name = (again: number) =>
    `${stem}${again === 0 ? '' : String.fromCharCode(97 + (again % 26))}${parts > 1 ? `.${part}` : ''}`
  let again = 0
  while (taken.has(name(again)) && again < 10_000) again++
  taken.add(name(again))
  return name(again)
}

/** Reads `5=flair`, `2/5.1=pd`, `7=skip`. @throws UsageError */
export function readMap(parts: readonly string[]): Map<string, Modality | 'skip'> {
  const map = new Map<string, Modality | 'skip'>()
  for (const part of parts.flatMap((one) => one.split(','))) {
    const [, id, name] = /^([^=]+)=(.+)$/.exec(part.trim()) ?? []
    const role = [...modalities, 'skip' as const].find((one) => one === name?.toLowerCase())
    if (id === undefined || !role)
      throw new UsageError(`--map: "${part}" is not SERIES=ROLE; the roles are ${modalities.join(', ')} and skip`)
    map.set(id, role)
  }
  return map
}
