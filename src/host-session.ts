import { OtpError } from './errors.js'
import type { OtpRequest } from './http.js'

/** The host's session, whichever middleware made it: found out, not assumed. */
interface HostSession {
  [key: string]: unknown
  otp?: unknown
  cookie?: { expires?: unknown; originalMaxAge?: unknown }
  reload?: (done: (error?: unknown) => void) => void
  save?: (done: (error?: unknown) => void) => void
  regenerate?: (done: (error?: unknown) => void) => void
}

/** @throws OtpError `session_unavailable` when the host's session middleware is missing or its store is down */
export function requireSession(req: OtpRequest): HostSession {
  const session = (req as { session?: unknown }).session
  if (typeof session === 'object' && session !== null) return session as HostSession
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
export async function renewSession(req: OtpRequest): Promise<void> {
  const before = requireSession(req)
  if (typeof before.regenerate !== 'function') return
  const { cookie, ...data } = { ...before }
  await settled((done) => before.regenerate?.(done), 'the session could not be regenerated')
  const after = requireSession(req)
  for (const [key, value] of Object.entries(data)) if (key !== '__proto__') after[key] = value
  if (cookie && after.cookie) {
    const { expires, originalMaxAge } = cookie
    Object.assign(after.cookie, { expires, originalMaxAge })
  }
}

/** Answers only go out when the session is stored: else the next request may come before it (express-session #360). */
export async function saveSession(req: OtpRequest): Promise<void> {
  const session = requireSession(req)
  if (typeof session.save !== 'function') return
  await settled((done) => session.save?.(done), 'the session could not be saved')
}

/**
 * Takes the session as it stands by now, after a wait in which other requests may have written or renewed it.
 * @returns false when it is gone. It is then taken from the request too: saved or sent as a cookie, it would bring an
 * id back to life that was renewed for a reason.
 */
export async function refreshSession(req: OtpRequest): Promise<boolean> {
  const session = requireSession(req)
  if (typeof session.reload !== 'function') return true
  const error = await new Promise<unknown>((resolve) => session.reload?.(resolve)).catch(() => 'thrown')
  if (error) (req as { session?: unknown }).session = undefined
  return !error
}

async function settled(act: (done: (error?: unknown) => void) => void, failure: string): Promise<void> {
  const error = await new Promise<unknown>((resolve) => {
    act(resolve)
  }).catch((thrown: unknown) => thrown ?? 'thrown')
  if (!error) return
  throw new OtpError('session_unavailable', `${failure}; is its store up?`, { cause: error })
}
