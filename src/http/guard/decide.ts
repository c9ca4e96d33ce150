import { hashDetails } from '../../challenge/details.js'
import type { Grant } from '../../challenge/records.js'
import type { GuardSettings } from '../../config/guard-options.js'
import type { OtpRequest } from '../../express-types.js'
import { callWithRequest } from './call-with-request.js'
import { mayProceed } from '../request/context.js'
import { resolveIdentity } from '../../identity/resolve-user.js'
import type { Identity } from '../../identity/user.js'
import type { Services } from '../../services.js'
import { findValidGrant, withUsedGrant } from '../../session/grants.js'
import { requireSession } from '../../session/host-session.js'
import type { ExpectedUser } from '../../session/refresh-session.js'
import { updateSession } from '../../session/update-session.js'

/** Why a guard stays shut. */
export type Closed =
  | { readonly outcome: 'sign_in_required' }
  | { readonly outcome: 'otp_required'; readonly identity: Identity | null; readonly details: string | null }

export type Decision = { readonly outcome: 'open' } | Closed

const OPEN: Decision = Object.freeze({ outcome: 'open' })
const SIGN_IN_REQUIRED: Decision = Object.freeze({ outcome: 'sign_in_required' })

/**
 * Whether a guard opens. With a grant it opens without I/O; only a grant bound to details is used up in the store. Without
 * one it reads the cookie of a trusted browser.
 * @throws OtpError if anything is broken: then the guard stays shut
 */
export async function decide(services: Services, guard: GuardSettings, req: OtpRequest): Promise<Decision> {
  const { settings } = services
  requireSession(req)
  const identity = await resolveIdentity(settings.user, req)
  if (!mayProceed(settings, identity)) return SIGN_IN_REQUIRED
  const { details: read } = guard
  const details = read && hashDetails(await callWithRequest('details', req, () => read(req)))
  const maxAge = guard.maxAge ?? settings.grantMaxAge
  const wanted = { purpose: guard.purpose, details }
  const ref = identity?.ref ?? null
  const grant = findValidGrant(settings, req, wanted, ref, maxAge, settings.now())
  if (grant && (details === null || (await consumeGrant(services, req, ref, grant)))) return OPEN
  if (services.trustedBrowser.opens(req, identity, { ...wanted, maxAge: guard.maxAge })) return OPEN
  return { outcome: 'otp_required', identity, details }
}

/** A grant bound to details opens once: of two requests at the same time the store lets one through. */
async function consumeGrant(
  { settings, store }: Services,
  req: OtpRequest,
  owner: ExpectedUser,
  grant: Grant,
): Promise<boolean> {
  // Keyed by the grant's random id. Refilled only when the grant is too old for any guard.
  const oneUse = { user: grant.id, bucket: 'grant-use', capacity: 1, refill: 2 * settings.grantMaxAge }
  const isFirstUse = (await store.spend(oneUse)).outcome === 'spent'
  // Also if it was used before: a slow request may have restored it in the session, and our page would say "verified".
  const updated = await updateSession(settings, req, owner, (data) => withUsedGrant(data, grant))
  // Not saved: the session or the grant has ended in the meantime.
  return isFirstUse && updated === 'saved'
}
