import type { Clock } from '../clock.js'
import { OtpError, troubleshooting } from '../errors.js'
import type { OtpRequest } from '../express-types.js'
import type { UserFunction } from '../identity/resolve-user.js'
import { withTimeout } from '../timeout.js'

/** What the session functions need of the settings. */
export interface SessionSettings {
  readonly sessionKey: string
  readonly clock: Clock
  readonly user: UserFunction | null
}

type Callback<T = unknown> = (error?: unknown, value?: T) => void
export type SessionCall<T> = (done: Callback<T>) => unknown

/** How long the session store may take. */
const SESSION_TIMEOUT_MS = 5_000

/** The host's session. Which methods it has depends on its middleware. */
export interface HostSession {
  [key: string]: unknown
  id?: unknown
  cookie?: { expires?: unknown; originalMaxAge?: unknown }
  save?: SessionCall<undefined>
  regenerate?: SessionCall<undefined>
}

/** The store of express-session. */
export interface SessionStore {
  get(id: string, done: Callback<HostSession | null>): unknown
  destroy(id: string, done: Callback): unknown
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
      'if it is mounted, its store is down.' +
      troubleshooting('session_unavailable'),
  )
}

/** Replaces the session of the request; by undefined if it has ended, so that nothing saves it again. */
export function setSession(req: OtpRequest, session: HostSession | undefined, id?: string): void {
  Object.assign(req, { session, ...(id !== undefined && { sessionID: id }) })
}

/** The store of the session; null with other middleware than express-session. */
export function sessionStoreOf(req: OtpRequest): SessionStore | null {
  const { sessionStore } = req as { sessionStore?: Partial<SessionStore> }
  const methods = [sessionStore?.get, sessionStore?.destroy]
  return methods.every((method) => typeof method === 'function') ? (sessionStore as SessionStore) : null
}

/** Awaited before each response, or the next request could read the session too early (express-session #360). */
export async function saveSession({ clock }: SessionSettings, req: OtpRequest): Promise<void> {
  const session = requireSession(req)
  if (typeof session.save !== 'function') return
  await callSession(clock, 'the session could not be saved', (done) => session.save?.(done))
}

/** What the store has under this id now; null if that session has ended. @throws OtpError `session_unavailable` */
export async function readSession(
  { clock }: SessionSettings,
  req: OtpRequest,
  id: string,
): Promise<HostSession | null> {
  const read: SessionCall<HostSession | null> = (done) => untilCallback(sessionStoreOf(req)?.get(id, done))
  return (await callSession(clock, 'the session could not be read', read)) ?? null
}

/** @throws OtpError `session_unavailable` */
export async function endSession({ clock }: SessionSettings, req: OtpRequest, id: string): Promise<void> {
  const end: SessionCall<unknown> = (done) => untilCallback(sessionStoreOf(req)?.destroy(id, done))
  await callSession(clock, 'the session could not be ended', end)
}

/** A store answers by its callback. If its method is `async` too, that promise may end earlier: only its error counts. */
function untilCallback(promised: unknown): unknown {
  return promised instanceof Promise ? promised.then(() => new Promise(() => undefined)) : undefined
}

/**
 * The id under which other requests may end or change the session. Null if there is none: the session is in a cookie, or
 * was made in this request.
 */
export function sharedId(req: OtpRequest): string | null {
  const { id } = requireSession(req)
  if (sessionStoreOf(req) === null || typeof id !== 'string') return null
  const ids = [id, encodeURIComponent(id)]
  return Object.values(req.headers).some((value) => ids.some((one) => String(value).includes(one))) ? id : null
}

/**
 * Calls a method of the session or its store. Some session middleware calls back, some returns a promise.
 * @throws OtpError `session_unavailable`
 */
export async function callSession<T>(clock: Clock, failure: string, call: SessionCall<T>): Promise<T | undefined> {
  const answer = new Promise<T | undefined>((resolve, reject) => {
    const promised = call((error, value) => {
      if (error) reject(error instanceof Error ? error : new Error('failed', { cause: error }))
      else resolve(value)
    })
    if (promised instanceof Promise) promised.then(resolve, reject)
  })
  try {
    return await withTimeout(clock, SESSION_TIMEOUT_MS, answer)
  } catch (cause) {
    throw new OtpError('session_unavailable', `${failure}; is its store up?`, { cause })
  }
}
