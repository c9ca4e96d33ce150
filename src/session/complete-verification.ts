import { randomBytes } from 'node:crypto'
import type { StepUp } from '../challenge/step-up.js'
import type { Settings } from '../config/settings.js'
import { OtpError } from '../errors.js'
import type { OtpRequest } from '../express-types.js'
import { callHostFunction } from '../host-callback.js'
import { resolveIdentity } from '../identity/resolve-user.js'
import { type Identity, identityFromAddress, type IdentityRef } from '../identity/user.js'
import { removeGrant, saveGrant } from './grants.js'
import { regenerateSession, reloadSession, saveSession } from './host-session.js'

/**
 * Runs after the code was redeemed, in this order: new session id, the host's `onVerified`, grant, save. If a step fails,
 * there is no grant.
 * @throws OtpError `session_unavailable` when the session ended or cannot be written, `host_callback` when the host threw
 */
export async function completeVerification(
  settings: Settings,
  req: OtpRequest,
  identity: Identity,
  { purpose, details }: StepUp,
): Promise<void> {
  const id = randomBytes(16).toString('base64url')
  const at = settings.now()
  // A sign-out while the code was compared must not be undone by this request's copy of the session.
  if ((await reloadSession(settings, req, 'current')) === 'gone') {
    throw new OtpError('session_unavailable', 'the session ended while the code was compared.')
  }
  try {
    await regenerateSession(settings, req)
    const user = identity.user ?? { id: identity.ref.id, email: identity.ref.email }
    await callHostFunction('onVerified', () => settings.onVerified(req, { user, purpose }))
    saveGrant(settings, req, { id, at, purpose, details, identity: await ownerOfGrant(settings, req, identity) })
    await saveSession(settings, req)
  } catch (error) {
    removeGrant(settings, req, id)
    throw error
  }
}

/** `onVerified` may have signed a user in. The grant is for that user if the verified address is theirs, else for it. */
async function ownerOfGrant(settings: Settings, req: OtpRequest, identity: Identity): Promise<IdentityRef> {
  const signedIn = await resolveIdentity(settings.user, req)
  const isOwner = signedIn?.address.key === identity.address.key
  return isOwner ? signedIn.ref : identityFromAddress(identity.address).ref
}
