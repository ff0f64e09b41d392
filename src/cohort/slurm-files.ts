import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { jsonOf } from '../formats/json.js'
import { writeTsv } from '../formats/tsv.js'
import { writeWhole } from '../run/output-file.js'
import { json } from './bids-files.js'
import type { Queued } from './slurm.js'

/** What one task of an array does: a visit; all of a person where one of them has no session to be named by. */
export interface ArrayTask {
  subject: string
  session?: string
  /** The visits. */
  ids: string[]
}

/** One submission, as `logs/slurm/ID/submission.json` keeps it. */
export interface Submission {
  id: string
  date: string
  tasks: ArrayTask[]
  memoryMb: number
  minutes: number
  /** The arrays that Slurm took: their numbers, which tasks from which on, and which try. */
  jobs: { job: string; offset: number; attempt: number }[]
  /** Number of the job of the group level. */
  group?: string
}

/** What a task writes of itself: when it begins, and when it ends; one that was killed has no end. */
export interface TaskState {
  attempt: number
  /** `ARRAY_TASK`, as in the name of what it printed. */
  job: string
  host: string
  started: string
  ended?: string
  code?: number
}

const submission = z.object({
  id: z.string(),
  date: z.string(),
  tasks: z.array(z.object({ subject: z.string(), session: z.string().optional(), ids: z.array(z.string()) })),
  memoryMb: z.number(),
  minutes: z.number(),
  jobs: z.array(z.object({ job: z.string(), offset: z.int().min(0), attempt: z.int() })),
  group: z.string().optional(),
}) satisfies z.ZodType<Submission>

const taskState = z.object({
  attempt: z.int(),
  job: z.string(),
  host: z.string(),
  started: z.string(),
  ended: z.string().optional(),
  code: z.int().optional(),
}) satisfies z.ZodType<TaskState>

export const slurmFolder = (out: string): string => join(out, 'logs', 'slurm')
const folderOf = (out: string, id: string): string => join(slurmFolder(out), id)
export const outputOf = (out: string, id: string, pattern: string): string =>
  join(folderOf(out, id).replaceAll('%', '%%'), 'output', `${pattern}.txt`)
/** The script of a submission's tasks, and of its group level. */
export const scriptOf = (out: string, id: string, name: 'task' | 'group'): string =>
  join(folderOf(out, id), `${name}.sh`)

/** Names of jobs tell what they do, so that the queue alone says which visits are in it. */
export const jobName = (id: string, offset: number, attempt: number): string => `lesionwise-${id}.${offset}.${attempt}`
export const groupName = (id: string): string => `lesionwise-${id}.group`

/** Which submission, task and try something in the queue is; undefined when it is none of ours. */
export function taskOf({ name, task }: Queued): { id: string; at: number; attempt: number } | undefined {
  const [, id, offset, attempt] = /^lesionwise-([\w-]+)\.(\d+)\.(\d+)$/.exec(name) ?? []
  return id === undefined || task === undefined
    ? undefined
    : { id, at: Number(offset) + task, attempt: Number(attempt) }
}

export async function writeSubmission(out: string, submission: Submission): Promise<void> {
  await writeWhole(new Map([[join(folderOf(out, submission.id), 'submission.json'), json(submission)]]))
}

/** The submissions to a folder, oldest first. */
export async function readSubmissions(out: string): Promise<Submission[]> {
  const found: Submission[] = []
  for (const id of (await readdir(slurmFolder(out)).catch(() => [])).sort()) {
    const bytes = await readFile(join(folderOf(out, id), 'submission.json')).catch(() => undefined)
    // What is not ours, or damaged, is nothing that could be relied on.
    const known = jsonOf(bytes, submission)
    if (known) found.push(known)
  }
  return found
}

export async function readTaskState(out: string, id: string, at: number): Promise<TaskState | undefined> {
  return jsonOf(await readFile(join(folderOf(out, id), 'tasks', `${at}.json`)).catch(() => undefined), taskState)
}

/** What a submission needs on disk before Slurm is asked: the list of visits, the scripts, and folders for what tasks write. */
export async function writeScripts(
  out: string,
  { id, tasks }: Submission,
  { command, bids, options, group }: { command: readonly string[]; bids: string; options: string[]; group?: string[] },
): Promise<void> {
  const folder = folderOf(out, id)
  const quoted = (words: readonly string[]) => words.map(shellWord).join(' ')
  await writeWhole(
    new Map([
      [
        join(folder, 'visits.tsv'),
        writeTsv(
          ['participant', 'session', 'visits'],
          tasks.map(({ subject, session, ids }) => [subject, session ?? 'n/a', ids.join(' ')]),
        ),
      ],
      [join(folder, 'tasks', '.folder'), ''],
      [join(folder, 'output', '.folder'), ''],
      [
        scriptOf(out, id, 'task'),
        taskScript({
          folder: shellWord(folder),
          logs: shellWord(join(out, 'logs')),
          run: `${quoted([...command, 'bids', bids, out, 'participant'])} "\${labels[@]}" ${quoted(options)}`,
        }),
      ],
      ...(group
        ? [
            [
              scriptOf(out, id, 'group'),
              groupScript(quoted([...command, 'bids', bids, out, 'group', ...group])),
            ] as const,
          ]
        : []),
    ]),
  )
}

/** A word as a shell takes it, whatever stands in it. */
const shellWord = (text: string): string =>
  /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`

/**
 * The shell, not Lesionwise, keeps the task's state: it also tells of a node without Node.js. A task that has ended well, or
 * whose input or arguments are of no use, is not tried again.
 */
const taskScript = ({ folder, logs, run }: { folder: string; logs: string; run: string }): string => `#!/bin/bash
# Written by \`lesionwise bids … --slurm\`: a task of an array. Arguments: number of the first visit in visits.tsv, try.
folder=${folder}
logs=${logs}
at=$(( $1 + SLURM_ARRAY_TASK_ID ))
state="$folder/tasks/$at.json"
IFS=$'\\t' read -r subject session visits < <(sed -n "$(( at + 2 ))p" "$folder/visits.tsv")
labels=(--participant-label "$subject")
[ "$session" = n/a ] || labels+=(--session-label "$session")

settled() {
  grep -q '"code":0' "$state" 2>/dev/null && return 0
  grep -q '"code":1}' "$state" 2>/dev/null || return 1
  for visit in $visits; do grep -q '"exitCode": [23]' "$logs/$visit.json" 2>/dev/null || return 1; done
}
keep() { printf '{%s}\\n' "$1" > "$state.new-$$" && mv -f "$state.new-$$" "$state"; }
now() { date -u +%Y-%m-%dT%H:%M:%SZ; }

settled && exit 0
# A cancelled task says so itself, once its work has ended.
trap : TERM INT
about="\\"attempt\\":$2,\\"job\\":\\"\${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID\\",\\"host\\":\\"$(hostname)\\",\\"started\\":\\"$(now)\\""
keep "$about"
${run}
code=$?
keep "$about,\\"ended\\":\\"$(now)\\",\\"code\\":$code"
exit $code
`

const groupScript = (run: string): string => `#!/bin/bash
# Written by \`lesionwise bids … --slurm --slurm-group\`: brings the visits together, once all arrays have ended.
${run}
`
