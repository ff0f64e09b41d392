import { timingSafeEqual } from 'node:crypto'
import type { Context, MiddlewareHandler } from 'hono'
import type { z } from 'zod'

export interface GuardOptions {
  /** What every request to `/api/` must carry as `Authorization: Bearer …`. */
  token: string
  /** Largest body of a request, bytes. */
  largestBody: number
  /** Further names under which this server is reached, without ports. */
  hosts?: readonly string[]
  /** Where one finds the token. */
  hint?: string
}

/** Names under which a server on this machine is reached. Another name means that a foreign site's DNS points here. */
const ownHosts = new Set(['127.0.0.1', 'localhost', '[::1]'])

/**
 * The page's own scripts, styles and worker, and nothing from elsewhere. Pictures and volumes are made in the page
 * (`blob:`, `data:`); NiiVue sets styles on its elements and compiles WebAssembly.
 */
const policy = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' blob: data:",
  "font-src 'self' data:",
  "connect-src 'self' blob: data:",
  "worker-src 'self' blob:",
  'frame-src blob:',
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

/**
 * Lets in only requests of this server's own page. Host (against DNS rebinding), Origin and Sec-Fetch-Site (against
 * pages of other sites) are looked at on every request, the token on every one for data; it travels in a header and never
 * in an address, so that neither logs nor the browser's history hold it.
 */
export function guard(options: GuardOptions): MiddlewareHandler {
  const secret = Buffer.from(options.token)
  return async (context, next) => {
    const refused = refusal(context, secret, options)
    if (refused) context.res = refused
    else await next()
    for (const [name, value] of Object.entries(headers)) context.res.headers.set(name, value)
  }
}

const headers = {
  'content-security-policy': policy,
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-store',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
  'cross-origin-resource-policy': 'same-origin',
  'x-frame-options': 'DENY',
}

function refusal(
  context: Context,
  secret: Buffer,
  { largestBody, hosts = [], hint = 'open the address that `lesionwise view` printed' }: Omit<GuardOptions, 'token'>,
): Response | undefined {
  const host = context.req.header('host') ?? ''
  const name = host.replace(/:\d+$/, '').toLowerCase()
  const further = hosts.some((one) => one.toLowerCase() === name)
  if (!ownHosts.has(name) && !further)
    return problem(context, 403, `This server answers only under ${['127.0.0.1', ...hosts].join(', ')} or localhost.`)
  const origin = context.req.header('origin')
  // Under a name of its own it stands behind a proxy, which speaks TLS.
  if (origin !== undefined && origin !== `http://${host}` && !(further && origin === `https://${host}`))
    return problem(context, 403, 'Requests from pages of other sites are refused.')
  const site = context.req.header('sec-fetch-site')
  if (site !== undefined && site !== 'same-origin' && site !== 'none')
    return problem(context, 403, 'Requests from pages of other sites are refused.')
  if (Number(context.req.header('content-length') ?? 0) > largestBody)
    return problem(context, 413, `The body is larger than ${largestBody} bytes.`)
  if (!context.req.path.startsWith('/api/')) return undefined
  const given = Buffer.from((context.req.header('authorization') ?? '').replace(/^Bearer +/i, ''))
  if (given.length === secret.length && timingSafeEqual(given, secret)) return undefined
  return problem(context, 401, `The token is missing or wrong: ${hint}.`)
}

/** What does not fit in a request, in one line: `seed: Invalid input: expected number`. */
export const misfits = ({ issues }: z.ZodError): string =>
  issues.map(({ path, message }) => (path.length > 0 ? `${path.join('.')}: ${message}` : message)).join('; ')

/** An answer that says in one line what is wrong. */
export const problem = (
  context: Context,
  status: 400 | 401 | 403 | 404 | 409 | 413 | 422 | 429 | 500 | 507,
  error: string,
  more: object = {},
): Response => context.json({ error, ...more }, status)

/**
 * The body of a request, read up to a limit whatever its headers promise.
 *
 * @returns undefined when it is larger
 */
export async function bodyWithin(request: Request, largest: number): Promise<Uint8Array | undefined> {
  if (!request.body) return new Uint8Array(0)
  const parts: Uint8Array[] = []
  let size = 0
  for await (const part of request.body as unknown as AsyncIterable<Uint8Array>) {
    size += part.length
    if (size > largest) return undefined
    parts.push(part)
  }
  const whole = new Uint8Array(size)
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}
