import { systemClock } from '../clock.js'
import { OtpError } from '../errors.js'
import type { OtpRequest } from '../express-types.js'
import { withTimeout } from '../timeout.js'

type SessionCall = (done: (error?: unknown) => void) => unknown

/** A session store that does not answer within this is down. */
const SESSION_TIMEOUT_MS = 5_000

/** The host's session, whichever middleware made it: found out, not assumed. */
interface HostSession {
  [key: string]: unknown
  otp?: unknown
  cookie?: { expires?: unknown; originalMaxAge?: unknown }
  reload?: (done: (error?: unknown) => void) => unknown
  save?: (done: (error?: unknown) => void) => unknown
  regenerate?: (done: (error?: unknown) => void) => unknown
}

/** Whether there is one: it may have ended while we waited. */
export function hasSession(req: OtpRequest): boolean {
  const session = (req as { session?: unknown }).session
  return typeof session === 'object' && session !== null
}

/** @throws OtpError `session_unavailable` when the host's session middleware is missing or its store is down */
export function requireSession(req: OtpRequest): HostSession {
  if (hasSession(req)) return (req as { session?: unknown }).session as HostSession
  throw new OtpError(
    'session_unavailable',
    'req.session is missing. Mount express-session (or cookie-session) before the router and the guard; ' +
      'if it is mounted, its store is down.',
  )
}

/**
 * Gives the session a new id and keeps the host's data in it (ASVS 7.2.4). A session without `regenerate`, such as
 * cookie-session's, has no id that could be fixed.
 */
export async function regenerateSession(req: OtpRequest): Promise<void> {
  const before = requireSession(req)
  if (typeof before.regenerate !== 'function') return
  const { cookie } = before
  await callOrThrow((done) => before.regenerate?.(done), 'the session could not be regenerated')
  const after = requireSession(req)
  copyProperties(before, after, ['cookie'])
  if (cookie && after.cookie) {
    const { expires, originalMaxAge } = cookie
    Object.assign(after.cookie, { expires, originalMaxAge })
  }
}

/** Answers only go out when the session is stored: else the next request may come before it (express-session #360). */
export async function saveSession(req: OtpRequest): Promise<void> {
  const session = requireSession(req)
  if (typeof session.save !== 'function') return
  await callOrThrow((done) => session.save?.(done), 'the session could not be saved')
}

/**
 * Takes the session as it stands by now, after a wait in which other requests may have written or renewed it.
 * `hostData` says whose values of the host count: the `stored` ones when ours were saved before the wait, else `ours`,
 * since the host may have written something earlier in this very request.
 * @returns false when it is gone. It is then taken from the request too: saved or sent as a cookie, it would bring an
 * id back to life that was renewed for a reason.
 */
export async function reloadSession(req: OtpRequest, prefer: 'stored' | 'ours'): Promise<boolean> {
  const session = requireSession(req)
  if (typeof session.reload !== 'function') return true
  const error = await callSession((done) => session.reload?.(done))
  // express-session's own words for an id that is in the store no more; anything else is a store that cannot be read.
  const isGone = error instanceof Error && error.message === 'failed to load session'
  if (isGone) (req as { session?: unknown }).session = undefined
  if (!error && prefer === 'ours') copyProperties(session, requireSession(req), ['cookie', 'otp'])
  return !error
}

function copyProperties(from: HostSession, to: HostSession, except: readonly string[]): void {
  for (const [key, value] of Object.entries(from)) {
    if (key !== '__proto__' && !except.includes(key)) to[key] = value
  }
}

async function callOrThrow(act: SessionCall, failure: string): Promise<void> {
  const error = await callSession(act)
  if (!error) return
  throw new OtpError('session_unavailable', `${failure}; is its store up?`, { cause: error })
}

/** How an act on the session ended, by callback or, as some session middleware has it, by promise; in bounded time. */
async function callSession(act: SessionCall): Promise<unknown> {
  const answer = new Promise<unknown>((resolve, reject) => {
    const promised: unknown = act(resolve)
    if (promised instanceof Promise)
      promised.then(() => {
        resolve(undefined)
      }, reject)
  })
  return withTimeout(systemClock, SESSION_TIMEOUT_MS, answer).catch((thrown: unknown) => thrown ?? 'thrown')
}
