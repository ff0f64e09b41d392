import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { readDataset } from '../src/cohort/bids-dataset.js'
import { datasetFiles } from '../src/cohort/bids-files.js'
import { bidsGroup } from '../src/cohort/bids-group.js'
import { completeVisit } from '../src/cohort/bids-status.js'
import { readSubmissions, readTaskState } from '../src/cohort/slurm-files.js'
import { readSurvey } from '../src/evaluate/survey.js'
import { readTrainedModel } from '../src/learn/trained-model.js'
import { loadModel, methodOfModel } from '../src/network/model.js'
import { importNnunet } from '../src/network/nnunet/import.js'
import { openKeyMap } from '../src/run/dicom/key-map.js'
import { readIntensityScale } from '../src/run/intensity-scale.js'
import { readResult } from '../src/run/read-result.js'
import { Corrections } from '../src/server/corrections.js'
import { JobStore } from '../src/server/job-store.js'
import { openCases } from '../src/server/opened.js'
import { ReviewStatus } from '../src/server/review.js'
import { unpackMasks } from '../src/simulate/bank.js'
import { provenanceText, summaryText } from '../test/run/made-up-result.js'
import { storeResult } from '../test/run/stored-result.js'
import { openWorkbench, resultIn, sent } from '../test/server/result.js'
import { bytesOf, type Reader, text } from './fuzz-formats.js'

/** Readers of JSON files and of tables with a meaning: each puts the damaged file where it belongs and reads the folder. */
export async function folderReaders(root: string): Promise<Reader[]> {
  return [
    ...(await resultReaders(join(root, 'result'))),
    ...(await workbenchReaders(join(root, 'workbench'))),
    ...(await cohortReaders(root)),
    ...serverReaders(join(root, 'jobs')),
    ...modelReaders(join(root, 'models')),
    ...otherReaders(root),
  ]
}

const seed = (value: unknown): Uint8Array => bytesOf(JSON.stringify(value))
const bytesAt = (path: string): Uint8Array => new Uint8Array(readFileSync(path))

function put(path: string, content: Uint8Array | string): void {
  mkdirSync(join(path, '..'), { recursive: true })
  writeFileSync(path, content)
}

/** A reader of a folder in which one file is damaged; it is sound again afterwards. */
function inFolder(name: string, path: string, read: () => Promise<unknown>, doesWithout = false): Reader {
  const sound = bytesAt(path)
  return {
    name,
    seeds: [sound],
    doesWithout,
    async read(bytes) {
      writeFileSync(path, bytes)
      try {
        return await read()
      } finally {
        writeFileSync(path, sound)
      }
    },
  }
}

async function resultReaders(folder: string): Promise<Reader[]> {
  await storeResult(folder)
  return ['summary.json', 'provenance.json', 'lesions.tsv'].map((name) =>
    inFolder(`${name} of a result`, join(folder, name), () => readResult(folder)),
  )
}

async function workbenchReaders(root: string): Promise<Reader[]> {
  const mask = await resultIn(join(root, 'one'))
  await resultIn(join(root, 'other'))
  const result = join(root, 'one')
  const corrections = new Corrections(result)
  const about = { rater: 'anna', parent: 'base', steps: ['brush'] }
  const figures = { marks: [], note: '', lesionCount: 1, lesionVolumeMl: 1, sha256: '' }
  await corrections.save({ ...about, ...figures }, new Uint8Array(1))
  await corrections.keepDraft({ ...about, tab: 'tab1', marks: [] }, new Uint8Array(1))
  const review = new ReviewStatus(result)
  await review.set({ status: 'accepted', rater: 'anna', note: '' })
  const { request } = await openWorkbench(root)
  const page = async (path: string, init: RequestInit = {}) => {
    const { status } = await request(path, init)
    if (status >= 500) throw new Error(`${path}: ${status}`)
  }
  const list = async () => {
    await openCases(root)
    await page('/api/cases')
    await page('/api/cases/one')
  }
  const at = (name: string) => join(result, 'corrections', name)
  const body = sent({ ...about, tab: 'tab1' }, mask.data as Uint8Array)
  const request4 = new DataView(body.buffer, body.byteOffset).getUint32(0, true)
  return [
    inFolder('summary.json in the workbench', join(result, 'summary.json'), list, true),
    inFolder('provenance.json in the workbench', join(result, 'provenance.json'), list, true),
    inFolder('lesions.tsv in the workbench', join(result, 'lesions.tsv'), list, true),
    inFolder('a version', at('desc-anna_v001.json'), list, true),
    inFolder('a draft', at('.draft-anna-tab1.json'), list, true),
    inFolder('review.json', at('review.json'), list, true),
    {
      name: 'a correction sent',
      seeds: [body.subarray(4, 4 + request4)],
      doesWithout: true,
      async read(bytes) {
        const whole = new Uint8Array(4 + bytes.length + body.length - 4 - request4)
        new DataView(whole.buffer).setUint32(0, bytes.length, true)
        whole.set(bytes, 4)
        whole.set(body.subarray(4 + request4), 4 + bytes.length)
        await page('/api/cases/other/versions', { method: 'POST', body: whole })
      },
    },
  ]
}

async function cohortReaders(root: string): Promise<Reader[]> {
  const [bids, out] = [join(root, 'bids'), join(root, 'derivatives')]
  for (const [name, content] of datasetFiles('1.0.0', { name: 'raw' })) put(join(out, name), content)
  put(join(bids, 'dataset_description.json'), JSON.stringify({ Name: 'raw', BIDSVersion: '1.10.0' }))
  const people = 'participant_id\tage\tsex\tgroup\nsub-01\t30\tF\ta\nsub-02\t40\tM\tb\n'
  put(join(bids, 'participants.tsv'), people)
  for (const subject of ['01', '02']) {
    const [name, folder] = [`sub-${subject}_ses-1`, `sub-${subject}/ses-1`]
    put(join(bids, folder, 'anat', `${name}_FLAIR.nii.gz`), '')
    put(
      join(bids, `sub-${subject}`, `sub-${subject}_sessions.tsv`),
      'session_id\tacq_time\nses-1\t2020-01-01T00:00:00\n',
    )
    const identity = {
      version: '1.0.0',
      method: 'roura2015',
      params: {},
      settings: {},
      images: { flair: 'a' },
      seed: 1,
    }
    const more = { identity, sources: { flair: 'a' }, files: [{ name: 'report', bytes: 1 }], brainMl: 1400 }
    put(join(out, folder, 'report'), '1')
    put(join(out, folder, 'provenance.json'), JSON.stringify({ ...JSON.parse(provenanceText()), ...more }))
    put(join(out, folder, `${name}_summary.json`), summaryText({ lesionCount: 3, lesionVolumeMl: 2 }))
    const log = { id: name, subject, session: '1', status: 'done', notes: [], date: '2026-01-01', peakMegabytes: 5 }
    put(join(out, 'logs', `${name}.json`), JSON.stringify(log))
  }
  const job = { job: '7', offset: 0, attempt: 1 }
  const task = { subject: '01', session: '1', ids: ['sub-01_ses-1'] }
  const submission = { id: 's1', date: '2026-01-01', tasks: [task], memoryMb: 100, minutes: 5, jobs: [job] }
  const slurm = join(out, 'logs', 'slurm', 's1')
  put(join(slurm, 'submission.json'), JSON.stringify(submission))
  const state = { attempt: 1, job: '7_0', host: 'a', started: '2026-01-01', ended: '2026-01-02', code: 0 }
  put(join(slurm, 'tasks', '0.json'), JSON.stringify(state))
  const group = () => bidsGroup({ bids, out })
  const tasks = async () => {
    for (const { id } of await readSubmissions(out)) await readTaskState(out, id, 0)
  }
  const visit = join(out, 'sub-01', 'ses-1')
  return [
    inFolder('summary.json of a visit', join(visit, 'sub-01_ses-1_summary.json'), group, true),
    inFolder('provenance.json of a visit', join(visit, 'provenance.json'), group, true),
    inFolder('log of a visit', join(out, 'logs', 'sub-01_ses-1.json'), group, true),
    inFolder('participants.tsv', join(bids, 'participants.tsv'), group, true),
    inFolder('sessions.tsv', join(bids, 'sub-01', 'sub-01_sessions.tsv'), group, true),
    inFolder('dataset_description.json', join(bids, 'dataset_description.json'), () => readDataset(bids), true),
    inFolder('visit to be gone on with', join(visit, 'provenance.json'), () => completeVisit(out, task), true),
    inFolder('submission', join(slurm, 'submission.json'), tasks, true),
    inFolder('task', join(slurm, 'tasks', '0.json'), tasks, true),
  ]
}

function serverReaders(folder: string): Reader[] {
  const job = join(folder, 'jobs', 'a'.repeat(24))
  put(join(job, 'request.json'), JSON.stringify({ created: '2026-01-01T00:00:00Z', request: {}, inputs: [] }))
  const results = [{ name: 'summary.json', bytes: 1 }]
  put(join(job, 'status.json'), JSON.stringify({ state: 'done', interruptions: 0, results }))
  const open = async () => {
    const store = await JobStore.open(folder)
    for (const one of store.list()) store.resultPath(one, 'summary.json')
    await store.close()
  }
  return ['request.json', 'status.json'].map((name) => inFolder(`${name} of a job`, join(job, name), open, true))
}

function modelReaders(folder: string): Reader[] {
  const tiny = (name: string) => bytesAt(new URL(`../test/golden/nnunet/tiny/${name}`, import.meta.url).pathname)
  const [plans, dataset] = [tiny('plans.json'), tiny('dataset.json')]
  const folds = new Map([['fold_0', tiny('fold_0/checkpoint_final.pth')]])
  const card = (model: string) => bytesAt(new URL(`../models/${model}/model.json`, import.meta.url).pathname)
  put(join(folder, 'network', 'model.json'), card('multislice'))
  put(join(folder, 'statistical', 'model.json'), card('schmidt2017'))
  const network = async () => {
    await methodOfModel(join(folder, 'network'))
    await loadModel(join(folder, 'network'))
  }
  const statistical = () => readTrainedModel('schmidt2017', join(folder, 'statistical'), z.object({}))
  return [
    {
      name: 'plans.json of nnU-Net',
      seeds: [plans],
      read: (bytes) => importNnunet({ plans: bytes, dataset, folds }, 'm'),
    },
    {
      name: 'dataset.json of nnU-Net',
      seeds: [dataset],
      read: (bytes) => importNnunet({ plans, dataset: bytes, folds }, 'm'),
    },
    inFolder('card of a network', join(folder, 'network', 'model.json'), network),
    inFolder('statistical model', join(folder, 'statistical', 'model.json'), statistical),
  ]
}

function otherReaders(root: string): Reader[] {
  const row = {
    ...{ method: 'Ash et al., 2008', cite: 'A', kind: 'deep', challenge_entry: true },
    ...{ score: 80, LTPR: { mean: 0.4, sd: 0.1 }, LFPR: { mean: 0.6, sd: 0.1 } },
  }
  const table = { challenge: 'ISBI 2015', columns: ['score', 'LTPR', 'LFPR'], rows: [row] }
  const survey = { source: 'made up', tableIII: table, tableIV: table, inconsistencies: [] }
  const affine = [0, 1, 2, 3].map((i) => [0, 1, 2, 3].map((j) => Number(i === j)))
  const index = { affine, lesions: [{ size: [3, 3, 1], offset: 1, bytes: 2 }] }
  const person = { subject: '001', dayShift: 5, sessions: { '1.2': '01' } }
  const [keys, scale] = [join(root, 'keys.json'), join(root, 'scale.json')]
  put(
    keys,
    JSON.stringify({ schemaVersion: 1, salt: 'a'.repeat(32), patients: { a: person }, uids: { '1.2': '2.25.1' } }),
  )
  put(scale, JSON.stringify({ flair: { percentages: [1, 50, 99], values: [0, 50, 100], images: 3 } }))
  return [
    { name: 'tables of a survey', seeds: [seed(survey)], read: (bytes) => readSurvey(text(bytes), 'file') },
    {
      name: 'index of masks',
      seeds: [seed(index)],
      read: (bytes) => unpackMasks(text(bytes), new Uint8Array(9), 'file'),
    },
    inFolder('key map', keys, () => openKeyMap(keys)),
    inFolder('intensity scale', scale, () => readIntensityScale(scale)),
  ]
}
