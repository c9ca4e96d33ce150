import type { OtpRequest } from '../express-types.js'
import { requireSession, type SessionSettings, sessionStoreOf, sharedId } from './host-session.js'
import { decode, encode, type SessionData } from './schema.js'

/** Maximum of challenges, and of grants. The newest ones stay. */
const MAX_ENTRIES = 5
/** cookie-session has 4 kB for everything. */
const MAX_BYTES = 1_600

export function read({ sessionKey }: SessionSettings, req: OtpRequest): SessionData {
  const session = requireSession(req)
  return decode(Object.hasOwn(session, sessionKey) ? session[sessionKey] : null)
}

/** The same text for all requests of one session between two writes of ours; null in a session that this request made. */
export function sessionState({ sessionKey }: SessionSettings, req: OtpRequest): string | null {
  const session = requireSession(req)
  const id = sessionStoreOf(req) === null ? (req.headers.cookie ?? null) : sharedId(req)
  return id === null ? null : JSON.stringify([id, sessionKey, session[sessionKey] ?? null])
}

/** Replaces challenges, grants or both. If there is no room, the oldest ones are dropped. */
export function write(settings: SessionSettings, req: OtpRequest, changed: Partial<SessionData>): void {
  const data = { ...read(settings, req), ...changed }
  const challenges = data.challenges.slice(0, MAX_ENTRIES)
  const grants = data.grants.slice(0, MAX_ENTRIES)
  let slot = encode({ challenges, grants })
  while (bytesOf(slot) > MAX_BYTES && challenges.length + grants.length > 1) {
    if (isChallengeNext(challenges, grants)) challenges.pop()
    else grants.pop()
    slot = encode({ challenges, grants })
  }
  requireSession(req)[settings.sessionKey] = slot
}

/** Whether a challenge is dropped next, or a grant: the older one, but the newest of each only after all others. */
function isChallengeNext(challenges: SessionData['challenges'], grants: SessionData['grants']): boolean {
  // By number first: after the clock was put back, what was written just now looks like the oldest.
  if (challenges.length > 1 !== grants.length > 1) return challenges.length > 1
  return (challenges.at(-1)?.sentAt ?? Infinity) <= (grants.at(-1)?.at ?? Infinity)
}

/** Its size in the JSON of the session, where quotes are escaped. */
function bytesOf(slot: string): number {
  return Buffer.byteLength(JSON.stringify(slot))
}
