import { verifyChallenge } from '../../challenge/challenge.js'
import { eventContext } from '../../challenge/event-context.js'
import type { OpenChallenge } from '../../challenge/records.js'
import { sameBinding, sealStepUp } from '../../challenge/step-up.js'
import { alertOwner } from '../../delivery/owner-alert.js'
import { readField } from '../request/body.js'
import type { RequestContext } from '../request/context.js'
import { verifiedJson } from '../response/json.js'
import { problem, type RouteResult } from '../response/problem.js'
import { problemOfError } from '../response/respond.js'
import { stateOf } from '../response/state.js'
import { continueUrl } from '../response/urls.js'
import { parseAddress } from '../../identity/address.js'
import { type Identity, identityFromAddress, type IdentityRef } from '../../identity/user.js'
import { findChallenge, updateChallenge } from '../../session/challenges.js'
import { completeVerification } from '../../session/complete-verification.js'
import { hasSession, setSession } from '../../session/host-session.js'
import { dropEndedSession } from '../../session/update-session.js'
import { MAX_REDIRECT_LENGTH } from '../../url.js'

const MAX_CODE_LENGTH = 64
/** The value of the checked box "don't ask again in this browser". Unchecked, the field is missing. */
const TRUST = 'yes'
const CODE_USED = { outcome: 'cancelled', reason: 'used' } as const

/** `POST /verify`: compares the code, at most as often as the store allows. */
export async function handleVerify(ctx: RequestContext): Promise<RouteResult> {
  const { services, req, stepUp } = ctx
  const { settings, sendQueue } = services
  const typed = readField(req.body, 'code', MAX_CODE_LENGTH)
  const trust = readField(req.body, 'trust', TRUST.length)
  if (typed === undefined || typed === null) return problem('bad_request')
  if (trust !== null && trust !== TRUST) return problem('bad_request')
  const challenge = findChallenge(settings, req, stepUp, ctx.identity?.ref ?? null)
  const identity = ctx.identity ?? (challenge && identityOfChallenge(challenge))
  if (challenge === null || identity === null) return verifiedBefore(ctx, null) ?? problem('no_challenge')

  let redeemed: Awaited<ReturnType<typeof verifyChallenge>>
  try {
    redeemed = await verifyChallenge(services, identity, stepUp, challenge, typed)
  } catch (error) {
    // The store may have done it after all, when its answer is late or lost.
    return problemOfError(services, error, 'problem.maybe_used')
  }
  switch (redeemed.outcome) {
    case 'malformed':
      return problem('invalid_code_format')
    case 'mismatch':
      // No alert for a typed address: anybody may type one, so wrong codes there say nothing about its owner.
      if (redeemed.escalated && identity.user) void alertOwner(services, identity, stepUp)
      if (redeemed.attemptsLeft < 1) await markUsedUp(ctx, challenge)
      else await dropEndedSession(settings, req)
      return problem('wrong_code', { attempts_left: redeemed.attemptsLeft })
    case 'exhausted':
      await markUsedUp(ctx, challenge)
      return problem('code_exhausted', { retry_after: 0 }) // a new code may be asked for at once
    case 'long_code_required':
      await markUsedUp(ctx, challenge)
      return problem('long_code_required')
    case 'not_found':
      // Nothing is saved: the second of two equal POSTs ends here, and saving would restore the session that the first
      // one has just replaced.
      await dropEndedSession(settings, req)
      return verifiedBefore(ctx, challenge) ?? problem('code_expired')
    case 'redeemed':
      sendQueue.cancel(challenge.id, CODE_USED)
      return complete(ctx, identity, challenge, trust === TRUST)
  }
}

/** The code is used up now, so the response to a failure says that a new one is needed. */
async function complete(
  ctx: RequestContext,
  identity: Identity,
  challenge: OpenChallenge,
  isTrusted: boolean,
): Promise<RouteResult> {
  const { services, req, stepUp } = ctx
  const { settings } = services
  let signedIn: IdentityRef | null
  try {
    signedIn = await completeVerification(settings, req, identity, stepUp, challenge.id)
  } catch (error) {
    await updateChallenge(settings, req, ctx.expectedUser, challenge, { isUsedUp: true }).catch(() => {
      setSession(req, undefined) // It may have ended: the end of the response must not save it.
    })
    return problemOfError(services, error, 'problem.used')
  }
  publishVerified(ctx, identity, challenge)
  const cookie = cookieAfter(ctx, identity, isTrusted)
  // Verifying may have signed somebody in, who could not use a step-up of nobody's.
  const anew = ctx.sealed && sealStepUp(settings.keys.current, stepUp, signedIn, settings.now())
  // For a user it is longer. The old one, which does fit, can be used with its grant.
  const sealed = anew.length > MAX_REDIRECT_LENGTH ? ctx.sealed : anew
  return { type: 'redirect', to: continueUrl(settings, sealed), json: verifiedJson(ctx), ...(cookie && { cookie }) }
}

/** What the browser is to remember of the verification, as the header `Set-Cookie`. */
function cookieAfter({ services, req, stepUp }: RequestContext, identity: Identity, isTrusted: boolean): string | null {
  const { deviceCookie, trustedBrowser } = services
  if (!identity.user) return deviceCookie.remember(req, identity)
  return isTrusted && trustedBrowser.isOffered(identity, stepUp) ? trustedBrowser.trust(req, identity) : null
}

/**
 * A right code that is sent again after its first answer: the grant that this challenge was redeemed for is still there. The
 * code is not compared any more, so the browser is not made a trusted one.
 */
function verifiedBefore(ctx: RequestContext, challenge: OpenChallenge | null): RouteResult | null {
  if (!hasSession(ctx.req)) return null
  const { grant } = stateOf(ctx)
  if (grant === null || !sameBinding(grant, ctx.stepUp) || (challenge && challenge.id !== grant.id)) return null
  const to = continueUrl(ctx.services.settings, ctx.sealed)
  return { type: 'redirect', to, json: verifiedJson(ctx) }
}

/** Saves that the code is void, so that the page offers a new one. */
async function markUsedUp({ services, req, expectedUser }: RequestContext, challenge: OpenChallenge): Promise<void> {
  services.sendQueue.cancel(challenge.id, CODE_USED)
  await updateChallenge(services.settings, req, expectedUser, challenge, { isUsedUp: true })
}

function publishVerified({ services, stepUp }: RequestContext, identity: Identity, challenge: OpenChallenge): void {
  const { settings, events } = services
  const seconds = Math.max(0, Math.round((settings.now() - challenge.sentAt) / 1000))
  events.publish({ type: 'verified', ...eventContext(identity, stepUp, challenge), outcome: 'redeemed', seconds })
}

function identityOfChallenge({ identity }: OpenChallenge): Identity | null {
  const address = parseAddress(identity.email)
  return address && identityFromAddress(address)
}
