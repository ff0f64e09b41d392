import { readdir } from 'node:fs/promises'
import { UsageError } from '../../errors.js'
import { bareLabel, isLabel, type Visit } from '../../formats/bids.js'
import type { ImportDicomOptions } from '../import-dicom.js'
import type { Candidate } from './choose.js'
import { type KeyMap, personOf } from './key-map.js'

/** Who it is by the header: the number, else name and birth date. Who has neither number nor name is nobody else. */
export const personKey = ({ stack }: Candidate): string => {
  const { patientId, patientName, birthDate } = stack.files[0].header
  return patientId || (patientName ? `${patientName}|${birthDate ?? ''}` : `study ${stack.study}`)
}

/** What the headers under one number say of the person, where it cannot be one: another birth date, sex, or no part of a name alike. */
function contradicts(a: Candidate, b: Candidate): boolean {
  const [one, other] = [a, b].map(({ stack }) => stack.files[0].header)
  const differs = (key: 'birthDate' | 'sex') => one[key] && other[key] && one[key] !== other[key]
  const parts = (name: string) =>
    name
      .toLowerCase()
      .split(/[^\p{L}\p{N}]+/u)
      .filter(Boolean)
  const [names, others] = [parts(one.patientName), parts(other.patientName)]
  const strange = names.length > 0 && others.length > 0 && !names.some((part) => others.includes(part))
  return Boolean(differs('birthDate') || differs('sex') || strange)
}

/** A series of another study and, by its header, another person than an earlier one under the same number. */
export function strangersUnderOneNumber(candidates: readonly Candidate[]): Candidate | undefined {
  const known = new Map<string, Candidate>()
  return candidates.find((one) => {
    const first = known.get(personKey(one))
    if (!first) known.set(personKey(one), one)
    return first && first.stack.study !== one.stack.study && contradicts(first, one)
  })
}

export interface ImportedVisit extends Visit {
  dayShift: number
}

/** Subject and session of each study. */
export async function visitsOf(
  candidates: readonly Candidate[],
  { out, subject, session }: Pick<ImportDicomOptions, 'out' | 'subject' | 'session'>,
  keys: KeyMap,
): Promise<Map<string, ImportedVisit>> {
  const label = (text: string | undefined, entity: 'sub' | 'ses', flag: string) => {
    if (text === undefined) return undefined
    const bare = bareLabel(text, entity)
    if (!isLabel(bare)) throw new UsageError(`${flag}: "${text}" is no label; letters and digits only`)
    return bare
  }
  const ownSubject = label(subject, 'sub', '--subject')
  const ownSession = label(session, 'ses', '--session')
  const studies = new Map<string, string>()
  // One study is of one person, whatever its headers say: its first series tells.
  for (const one of candidates) if (!studies.has(one.stack.study)) studies.set(one.stack.study, personKey(one))
  const persons = [...new Set(studies.values())]
  if (ownSubject !== undefined && persons.length > 1)
    throw new UsageError(`--subject names one person, and the folder holds ${persons.length}; leave it out`)
  if (ownSession !== undefined && studies.size > 1)
    throw new UsageError(`--session names one study, and the folder holds ${studies.size}; leave it out`)
  const used = new Set([
    ...(out === undefined ? [] : await readdir(out).catch(() => [])),
    ...Object.values(keys.patients).map((person) => `sub-${person.subject}`),
  ])
  const next = () => {
    let n = 1
    while (used.has(`sub-${String(n).padStart(3, '0')}`)) n++
    used.add(`sub-${String(n).padStart(3, '0')}`)
    return String(n).padStart(3, '0')
  }
  const visits = new Map<string, ImportedVisit>()
  for (const person of persons) {
    const entry = await personOf(keys, person, () => ownSubject ?? next())
    if (ownSubject !== undefined && entry.subject !== ownSubject)
      throw new UsageError(`--subject: --keep-map has this person as sub-${entry.subject}`)
    const own = [...studies].filter(([, key]) => key === person).map(([study]) => study)
    const several = own.length > 1 || Object.keys(entry.sessions).some((study) => !own.includes(study))
    for (const study of own) {
      const before = entry.sessions[study]
      const number = String(Object.keys(entry.sessions).length + 1).padStart(2, '0')
      const chosen = ownSession ?? (before || (several ? number : ''))
      entry.sessions[study] = chosen
      visits.set(study, { subject: entry.subject, session: chosen || undefined, dayShift: entry.dayShift })
    }
  }
  return visits
}
