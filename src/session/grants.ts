import type { Grant } from '../challenge/records.js'
import { type Binding, PLAIN_ACCESS, sameBinding } from '../challenge/step-up.js'
import type { OtpRequest } from '../express-types.js'
import { type IdentityRef, sameIdentity } from '../identity/user.js'
import { hasSession, type SessionSettings } from './host-session.js'
import { read, write } from './storage.js'

/** The clocks of two processes may differ a little; a grant from further in the future was not made by us. */
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
    // Says what must be true, so that a clock that returns NaN opens nothing.
    const isFresh = now - grant.at < maxAge * 1000 && grant.at <= now + CLOCK_SKEW_MS
    if (!isFresh) continue
    if (ref ? sameIdentity(grant.identity, ref) : grant.identity.type === 'address') return grant
  }
  return null
}

export function saveGrant(settings: SessionSettings, req: OtpRequest, grant: Grant): void {
  // A session has grants of one identity only. Those of another one would be used for this one.
  const { challenges, grants } = read(settings, req)
  const others = grants.filter((one) => sameIdentity(one.identity, grant.identity) && !sameBinding(one, grant))
  write(settings, req, {
    challenges: challenges.filter((one) => !sameBinding(one, grant)),
    grants: [grant, ...others],
  })
}

/** Turns a grant that is bound to details and was used into one for plain access. */
export function downgradeGrant(settings: SessionSettings, req: OtpRequest, grant: Grant): void {
  const plain: Grant = { ...grant, purpose: PLAIN_ACCESS.purpose, details: PLAIN_ACCESS.details }
  const others = read(settings, req).grants.filter((one) => one.id !== grant.id)
  const hasNewer = others.some((one) => sameBinding(one, plain) && one.at >= plain.at)
  write(settings, req, {
    grants: hasNewer ? others : [plain, ...others.filter((one) => !sameBinding(one, plain))],
  })
}

/** Removes a grant. Does nothing if there is no session or no such grant. */
export function removeGrant(settings: SessionSettings, req: OtpRequest, id: string): void {
  if (!hasSession(req)) return
  const { grants } = read(settings, req)
  const others = grants.filter((one) => one.id !== id)
  if (others.length < grants.length) write(settings, req, { grants: others })
}

export function clearGrants(settings: SessionSettings, req: OtpRequest): void {
  write(settings, req, { grants: [] })
}
