import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { writeNifti } from '../../src/formats/nifti.js'
import { workbenchApp } from '../../src/server/app.js'
import { openCases } from '../../src/server/opened.js'
import { Recalculation } from '../../src/server/recalculate.js'
import { emptyMask, type Grid, type Mask } from '../../src/volume/volume.js'
import { provenanceText, summaryText } from '../run/made-up-result.js'

/** A grid whose axes run left, up, back: what the page sees is turned. */
export const grid: Grid = { dims: [12, 10, 8], affine: [-1, 0, 0, 6, 0, 0, -2, 8, 0, 1.5, 0, -5, 0, 0, 0, 1] }
export const token = 'a'.repeat(32)

/** A folder as `segment` leaves it, with two small lesions. */
export async function resultFolder(below = ''): Promise<{ root: string; mask: Mask }> {
  const root = mkdtempSync(join(tmpdir(), 'lesionwise-server-'))
  const mask = await resultIn(join(root, below))
  return { root, mask }
}

export async function resultIn(folder: string): Promise<Mask> {
  mkdirSync(folder, { recursive: true })
  const mask = emptyMask(grid)
  for (const at of [5 + 12 * (5 + 10 * 4), 6 + 12 * (5 + 10 * 4), 2 + 12 * (2 + 10 * 2)]) mask.data[at] = 1
  writeFileSync(join(folder, 'lesion_mask.nii.gz'), await writeNifti(mask))
  writeFileSync(join(folder, 'lesions.tsv'), 'id\tlocation\tvoxels\n1\tsubcortical\t2\n2\tperiventricular\t1\n')
  writeFileSync(join(folder, 'summary.json'), summaryText({ lesionCount: 2, lesionVolumeMl: 0.009 }))
  writeFileSync(join(folder, 'provenance.json'), provenanceText({ finished: '2026-01-02T03:04:05Z' }))
  return mask
}

export async function openWorkbench(root: string) {
  const recalculation = new Recalculation()
  const cases = await openCases(root)
  const { signal: ending } = new AbortController()
  const app = workbenchApp({
    cases,
    token,
    recalculation,
    ending,
    page: async () => new TextEncoder().encode('<p>page'),
  })
  const request = (path: string, init: RequestInit = {}, headers: Record<string, string> = {}) =>
    app.request(path, {
      ...init,
      headers: { host: '127.0.0.1:1234', authorization: `Bearer ${token}`, ...headers },
    })
  return { app, request, cases, recalculation }
}

/** What the page sends: its mask, in the order of the turned axes, with what it says of it. */
export function sent(about: object, voxels: Uint8Array): Uint8Array<ArrayBuffer> {
  const json = new TextEncoder().encode(JSON.stringify(about))
  const zipped = gzipSync(voxels)
  const body = new Uint8Array(4 + json.length + zipped.length)
  new DataView(body.buffer).setUint32(0, json.length, true)
  body.set(json, 4)
  body.set(zipped, 4 + json.length)
  return body
}
