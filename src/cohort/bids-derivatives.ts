import { readdir, readFile, rm, rmdir, stat } from 'node:fs/promises'
import { dirname, isAbsolute, join, relative, resolve, sep } from 'node:path'
import { z } from 'zod'
import { RunError, UsageError } from '../errors.js'
import { type Visit, visitFolder } from '../formats/bids.js'
import { jsonOf } from '../formats/json.js'
import { writeTsv } from '../formats/tsv.js'
import { writeWhole } from '../run/output-file.js'
import { openOutputFolder } from '../run/output-folder.js'
import type { Dataset } from './bids-dataset.js'
import { datasetFiles, derivativesName, isOurs, markName } from './bids-files.js'

/**
 * Makes the folder a data set of derivatives; what it holds of ours stays.
 *
 * @throws UsageError when it is the raw data set itself; RunError when it holds somebody else's data set or cannot be written
 */
export async function openDerivatives(out: string, { root, name }: Dataset, version: string): Promise<void> {
  if (await sameFolder(out, root))
    throw new UsageError(
      `OUT is the raw data set itself; give another folder, e.g. ${join(root, 'derivatives', 'lesionwise')}`,
    )
  await assertOurs(out)
  await assertOf(out, { name })
  const way = relative(resolve(root), resolve(out))
  const inside = !way.startsWith('..') && !isAbsolute(way)
  const link = inside ? relative(resolve(out), resolve(root)).split(sep).join('/') : undefined
  const files = new Map<string, Uint8Array | string>()
  for (const [file, content] of datasetFiles(version, { name, link })) {
    const path = join(out, file)
    if ((await readFile(path, 'utf8').catch(() => undefined)) !== content) files.set(path, content)
  }
  await writeWhole(files)
}

const generated = z.object({ GeneratedBy: z.array(z.object({ Name: z.string() })) })

/** True when the folder's description says that we made it. */
export async function isOurDataset(out: string): Promise<boolean | undefined> {
  const text = await readFile(join(out, 'dataset_description.json'), 'utf8').catch(() => undefined)
  if (text === undefined) return undefined
  return jsonOf(text, generated)?.GeneratedBy.some(({ Name }) => Name === 'lesionwise') ?? false
}

async function assertOurs(out: string): Promise<void> {
  const ours = await isOurDataset(out)
  if (ours) return
  const names = await readdir(out).catch(() => [])
  if (ours === false) throw new RunError(`${out}: holds another data set; give another folder for the derivatives`)
  const foreign = names.find((name) => name.startsWith('sub-'))
  if (foreign !== undefined)
    throw new RunError(`${out}: holds ${foreign}, which is not ours; give another folder for the derivatives`)
}

const described = z.object({ Name: z.string() })

/** @throws RunError when the derivatives are those of a data set of another name */
export async function assertOf(out: string, { name }: Pick<Dataset, 'name'>): Promise<void> {
  const bytes = await readFile(join(out, 'dataset_description.json')).catch(() => undefined)
  const before = jsonOf(bytes, described)?.Name
  if (before !== undefined && before !== derivativesName(name) && before !== derivativesName(undefined))
    throw new RunError(
      `${out}: holds "${before}", and this data set is ${name === undefined ? 'without a name' : `"${name}"`}; give another folder for the derivatives`,
    )
}

const sameFolder = async (a: string, b: string): Promise<boolean> => {
  const [one, other] = [await stat(a).catch(() => undefined), await stat(b).catch(() => undefined)]
  return one !== undefined && other !== undefined && one.dev === other.dev && one.ino === other.ino
}

/**
 * Takes away what a killed process has left of a visit: its lock and temporary files, and all that is ours where the visit is
 * not complete, so that the derivatives hold whole visits only.
 *
 * @throws RunError when another run works on the visit
 */
export async function tidyVisit(out: string, visit: Visit): Promise<void> {
  const inside = join(out, visitFolder(visit))
  const names = await readdir(inside).catch(() => undefined)
  if (!names) return
  const complete = names.includes(markName)
  if (complete && !names.some((name) => name.startsWith('.lesionwise-'))) return
  const folder = await openOutputFolder<string>(inside)
  try {
    const below = (await readdir(join(inside, 'anat')).catch(() => [])).map((name) => `anat/${name}`)
    if (!complete)
      for (const name of [...names, ...below].filter(isOurs(visit))) await rm(join(inside, name), { force: true })
  } finally {
    await folder.release()
  }
  // Folders that hold something stay.
  for (const empty of [join(inside, 'anat'), inside, ...(visit.session === undefined ? [] : [dirname(inside)])])
    await rmdir(empty).catch(() => {})
}

export const problemsName = 'input-problems.tsv'

/** Lists what breaks the rules of BIDS in the raw data set under `logs/`. */
export async function writeProblems(out: string, { problems }: Dataset): Promise<void> {
  const path = join(out, 'logs', problemsName)
  if (problems.length === 0) await rm(path, { force: true })
  else
    await writeWhole(
      new Map([
        [
          path,
          writeTsv(
            ['file', 'problem'],
            problems.map(({ file, problem }) => [file, problem]),
          ),
        ],
      ]),
    )
}
