import type { OtpRequest } from '../express-types.js'
import { readSession, requireSession, type SessionSettings, setSession, sharedId } from './host-session.js'
import { changedNames, copyProperties, type SessionSnapshot, snapshotOf } from './snapshot.js'
import { resolveIdentity } from '../identity/resolve-user.js'
import { type IdentityRef, sameIdentity } from '../identity/user.js'

/** Who must still be signed in. `any` for a request of the host's, which may just have signed somebody in. */
export type ExpectedUser = IdentityRef | null | 'any'

/**
 * Brings the session of the request up to date, right before it is written: it may be older than a sign-out. What the host
 * has changed in this request is kept.
 * @returns what is stored; null if the session has ended, was renewed, or is another user's now. It is then removed from
 * the request, so that nothing saves it
 * @throws OtpError `session_unavailable` if it cannot be read
 */
export async function refreshSession(
  settings: SessionSettings,
  req: OtpRequest,
  expected: ExpectedUser,
): Promise<SessionSnapshot | null> {
  const session = requireSession(req)
  const id = sharedId(req)
  if (id === null) return snapshotOf(session)
  const stored = await readSession(settings, req, id)
  if (stored === null) {
    setSession(req, undefined)
    return null
  }
  const [before, latest] = [{ ...session }, snapshotOf(stored)]
  const changed = changedNames(snapshotOf(session), latest)
  copyProperties(stored, session, changed)
  const ofHost = changed.filter((name) => name !== settings.sessionKey)
  if (ofHost.length === 0) return latest
  // Either this request has changed them, or another one. If another one has signed the user out, that must stay.
  if (!(await isSignedIn(settings, req, expected))) {
    setSession(req, undefined)
    return null
  }
  // What is missing here was removed in a request of the host's; otherwise another request has added it.
  const kept = expected === 'any' ? ofHost : ofHost.filter((name) => Object.hasOwn(before, name))
  copyProperties(before, session, kept)
  return latest
}

export async function isSignedIn({ user }: SessionSettings, req: OtpRequest, expected: ExpectedUser): Promise<boolean> {
  if (expected === 'any') return true
  const signedIn = (await resolveIdentity(user, req))?.ref ?? null
  return signedIn && expected ? sameIdentity(signedIn, expected) : signedIn === expected
}
