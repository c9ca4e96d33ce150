import { randomId } from '../crypto/random.js'
import { OtpError } from '../errors.js'
import type { OtpRequest } from '../express-types.js'
import {
  callSession,
  endSession,
  hasSession,
  type HostSession,
  readSession,
  requireSession,
  saveSession,
  type SessionCall,
  type SessionSettings,
  sessionStoreOf,
  setSession,
} from './host-session.js'
import { type ExpectedUser, refreshSession } from './refresh-session.js'
import { changedNames, copyProperties, snapshotOf } from './snapshot.js'

/** A session that has got a new id. Until `endOld()` the old one exists too. */
export interface RenewedSession {
  /** Ends the old session. @throws OtpError `session_unavailable` if it has ended already, such as by a sign-out */
  readonly endOld: () => Promise<void>
  /** Goes back to the old session, as it was; or ends it too, if the host has ended the new one. */
  readonly undo: () => Promise<void>
}

/**
 * Gives the session a new id and keeps the host's data (ASVS 7.2.4). A session without `regenerate`, such as that of
 * cookie-session, has no id that an attacker could have planted.
 * @throws OtpError `session_unavailable` if the session has ended, or cannot be read or regenerated
 */
export async function renewSession(
  settings: SessionSettings,
  req: OtpRequest,
  expected: ExpectedUser,
): Promise<RenewedSession> {
  const { clock, sessionKey } = settings
  const stored = await refreshSession(settings, req, expected)
  if (stored === null) throw sessionEnded()
  const old = requireSession(req)
  const slot = old[sessionKey]
  const oldId = sessionStoreOf(req) === null || typeof old.id !== 'string' ? null : old.id
  const goBack = (): void => {
    if (oldId !== null) setSession(req, old, oldId)
    requireSession(req)[sessionKey] = slot
  }
  if (typeof old.regenerate === 'function') {
    // regenerate() ends the session whose id the request has. With an id of no session it ends none, and the old session
    // lives until the new one is saved: otherwise a failure would sign the visitor out.
    if (oldId !== null) setSession(req, old, randomId())
    let isTooLate = false
    const regenerate: SessionCall<undefined> = (done) =>
      old.regenerate?.((error) => {
        if (isTooLate) setSession(req, undefined) // or the response would set the cookie of an empty session
        done(error)
      })
    try {
      await callSession(clock, 'the session could not be regenerated', regenerate)
    } catch (error) {
      isTooLate = true
      goBack()
      throw error
    }
    copySession(old, requireSession(req))
  }
  return {
    async endOld() {
      if (oldId === null) return
      const latest = await readSession(settings, req, oldId)
      if (latest === null) throw sessionEnded()
      const changed = changedNames(stored, snapshotOf(latest)).filter((name) => name !== sessionKey)
      copyProperties(latest, requireSession(req), changed)
      if (changed.length > 0) await saveSession(settings, req)
      await endSession(settings, req, oldId)
      // Once more: a request that had read it just before may have written it since.
      await endSession(settings, req, oldId)
    },
    async undo() {
      if (!hasSession(req)) return oldId === null ? undefined : endSession(settings, req, oldId)
      const { id: newId } = requireSession(req)
      goBack()
      // Nobody knows the new id.
      if (oldId !== null && typeof newId === 'string') endSession(settings, req, newId).catch(() => undefined)
    },
  }
}

function copySession(from: HostSession, to: HostSession): void {
  if (from === to) return
  copyProperties(from, to, snapshotOf(from).keys())
  if (!from.cookie || !to.cookie) return
  const { expires, originalMaxAge } = from.cookie
  Object.assign(to.cookie, { expires, originalMaxAge })
}

function sessionEnded(): OtpError {
  return new OtpError('session_unavailable', 'the session ended while the code was compared.')
}
