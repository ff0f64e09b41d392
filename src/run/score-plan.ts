import { stat } from 'node:fs/promises'
import { basename } from 'node:path'
import { type Flag, InputError, UsageError } from '../errors.js'
import { caseName, pairCases, readCaseList } from './cases.js'
import { exists } from './output-folder.js'

/** What is scored against what. */
export interface ScorePlan {
  /** `pair`: one candidate file against its references; `cases`: folders or a list. */
  form: 'pair' | 'cases'
  teams: readonly string[]
  cases: readonly PlannedCase[]
  flags: Flag[]
}

export interface PlannedCase {
  id: string
  /** One file for each rater. */
  references: readonly string[]
  /** One file for each team; undefined where it handed none in. */
  candidates: readonly (string | undefined)[]
}

export interface PlanSources {
  /** Files, or folders, one for each rater. */
  references: readonly string[]
  /** Files, or folders, or `TEAM=` and one of them. */
  candidates: readonly string[]
  /** A list in place of both: TSV with the columns id, reference (reference2, …) and candidate (or candidate_TEAM, …). */
  list?: string
}

/**
 * Finds the cases and their files.
 * @throws UsageError when nothing is given to compare; InputError when files, folders and names do not fit together
 */
export async function scorePlan({ references, candidates, list }: PlanSources): Promise<ScorePlan> {
  if (list !== undefined) {
    if (references.length > 0 || candidates.length > 0)
      throw new UsageError('--cases names reference and candidate itself; leave out --reference and --candidate')
    return await fromList(list)
  }
  if (references.length === 0) throw new UsageError('there is no reference; give it with --reference FILE or DIR')
  if (candidates.length === 0) throw new UsageError('there is no candidate; give it with --candidate FILE or DIR')
  const given = await Promise.all(candidates.map(teamOf))
  const teams = teamNames(given)
  const first = await kindOf(references[0])
  for (const path of [...references.slice(1), ...given.map((one) => one.path)]) {
    const kind = await kindOf(path)
    if (kind !== first)
      throw new InputError(
        path,
        `is a ${kind}, and the reference ${references[0]} is a ${first}`,
        'give two files or two folders',
      )
  }
  if (first === 'folder') return await fromFolders(references, given, teams)
  return {
    form: given.length === 1 ? 'pair' : 'cases',
    teams,
    cases: [{ id: caseName(references[0]), references, candidates: given.map(({ path }) => path) }],
    flags: [],
  }
}

interface Given {
  team?: string
  path: string
}

/** `TEAM=PATH`, unless it is the name of something that is there. */
async function teamOf(text: string): Promise<Given> {
  const [, team, path] = /^([^=/\\]+)=(.+)$/.exec(text) ?? []
  return team === undefined || (await exists(text)) ? { path: text } : { team, path }
}

function teamNames(given: readonly Given[]): string[] {
  if (given.length === 1) return [given[0].team ?? 'candidate']
  const names = given.map(({ team, path }) => team ?? basename(path).replace(/\.nii(\.gz)?$/i, ''))
  const twice = names.find((name, i) => names.indexOf(name) !== i)
  if (twice !== undefined)
    throw new UsageError(`two candidates are called "${twice}"; name them: --candidate A=DIR --candidate B=DIR`)
  return names
}

async function kindOf(path: string): Promise<'file' | 'folder'> {
  if (path.includes('*') && !(await exists(path))) return 'folder'
  const info = await stat(path).catch(() => undefined)
  // What is not there is reported by who reads it.
  return info?.isDirectory() || (!info && !/\.nii(\.gz)?$/i.test(path)) ? 'folder' : 'file'
}

async function fromFolders(
  references: readonly string[],
  given: readonly Given[],
  teams: readonly string[],
): Promise<ScorePlan> {
  const { cases, extra } = await pairCases([...references, ...given.map(({ path }) => path)])
  for (const [r, folder] of references.entries()) {
    const without = cases.find(({ files }) => files[r] === undefined)?.id ?? extra[r][0]
    if (without === undefined) continue
    const [lacking, other] = extra[r].length > 0 ? [references[0], folder] : [folder, references[0]]
    throw new InputError(lacking, `holds no mask of the case ${without} of ${other}`, 'give every rater the same cases')
  }
  const planned = cases.map(({ id, files }) => ({
    id,
    references: files.slice(0, references.length) as string[],
    candidates: files.slice(references.length),
  }))
  const beyond = extra.slice(references.length)
  return {
    form: 'cases',
    teams,
    cases: planned,
    flags: [...missingFlags(teams, planned), ...extraFlags(teams, beyond)],
  }
}

async function fromList(list: string): Promise<ScorePlan> {
  const { columns, cases } = await readCaseList(list)
  const raters = columns.filter((name) => /^reference/.test(name))
  const candidates = columns.filter((name) => /^candidate(_|$)/.test(name))
  for (const [found, name] of [
    [raters, 'reference'],
    [candidates, 'candidate'],
  ] as const)
    if (found.length === 0)
      throw new InputError(list, `has no column ${name} (it has ${['id', ...columns].join(', ')})`, `add one of paths`)
  const planned = cases.map(({ id, files }) => {
    const without = raters.find((name) => files[name] === undefined)
    if (without) throw new InputError(list, `the case ${id} has no ${without}`, 'give every case all references')
    return { id, references: raters.map((name) => files[name]), candidates: candidates.map((name) => files[name]) }
  })
  const teams = candidates.map((name) => name.replace(/^candidate_/, ''))
  return { form: 'cases', teams, cases: planned, flags: missingFlags(teams, planned) }
}

/** Whose, where there are several. */
const of = (teams: readonly string[], t: number): string => (teams.length > 1 ? `${teams[t]}: ` : '')

function missingFlags(teams: readonly string[], cases: readonly PlannedCase[]): Flag[] {
  return teams.flatMap((_, t) => {
    const ids = cases.filter(({ candidates }) => candidates[t] === undefined).map(({ id }) => id)
    if (ids.length === 0) return []
    const message = `${of(teams, t)}${ids.length} of ${cases.length} cases have no candidate and are scored as missing: ${ids.join(', ')}.`
    return [{ code: 'missing-candidate', severity: 'warning' as const, message }]
  })
}

function extraFlags(teams: readonly string[], extra: readonly (readonly string[])[]): Flag[] {
  return extra.flatMap((ids, t) => {
    if (ids.length === 0) return []
    const message = `${of(teams, t)}${ids.length === 1 ? 'a candidate belongs' : `${ids.length} candidates belong`} to no case of the reference and ${ids.length === 1 ? 'is' : 'are'} left out: ${ids.join(', ')}.`
    return [{ code: 'extra-candidate', severity: 'warning' as const, message }]
  })
}
