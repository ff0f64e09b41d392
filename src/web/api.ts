import type { Flag } from '../errors.js'
import type { RaterComparison } from '../server/compare.js'
import type { Draft, Version as SavedVersion } from '../server/corrections.js'
import type { JobState } from '../server/recalculate.js'
import type { Review, ReviewState } from '../server/review.js'

/** What the server says of things, and how the page asks for them. The token stays in this tab's memory. */

export type { Draft, Mark } from '../server/corrections.js'
export type { ReviewState } from '../server/review.js'
/** A version, and how far its volumes, locations and report are. */
export type Version = SavedVersion & { recalculated?: JobState }
export interface CaseEntry {
  id: string
  error?: string
  lesionCount: number
  lesionVolumeMl: number
  flags: Flag[]
  method: string
  finished: string
  hasFlair: boolean
  versions: number
  latest?: Version
  review: ReviewState
}
export interface CaseFacts {
  id: string
  images: string[]
  maps: string[]
  summary: { lesionCount: number; lesionVolumeMl: number; flags: Flag[] }
  lesions: Record<string, string>[]
  method: string
  finished: string
  versions: Version[]
  drafts: Draft[]
  review: Review
}
export class ServerError extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly body: { latest?: Version },
  ) {
    super(message)
  }
}

const tokenKey = 'lesionwise-token'

/** Takes the token out of the address that was opened, so that neither history nor a copied link holds it. */
export function takeToken(): void {
  const match = location.hash.match(/^#token=([0-9a-f]+)$/)
  if (!match) return
  sessionStorage.setItem(tokenKey, match[1])
  history.replaceState(null, '', location.pathname)
}

/** Seconds to wait for what is small. Images and the list travel, and visits are aligned, as long as it takes. */
const patience = 60

async function ask(path: string, init: RequestInit = {}): Promise<Response> {
  const response = await fetch(`api/${path}`, {
    ...init,
    headers: { authorization: `Bearer ${sessionStorage.getItem(tokenKey) ?? ''}` },
  }).catch(() => {
    throw new ServerError(0, 'The server does not answer: is `lesionwise view` still running?', {})
  })
  if (response.ok) return response
  const body = (await response.json().catch(() => ({}))) as { error?: string; latest?: Version }
  throw new ServerError(response.status, body.error ?? `The server answers ${response.status}.`, body)
}

/** For answers that work waits for: a connection that is dead must not hold it for ever. */
const soon = (init: RequestInit = {}): RequestInit => ({ ...init, signal: AbortSignal.timeout(1000 * patience) })
const json = async <T>(path: string, init?: RequestInit): Promise<T> => (await ask(path, init)).json() as Promise<T>
const bytes = async (path: string, init?: RequestInit): Promise<ArrayBuffer> =>
  await (await ask(path, init)).arrayBuffer()
const of = (id: string, ...rest: string[]): string => ['cases', id, ...rest].map(encodeURIComponent).join('/')

export const server = {
  cases: () => json<CaseEntry[]>('cases'),
  facts: (id: string) => json<CaseFacts>(of(id), soon()),
  image: (id: string, name: string) => bytes(of(id, 'image', name)),
  mask: (id: string, version: string) => bytes(of(id, 'mask', version), soon()),
  thumbnail: async (id: string) => await (await ask(of(id, 'thumbnail'))).blob(),
  /** Another visit on the grid of this one. */
  beside: (id: string, other: string, what: 'image' | 'mask') => bytes(of(id, 'beside', other, what)),
  besideFacts: (id: string, other: string) =>
    json<{ trusted: boolean; version: string }>(of(id, 'beside', other, 'facts')),
  instances: (id: string) => bytes(of(id, 'instances')),
  draftMask: (id: string, { rater, tab }: Draft) => bytes(of(id, 'draft', rater, tab), soon()),
  version: (id: string, version: string) => json<Version & Partial<CaseFacts>>(of(id, 'versions', version), soon()),
  report: async (id: string, version: string) => await (await ask(of(id, 'report', version))).blob(),
  compare: (id: string) => json<RaterComparison>(of(id, 'compare')),
  review: (id: string, body: { status: ReviewState; rater: string; note: string }) =>
    json<CaseFacts['review']>(of(id, 'review'), soon({ method: 'PUT', body: JSON.stringify(body) })),
  draft: async (id: string, about: object, mask: Uint8Array) => {
    await ask(of(id, 'draft'), soon({ method: 'PUT', body: await packed(about, mask) }))
  },
  dropDraft: async (id: string, tab: string) => {
    await ask(of(id, 'draft', tab), soon({ method: 'DELETE' }))
  },
  save: async (id: string, about: object, mask: Uint8Array) =>
    json<Version>(of(id, 'versions'), soon({ method: 'POST', body: await packed(about, mask) })),
}

/** Four bytes (how long the JSON is, little-endian), JSON, and the mask gzipped. */
async function packed(about: object, mask: Uint8Array): Promise<Blob> {
  const text = new TextEncoder().encode(JSON.stringify(about))
  const length = new DataView(new ArrayBuffer(4))
  length.setUint32(0, text.length, true)
  const stream = new Blob([mask as Uint8Array<ArrayBuffer>]).stream().pipeThrough(new CompressionStream('gzip'))
  return new Blob([length.buffer, text, await new Response(stream).arrayBuffer()])
}
