import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { writeNifti } from '../../src/formats/nifti.js'
import { seededRandom } from '../../src/random.js'
import { simulateStudy } from '../../src/simulate/study.js'

/** What is done to a visit, and what must be told of it. */
export interface Fault {
  name: string
  /** Of the log and the cohort's table. */
  status: 'failed' | 'left out'
  reason: RegExp
  /** True when the worker meets it, not the data: taken away, the visit must succeed. */
  passing?: boolean
}

export const faults: readonly Fault[] = [
  { name: 'cut short', status: 'failed', reason: /_FLAIR\.nii\.gz: / },
  { name: 'text', status: 'failed', reason: /_FLAIR\.nii\.gz: the file holds text/ },
  { name: 'empty file', status: 'failed', reason: /_FLAIR\.nii\.gz: / },
  { name: 'all zero', status: 'failed', reason: /_FLAIR\.nii\.gz: .*zero/ },
  { name: 'dangling link', status: 'failed', reason: /_FLAIR\.nii\.gz: is a link that leads nowhere/ },
  { name: 'no FLAIR', status: 'left out', reason: /there is no FLAIR, only T1/ },
  { name: 'no session', status: 'left out', reason: /_sessions\.tsv, but there is no such folder/ },
  { name: 'no folder', status: 'left out', reason: /is in participants\.tsv, but there is no such folder/ },
  { name: 'disk full', status: 'failed', reason: /the disk is full; free some space/, passing: true },
  { name: 'killed early', status: 'failed', reason: /ended by SIGKILL/, passing: true },
  { name: 'killed late', status: 'failed', reason: /ended by SIGKILL/, passing: true },
]

export interface FaultyDataset {
  /** Visits without a fault. */
  healthy: string[]
  /** The others, with what was done to them. */
  faulty: { id: string; fault: Fault }[]
  /** Those that the workers meet, for `faults.mjs`. */
  injected: Record<string, string>
}

/** Tiny FLAIR images of one simulated patient, brighter from one to the next. */
export async function tinyScans(n: number): Promise<Uint8Array[]> {
  const { flair } = await simulateStudy({ seed: 1, pixelMm: 5, sliceMm: 10, lesionMl: 20 })
  const scans: Uint8Array[] = []
  for (let i = 0; i < n; i++)
    scans.push(await writeNifti({ ...flair, data: flair.data.map((value) => Math.round(value * (1 + 0.1 * i))) }))
  return scans
}

interface FaultyOptions {
  subjects: number
  /** A fault for one of so many people. Default 4. */
  every?: number
  scans: readonly Uint8Array[]
  seed?: number
  /** The kinds of faults, in turn. Default: all. */
  kinds?: readonly Fault[]
}

/** Writes a data set of so many people, every tenth with two sessions, some of them with a fault. */
export async function faultyDataset(
  root: string,
  { subjects, every = 4, scans, seed = 1, kinds = faults }: FaultyOptions,
): Promise<FaultyDataset> {
  const random = seededRandom(seed)
  const digits = Math.max(2, String(subjects).length)
  const made: FaultyDataset = { healthy: [], faulty: [], injected: {} }
  const rows: string[] = []
  mkdirSync(root, { recursive: true })
  const zero = await writeNifti({
    dims: [20, 20, 8],
    affine: [4, 0, 0, -40, 0, 4, 0, -40, 0, 0, 8, -32, 0, 0, 0, 1],
    data: new Float32Array(3200),
  })
  let next = 0
  for (let n = 0; n < subjects; n++) {
    const subject = `sub-${String(n + 1).padStart(digits, '0')}`
    rows.push(
      `${subject}\t${20 + Math.floor(40 * random())}\t${random() < 0.7 ? 'F' : 'M'}\t${n % 2 ? 'RRMS' : 'SPMS'}`,
    )
    const fault = n % every === every - 1 ? kinds[next++ % kinds.length] : undefined
    const visits = n % 10 === 0 || fault?.name === 'no session' ? ['01', '02'] : ['01']
    for (const [v, session] of visits.entries()) {
      const id = fault?.name === 'no folder' ? subject : `${subject}_ses-${session}`
      // A person's first visit is sound where it is the second that is missing.
      const own = fault && (fault.name === 'no session' ? v === 1 : v === 0) ? fault : undefined
      const anat = join(root, subject, `ses-${session}`, 'anat')
      const file = join(anat, `${id}_FLAIR.nii.gz`)
      const scan = scans[(n + v) % scans.length]
      if (own) made.faulty.push({ id, fault: own })
      else made.healthy.push(id)
      if (own?.passing) made.injected[id] = own.name
      if (own?.name === 'no session')
        writeFileSync(join(root, subject, `${subject}_sessions.tsv`), 'session_id\nses-01\nses-02\n')
      if (own?.name === 'no session' || own?.name === 'no folder') continue
      mkdirSync(anat, { recursive: true })
      if (own?.name === 'dangling link') symlinkSync(join(root, '.git', 'annex', id), file)
      else if (own?.name === 'no FLAIR') writeFileSync(join(anat, `${id}_T1w.nii.gz`), scan)
      else
        writeFileSync(
          file,
          own?.name === 'cut short'
            ? scan.subarray(0, Math.floor(scan.length * 0.6))
            : own?.name === 'text'
              ? 'this is no image\n'.repeat(50)
              : own?.name === 'empty file'
                ? ''
                : own?.name === 'all zero'
                  ? zero
                  : scan,
        )
    }
  }
  writeFileSync(join(root, 'participants.tsv'), `participant_id\tage\tsex\tgroup\n${rows.join('\n')}\n`)
  writeFileSync(join(root, 'dataset_description.json'), JSON.stringify({ Name: 'Faulty', BIDSVersion: '1.10.0' }))
  return made
}
