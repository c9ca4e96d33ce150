import { randomBytes } from 'node:crypto'
import { verifyChallenge as redeem } from '../../challenge/challenge.js'
import { eventContext } from '../../challenge/event-context.js'
import type { OpenChallenge } from '../../challenge/records.js'
import { alertOwner } from '../../delivery/owner-alert.js'
import { OtpError } from '../../errors.js'
import { callHostFunction } from '../../host-callback.js'
import { readField } from '../request/body.js'
import type { RequestContext } from '../request/context.js'
import type { RouteResult } from '../response/problem.js'
import { pageUrl, returnUrl } from '../response/state.js'
import { parseAddress } from '../../identity/address.js'
import { resolveIdentity } from '../../identity/resolve-user.js'
import { type Identity, identityFromAddress } from '../../identity/user.js'
import type { Services } from '../../services.js'
import { findChallenge, removeChallenge, removeGrant, saveGrant, updateChallenge } from '../../session/challenges.js'
import { regenerateSession, reloadSession, saveSession } from '../../session/host-session.js'

/** What becomes of a mail that still waits when its code is of no more use. */
const CODE_USED = { outcome: 'cancelled', reason: 'used' } as const

/** `POST /verify`: looks at the code, at most as often as the store lets it. */
export async function handleVerify(services: Services, ctx: RequestContext): Promise<RouteResult> {
  const { req, stepUp } = ctx
  if (ctx.identity === null && !services.settings.typedEmail) return { problem: 'sign_in_required' }
  const typed = readField(req.body, 'code', 64)
  if (typed === undefined || typed === null) return { problem: 'bad_request' }
  const challenge = findChallenge(req, stepUp, ctx.identity?.ref ?? null)
  const identity = ctx.identity ?? (challenge && identityOfChallenge(challenge))
  if (challenge === null || identity === null) return { problem: 'no_challenge' }

  // Remembered only so that the page offers a new code instead of a field that nothing fits.
  const markUsedUp = (): Promise<void> => {
    services.sendQueue.cancel(challenge.id, CODE_USED)
    return updateChallenge(req, challenge, { isUsedUp: true }, 'ours')
  }
  const redeemed = await redeem(services, identity, stepUp, challenge, typed)
  switch (redeemed.outcome) {
    case 'malformed':
      return { problem: 'invalid_code_format' }
    case 'mismatch':
      // A typed address has passed no first step: whoever typed wrong codes for it knows nothing of its owner's.
      if (redeemed.escalated && identity.user) void alertOwner(services, identity, stepUp)
      if (redeemed.attemptsLeft < 1) await markUsedUp()
      return { problem: 'wrong_code', members: { attempts_left: redeemed.attemptsLeft } }
    case 'exhausted':
      await markUsedUp()
      return { problem: 'code_exhausted' }
    case 'not_found':
      // Nothing is written: a right answer that came twice is told so here, and writing would bring back the session
      // that the first one has just replaced.
      return { problem: 'code_expired' }
    case 'long_code_required':
      await markUsedUp()
      return { problem: 'long_code_required' }
    case 'redeemed':
      services.sendQueue.cancel(challenge.id, CODE_USED)
      return completeVerification(services, ctx, identity, challenge)
  }
}

/** `POST /restart`: forgets the challenge, so that another address or a new code can be asked for. */
export async function restart({ settings, sendQueue }: Services, ctx: RequestContext): Promise<RouteResult> {
  const ref = ctx.identity?.ref ?? null
  // Taken anew, since a verification beside this may have renewed the session.
  const challenge = findChallenge(ctx.req, ctx.stepUp, ref)
  if (challenge && (await reloadSession(ctx.req, 'ours'))) {
    sendQueue.cancel(challenge.id, CODE_USED)
    removeChallenge(ctx.req, ctx.stepUp)
    await saveSession(ctx.req)
  }
  return { redirectTo: pageUrl(settings, ctx.sealed), json: { state: ctx.identity ? 'send' : 'email' } }
}

/**
 * The code was right and is spent. In this order: new session id, the host's `onVerified`, grant, save; if any of
 * it fails there is no grant.
 */
async function completeVerification(
  services: Services,
  ctx: RequestContext,
  identity: Identity,
  challenge: OpenChallenge,
): Promise<RouteResult> {
  const { settings, events } = services
  const { req, stepUp } = ctx
  const { purpose, details } = stepUp
  const id = randomBytes(16).toString('base64url')
  const at = settings.now()
  // Whoever signed out while the code was looked at must not be signed in again by the copy that we hold.
  if (!(await reloadSession(req, 'ours'))) {
    throw new OtpError('session_unavailable', 'the session ended while the code was looked at.')
  }
  try {
    await regenerateSession(req)
    const user = identity.user ?? { id: identity.ref.id, email: identity.ref.email }
    await callHostFunction('onVerified', () => settings.onVerified(req, { user, purpose }))
    // `onVerified` may have signed somebody in. The proof is theirs only if the proven address is.
    const signedIn = await resolveIdentity(settings.user, req)
    const proven = signedIn?.address.key === identity.address.key ? signedIn : identityFromAddress(identity.address)
    saveGrant(req, { id, at, purpose, details, identity: proven.ref })
    await saveSession(req)
  } catch (error) {
    removeGrant(req, id)
    throw error
  }
  const seconds = Math.max(0, Math.round((at - challenge.resendAt) / 1000 + settings.limits.resend.refill))
  events.publish({ type: 'verified', ...eventContext(identity, stepUp, challenge), outcome: 'redeemed', seconds })
  const to = returnUrl(settings, ctx)
  return { redirectTo: to, json: { verified: true, purpose, return_to: to } }
}

function identityOfChallenge({ identity }: OpenChallenge): Identity | null {
  const address = parseAddress(identity.email)
  return address && identityFromAddress(address)
}
