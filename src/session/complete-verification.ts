import type { Grant } from '../challenge/records.js'
import type { StepUp } from '../challenge/step-up.js'
import type { Settings } from '../config/settings.js'
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
 * @param challengeId becomes the id of the grant: a code redeems its challenge once, so there is one grant of each
 * @returns the user who is signed in now
 * @throws OtpError `session_unavailable` when the session ended or cannot be written, `host_callback` when the host threw
 */
export async function completeVerification(
  settings: Settings,
  req: OtpRequest,
  identity: Identity,
  { purpose, details }: StepUp,
  challengeId: string,
): Promise<IdentityRef | null> {
  const at = settings.now()
  const session = await renewSession(settings, req, identity.user && identity.ref)
  try {
    const user = identity.user ?? { id: identity.ref.id, email: identity.ref.email }
    await callHostFunction('onVerified', () => settings.onVerified(req, { user, purpose }))
    const signedIn = await resolveIdentity(settings.user, req)
    const grant: Grant = { id: challengeId, at, purpose, details, identity: ownerOfGrant(signedIn, identity) }
    write(settings, req, withGrant(read(settings, req), grant))
    await saveSession(settings, req)
    await session.endOld()
    return signedIn?.ref ?? null
  } catch (error) {
    await session.undo()
    throw error
  }
}

/** `onVerified` may have signed a user in. The grant is for that user if the verified address is theirs, else for it. */
function ownerOfGrant(signedIn: Identity | null, identity: Identity): IdentityRef {
  const isOwner = signedIn?.address.key === identity.address.key
  return isOwner ? signedIn.ref : identityFromAddress(identity.address).ref
}
