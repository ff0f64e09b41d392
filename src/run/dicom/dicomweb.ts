import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { InputError, RunError, UsageError } from '../../errors.js'
import { readDicomHeader } from '../../formats/dicom/header.js'

export interface PacsOptions {
  signal?: AbortSignal
  /** How often a request is tried. */
  tries?: number
  /** Before the second try, ms; doubled each time. */
  pauseMs?: number
  /** For one answer, ms. */
  timeoutMs?: number
  /** Told how many instances are there of how many. */
  onProgress?(done: number, of: number): void
}

/** Address and credentials: those in the URL, else LESIONWISE_PACS_AUTH (`user:password` or `Bearer …`). */
function access(url: string): { base: string; headers: Record<string, string> } {
  let parsed: URL
  try {
    parsed = new URL(url)
  } catch (cause) {
    throw new UsageError(`"${url}" is no address; give that of DICOMweb, e.g. http://localhost:8042/dicom-web`, {
      cause,
    })
  }
  if (!/^https?:$/.test(parsed.protocol)) throw new UsageError('the address of a PACS begins with http:// or https://')
  const own = parsed.username
    ? `${decodeURIComponent(parsed.username)}:${decodeURIComponent(parsed.password)}`
    : undefined
  const secret = own ?? process.env.LESIONWISE_PACS_AUTH
  parsed.username = ''
  parsed.password = ''
  const basic = secret && !/^bearer /i.test(secret) ? `Basic ${Buffer.from(secret).toString('base64')}` : secret
  return {
    base: parsed.href.replace(/\/+$/, ''),
    headers: basic ? { Authorization: basic } : {},
  }
}

/** Faults that may pass: the connection, too many requests, and the server's own. */
const passing = (status: number) => status === 408 || status === 429 || status >= 500

async function request(
  where: string,
  path: string,
  init: { method?: string; headers?: Record<string, string>; body?: Uint8Array<ArrayBuffer> },
  { signal, tries = 4, pauseMs = 500, timeoutMs = 120_000 }: PacsOptions,
): Promise<{ status: number; type: string; bytes: Uint8Array }> {
  const { base, headers } = access(where)
  const named = new URL(base).host
  let last = ''
  let cause: unknown
  for (let attempt = 0; attempt < tries; attempt++) {
    if (attempt > 0) await pause(pauseMs * 2 ** (attempt - 1), signal)
    signal?.throwIfAborted()
    try {
      const late = AbortSignal.timeout(timeoutMs)
      const response = await fetch(`${base}${path}`, {
        ...init,
        headers: { ...headers, ...init.headers },
        signal: signal ? AbortSignal.any([signal, late]) : late,
      })
      // The body counts as well: a connection that breaks in the middle is tried again.
      const bytes = new Uint8Array(await response.arrayBuffer())
      if (!passing(response.status))
        return { status: response.status, type: response.headers.get('content-type') ?? '', bytes }
      last = `answered ${response.status}`
    } catch (error) {
      signal?.throwIfAborted()
      cause = error
      last = 'cannot be reached, or broke off'
    }
  }
  throw new RunError(`the PACS at ${named} ${last} (${tries} tries); try again later, or check the address`, { cause })
}

const pause = (ms: number, signal?: AbortSignal) =>
  new Promise<void>((resolve, reject) => {
    const timer = setTimeout(resolve, ms)
    signal?.addEventListener(
      'abort',
      () => {
        clearTimeout(timer)
        reject(signal.reason)
      },
      { once: true },
    )
  })

function refused(where: string, status: number, what: string): RunError {
  const why =
    status === 401 || status === 403
      ? '; give user and password in the address or LESIONWISE_PACS_AUTH'
      : status === 404 || status === 405
        ? '; check the address, e.g. http://localhost:8042/dicom-web'
        : ''
  return new RunError(`the PACS at ${hostOf(where)} refuses ${what} (${status})${why}`)
}

type Json = Record<string, { Value?: unknown[] } | undefined>

async function query(where: string, path: string, options: PacsOptions): Promise<Json[]> {
  const { status, bytes } = await request(where, path, { headers: { Accept: 'application/dicom+json' } }, options)
  if (status === 204) return []
  if (status === 404 && !path.startsWith('/studies?')) {
    // Of an address that answers searches, not found means that there is nothing.
    await query(where, '/studies?limit=1', options)
    return []
  }
  if (status === 404 || status === 400) throw foreign(where)
  if (status !== 200) throw refused(where, status, 'the search')
  try {
    const found = JSON.parse(new TextDecoder().decode(bytes)) as unknown
    if (Array.isArray(found) && found.every((item) => typeof item === 'object' && item !== null)) return found as Json[]
  } catch {
    // Said below.
  }
  throw foreign(where)
}

const hostOf = (where: string): string => new URL(access(where).base).host

const foreign = (where: string): RunError =>
  new RunError(
    `the PACS at ${hostOf(where)} does not answer in DICOMweb at this path; check the address, e.g. http://localhost:8042/dicom-web`,
  )

/** @throws UsageError when it cannot be the address of a PACS */
export const judgeAddress = (where: string): void => void access(where)

const first = (item: Json, tag: string): string => String(item[tag]?.Value?.[0] ?? '')

/**
 * Brings the MR series of studies from a PACS (QIDO-RS, then WADO-RS) into a folder of its own: all of it or nothing.
 *
 * @param studies their StudyInstanceUIDs
 * @returns the folder, to be removed by whoever asked
 * @throws InputError when there is no such study or it has no MR series; RunError when the PACS fails, or sends less than
 *   it says it holds
 */
export async function fetchStudies(
  where: string,
  studies: readonly string[],
  options: PacsOptions = {},
): Promise<string> {
  if (!studies.every((study) => /^[0-9.]{3,64}$/.test(study)))
    throw new UsageError('--study takes a StudyInstanceUID: digits and dots')
  const wanted: { path: string; uids: Set<string> }[] = []
  for (const study of studies) {
    const series = await query(where, `/studies/${study}/series`, options)
    const mr = series.filter((item) => first(item, '00080060') === 'MR').map((item) => first(item, '0020000E'))
    for (const uid of mr) {
      const path = `/studies/${study}/series/${uid}`
      const found = await query(where, `${path}/instances`, options)
      wanted.push({ path, uids: new Set(found.map((item) => first(item, '00080018'))) })
    }
  }
  if (wanted.length === 0)
    throw new InputError(`PACS at ${hostOf(where)}`, 'holds no MR series of this study', 'check the StudyInstanceUID')
  const total = wanted.reduce((sum, { uids }) => sum + uids.size, 0)
  const folder = await mkdtemp(join(tmpdir(), 'lesionwise-pacs-'))
  try {
    let done = 0
    for (const { path, uids } of wanted) {
      for (const bytes of await wholeSeries(where, path, uids, options))
        await writeFile(join(folder, `${String(done++).padStart(6, '0')}.dcm`), bytes)
      options.onProgress?.(done, total)
    }
    return folder
  } catch (error) {
    await rm(folder, { recursive: true, force: true })
    throw error
  }
}

/** All instances of a series; an answer that breaks off or lacks some is asked for once more. */
async function wholeSeries(
  where: string,
  path: string,
  uids: ReadonlySet<string>,
  options: PacsOptions,
): Promise<Uint8Array[]> {
  const accept = 'multipart/related; type="application/dicom"; transfer-syntax=*'
  for (let attempt = 0; ; attempt++) {
    const { status, type, bytes } = await request(where, path, { headers: { Accept: accept } }, options)
    if (status !== 200) throw refused(where, status, 'to send a series')
    const last = attempt === 1
    try {
      const parts = multipart(bytes, type)
      const got = new Set(parts.map((part) => readDicomHeader(part, 'PACS').instance))
      if ([...uids].every((uid) => got.has(uid))) return parts
      if (last)
        throw new RunError(
          `the PACS sent ${got.size} of ${uids.size} images of a series; nothing is imported, try again later`,
        )
    } catch (error) {
      if (last) throw error
    }
  }
}

/** Studies of a person, of any kind, newest last. @throws UsageError for a number that the search would take as a pattern */
export async function findStudies(where: string, patientId: string, options: PacsOptions = {}): Promise<string[]> {
  // A star would bring everybody's studies.
  if (/[*?\\]/.test(patientId) || patientId.trim() === '')
    throw new UsageError('--patient-id takes one whole PatientID, without * and ?')
  const found = await query(where, `/studies?PatientID=${asWritten(patientId)}`, options)
  return found
    .sort((a, b) => first(a, '00080020').localeCompare(first(b, '00080020')))
    .map((item) => first(item, '0020000D'))
    .filter(Boolean)
}

/** Only what an address cannot hold is encoded: Orthanc 1.10 compares the rest as it is written. */
const asWritten = (text: string) => text.replace(/[^\w.^:@/~$,;!'()-]/gu, (one) => encodeURIComponent(one))

/** Takes a multipart answer apart. @throws RunError when it is none, or ends before its last boundary */
export function multipart(bytes: Uint8Array, type: string): Uint8Array[] {
  const boundary = /boundary="?([^";]+)"?/i.exec(type)?.[1]
  if (!boundary) throw new RunError('the PACS does not answer in DICOMweb (no parts); check the address')
  const all = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const mark = Buffer.from(`--${boundary}`)
  const parts: Uint8Array[] = []
  let at = all.indexOf(mark)
  while (at >= 0) {
    const start = at + mark.length
    if (all[start] === 0x2d && all[start + 1] === 0x2d) return parts
    const head = all.indexOf('\r\n\r\n', start)
    const next = head < 0 ? -1 : all.indexOf(Buffer.concat([Buffer.from('\r\n'), mark]), head + 2)
    if (next < 0) break
    parts.push(new Uint8Array(all.subarray(head + 4, Math.max(head + 4, next))))
    at = next + 2
  }
  throw new RunError('what the PACS sent ends too early; nothing is imported, try again')
}

/**
 * Sends objects to a PACS (STOW-RS), in one request, so that it takes all or none. Sent again after a fault they have the
 * same UIDs: nothing is there twice.
 *
 * @returns how many the PACS says it has stored
 * @throws RunError when it refuses one, or cannot be reached
 */
export async function storeInstances(
  where: string,
  files: readonly Uint8Array[],
  options: PacsOptions = {},
): Promise<number> {
  const boundary = `lesionwise-${Math.abs(files.reduce((sum, { length }) => (sum * 31 + length) | 0, 7))}-${files.length}`
  const chunks: Uint8Array[] = []
  const text = (value: string) => chunks.push(new TextEncoder().encode(value))
  for (const file of files) {
    text(`--${boundary}\r\nContent-Type: application/dicom\r\n\r\n`)
    chunks.push(file)
    text('\r\n')
  }
  text(`--${boundary}--\r\n`)
  const body = new Uint8Array(Buffer.concat(chunks))
  const { status, bytes } = await request(
    where,
    '/studies',
    {
      method: 'POST',
      headers: {
        'Content-Type': `multipart/related; type="application/dicom"; boundary=${boundary}`,
        Accept: 'application/dicom+json',
      },
      body,
    },
    options,
  )
  if (status !== 200 && status !== 202) throw refused(where, status, 'the objects')
  let answer: Json = {}
  try {
    const parsed = JSON.parse(new TextDecoder().decode(bytes)) as Json | Json[]
    answer = Array.isArray(parsed) ? (parsed[0] ?? {}) : parsed
  } catch {
    // Some servers answer with nothing, or in XML: the status is their word.
    return files.length
  }
  const failed = answer['00081198']?.Value?.length ?? 0
  if (failed > 0) throw new RunError(`the PACS refused ${failed} of ${files.length} objects`)
  return answer['00081199']?.Value?.length ?? files.length
}
