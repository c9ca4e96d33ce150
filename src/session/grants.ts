import type { Grant } from '../challenge/records.js'
import { type Binding, PLAIN_ACCESS, sameBinding } from '../challenge/step-up.js'
import type { OtpRequest } from '../express-types.js'
import { type IdentityRef, sameIdentity } from '../identity/user.js'
import type { SessionSettings } from './host-session.js'
import type { SessionData } from './schema.js'
import { read, write } from './storage.js'

/** The clocks of two processes may differ a little; a proof from further in the future was not made by us. */
const CLOCK_SKEW_MS = 60_000

/**
 * The newest valid grant for a binding, of `ref`, or of a typed address if `ref` is null. Any grant opens plain access.
 * Every guarded request passes here: comparisons only, no crypto, no I/O.
 */
export function findValidGrant(
  settings: SessionSettings,
  req: OtpRequest,
  wanted: Binding,
  ref: IdentityRef | null,
  maxAge: number,
  now: number,
): Grant | null {
  const isPlain = sameBinding(wanted, PLAIN_ACCESS)
  for (const grant of read(settings, req).grants) {
    if (!isPlain && !sameBinding(grant, wanted)) continue
    if (!isFresh(grant.at, maxAge, now)) continue
    if (ref ? sameIdentity(grant.identity, ref) : grant.identity.type === 'address') return grant
  }
  return null
}

/** Whether a proof is young enough. Says what must be true, so that a clock that returns NaN opens nothing. */
export function isFresh(at: number, maxAge: number, now: number): boolean {
  return now - at < maxAge * 1000 && at <= now + CLOCK_SKEW_MS
}

/** With a grant. A session has grants of one identity only: those of another one would be used for this one. */
export function withGrant({ challenges, grants }: SessionData, grant: Grant): SessionData {
  const others = grants.filter((one) => sameIdentity(one.identity, grant.identity) && !sameBinding(one, grant))
  return { challenges: challenges.filter((one) => !sameBinding(one, grant)), grants: [grant, ...others] }
}

/** Turns a grant that is bound to details and was used into one for plain access; null if it is not there any more. */
export function withUsedGrant({ grants }: SessionData, grant: Grant): Pick<SessionData, 'grants'> | null {
  if (!grants.some((one) => one.id === grant.id)) return null
  const plain: Grant = { ...grant, purpose: PLAIN_ACCESS.purpose, details: PLAIN_ACCESS.details }
  const others = grants.filter((one) => one.id !== grant.id)
  const hasNewer = others.some((one) => sameBinding(one, plain) && one.at >= plain.at)
  return { grants: hasNewer ? others : [plain, ...others.filter((one) => !sameBinding(one, plain))] }
}

export function clearGrants(settings: SessionSettings, req: OtpRequest): void {
  write(settings, req, { grants: [] })
}
