import type { Clock } from '../clock.js'
import { OtpError } from '../errors.js'
import type { OtpRequest } from '../express-types.js'
import { withTimeout } from '../timeout.js'

/** What the session functions need of the settings. */
export interface SessionSettings {
  readonly sessionKey: string
  readonly clock: Clock
}

type Callback = (error?: unknown) => void
type SessionCall = (done: Callback) => unknown

/** How long the session store may take. */
const SESSION_TIMEOUT_MS = 5_000

/** The host's session. Which methods it has depends on its middleware. */
interface HostSession {
  [key: string]: unknown
  cookie?: { expires?: unknown; originalMaxAge?: unknown }
  reload?: SessionCall
  save?: SessionCall
  regenerate?: SessionCall
}

/** Also false if the session ended during an await. */
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
 * Gives the session a new id and keeps the host's data (ASVS 7.2.4). A session without `regenerate`, such as that of
 * cookie-session, has no id that an attacker could have planted.
 */
export async function regenerateSession({ clock }: SessionSettings, req: OtpRequest): Promise<void> {
  const before = requireSession(req)
  if (typeof before.regenerate !== 'function') return
  const { cookie } = before
  await callOrThrow(clock, (done) => before.regenerate?.(done), 'the session could not be regenerated')
  const after = requireSession(req)
  copyProperties(before, after, ['cookie'])
  if (cookie && after.cookie) {
    const { expires, originalMaxAge } = cookie
    Object.assign(after.cookie, { expires, originalMaxAge })
  }
}

/** Awaited before each response, or the next request could read the session too early (express-session #360). */
export async function saveSession({ clock }: SessionSettings, req: OtpRequest): Promise<void> {
  const session = requireSession(req)
  if (typeof session.save !== 'function') return
  await callOrThrow(clock, (done) => session.save?.(done), 'the session could not be saved')
}

/**
 * Reads the session again after an await in which other requests may have written or regenerated it. `prefer` decides
 * conflicts in the app's own session data: `stored` if this request already saved the session, `current` if the app may
 * have changed it in this request.
 * @returns `gone` if the session ended. It is then removed from the request too: saving it would restore an id that was
 * deleted or replaced
 * @throws OtpError `session_unavailable` if it cannot be read
 */
export async function reloadSession(
  { sessionKey, clock }: SessionSettings,
  req: OtpRequest,
  prefer: 'stored' | 'current',
): Promise<'ok' | 'gone'> {
  const session = requireSession(req)
  if (typeof session.reload !== 'function') return 'ok'
  const error = await callSession(clock, (done) => session.reload?.(done))
  // The message of express-session for an id that its store does not have. A test compares it with the installed version.
  if (error instanceof Error && error.message === 'failed to load session') {
    ;(req as { session?: unknown }).session = undefined
    return 'gone'
  }
  if (error) throw sessionUnavailable('the session could not be read', error)
  if (prefer === 'current') copyProperties(session, requireSession(req), ['cookie', sessionKey])
  return 'ok'
}

function copyProperties(from: HostSession, to: HostSession, except: readonly string[]): void {
  for (const [key, value] of Object.entries(from)) {
    if (key !== '__proto__' && !except.includes(key)) to[key] = value
  }
}

async function callOrThrow(clock: Clock, call: SessionCall, failure: string): Promise<void> {
  const error = await callSession(clock, call)
  if (error) throw sessionUnavailable(failure, error)
}

/** Returns the error of a call, if any. Some session middleware calls back, some returns a promise. */
async function callSession(clock: Clock, call: SessionCall): Promise<unknown> {
  const answer = new Promise<unknown>((resolve, reject) => {
    const promised: unknown = call(resolve)
    if (promised instanceof Promise) {
      promised.then(() => {
        resolve(undefined)
      }, reject)
    }
  })
  return withTimeout(clock, SESSION_TIMEOUT_MS, answer).catch((thrown: unknown) => thrown ?? 'thrown')
}

function sessionUnavailable(failure: string, cause: unknown): OtpError {
  return new OtpError('session_unavailable', `${failure}; is its store up?`, { cause })
}
