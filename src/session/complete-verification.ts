import type { StepUp } from '../challenge/step-up.js'
import type { Settings } from '../config/settings.js'
import { randomId } from '../crypto/random.js'
import type { OtpRequest } from '../express-types.js'
import { callHostFunction } from '../host-callback.js'
import { resolveIdentity } from '../identity/resolve-user.js'
import { type Identity, identityFromAddress, type IdentityRef } from '../identity/user.js'
import { withGrant } from './grants.js'
import { saveSession } from './host-session.js'
import { renewSession } from './renew-session.js'
import { read, write } from './storage.js'

/**
 * Runs after the code was redeemed, in this order: new session id, the host's `onVerified`, grant, save, end of the old
 * id. If a step fails, there is no grant, and the session is as it was.
 * @throws OtpError `session_unavailable` when the session ended or cannot be written, `host_callback` when the host threw
 */
export async function completeVerification(
  settings: Settings,
  req: OtpRequest,
  identity: Identity,
  { purpose, details }: StepUp,
): Promise<void> {
  const [id, at] = [randomId(), settings.now()]
  const session = await renewSession(settings, req, identity.user && identity.ref)
  try {
    const user = identity.user ?? { id: identity.ref.id, email: identity.ref.email }
    await callHostFunction('onVerified', () => settings.onVerified(req, { user, purpose }))
    const owner = await ownerOfGrant(settings, req, identity)
    write(settings, req, withGrant(read(settings, req), { id, at, purpose, details, identity: owner }))
    await saveSession(settings, req)
    await session.endOld()
  } catch (error) {
    await session.undo()
    throw error
  }
}

/** `onVerified` may have signed a user in. The grant is for that user if the verified address is theirs, else for it. */
async function ownerOfGrant(settings: Settings, req: OtpRequest, identity: Identity): Promise<IdentityRef> {
  const signedIn = await resolveIdentity(settings.user, req)
  const isOwner = signedIn?.address.key === identity.address.key
  return isOwner ? signedIn.ref : identityFromAddress(identity.address).ref
}
