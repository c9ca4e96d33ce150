import type { OtpRequest } from '../express-types.js'
import {
  endSession,
  readSession,
  requireSession,
  saveSession,
  type SessionSettings,
  setSession,
  sharedId,
} from './host-session.js'
import { type ExpectedUser, isSignedIn, refreshSession } from './refresh-session.js'
import type { SessionData } from './schema.js'
import { changedNames, copyProperties, snapshotOf } from './snapshot.js'
import { read, write } from './storage.js'

/** After so many writes of other requests in a row this one gives up. */
const MAX_CONFLICTS = 5

/**
 * Changes what the session holds of ours, and saves it. This is the one way to write a session that keeps its id.
 *
 * A session store has no conditional write. So what is stored is read again in the moment of writing: if another request
 * has ended the session since the refresh, it is ended again; if it has changed it, the change is made on top of that.
 * Redis runs both commands one after the other, so nothing comes between them. PostgreSQL runs them on two connections: a
 * sign-out in the few milliseconds between them is undone.
 * @param change gets what is stored now; null changes nothing
 * @returns `ended` if the session has ended, was renewed, or is another user's now
 * @throws OtpError `session_unavailable` when the session cannot be read or saved
 */
export async function updateSession(
  settings: SessionSettings,
  req: OtpRequest,
  expected: ExpectedUser,
  change: (data: SessionData) => Partial<SessionData> | null,
): Promise<'saved' | 'unchanged' | 'ended'> {
  let stored = await refreshSession(settings, req, expected)
  if (stored === null) return 'ended'
  const [session, id] = [requireSession(req), sharedId(req)]
  for (let conflicts = 0; conflicts < MAX_CONFLICTS; conflicts++) {
    const changed = change(read(settings, req))
    if (changed === null && conflicts === 0) return 'unchanged'
    if (changed !== null) write(settings, req, changed)
    // Not one after the other: then a whole round trip would lie between them.
    const reading = id === null ? undefined : readSession(settings, req, id)
    const [overwritten] = await Promise.all([reading, saveSession(settings, req)])
    if (id === null || overwritten === undefined) return 'saved'
    if (overwritten === null) {
      setSession(req, undefined)
      await endSession(settings, req, id)
      return 'ended'
    }
    const [seen, own] = [snapshotOf(overwritten), snapshotOf(session)]
    // What is equal to what was just written may be just that.
    const missed = changedNames(stored, seen).filter((name) => seen.get(name) !== own.get(name))
    if (missed.length === 0) return 'saved'
    stored = own
    copyProperties(overwritten, session, missed)
    if (await isSignedIn(settings, req, expected)) continue
    await saveSession(settings, req)
    setSession(req, undefined)
    return 'ended'
  }
  return 'saved'
}

/**
 * Removes a session that has ended from the request. Called after a wait that needs no write: otherwise the response could
 * set the cookie of the old id again.
 * @throws OtpError `session_unavailable` when the session cannot be read
 */
export async function dropEndedSession(settings: SessionSettings, req: OtpRequest): Promise<void> {
  const id = sharedId(req)
  if (id !== null && (await readSession(settings, req, id)) === null) setSession(req, undefined)
}
