import type { Grant, OpenChallenge } from '../../challenge/records.js'
import type { DeliveryStatus } from '../../delivery/delivery-status.js'
import type { RequestContext } from '../request/context.js'
import { maskAddress } from '../../identity/address.js'
import { findChallenge } from '../../session/challenges.js'
import type { Services } from '../../services.js'
import { findValidGrant } from '../../session/grants.js'

/** A challenge with the delivery status of its newest mail. */
export interface ChallengeWithStatus extends OpenChallenge, DeliveryStatus {
  readonly masked: string
  /** Milliseconds, from when on the next mail may be requested. */
  readonly resendAt: number
}

/** The state of a step-up in a session. `step` is the page to show. */
export interface VerificationState {
  readonly step: 'email' | 'send' | 'code' | 'verified'
  readonly challenge: ChallengeWithStatus | null
  readonly grant: Grant | null
}

export function stateOf(ctx: RequestContext): VerificationState {
  const { req, identity, stepUp } = ctx
  const { settings, deliveryStatus } = ctx.services
  const now = settings.now()
  const ref = identity?.ref ?? null
  const stored = findChallenge(settings, req, stepUp, ref)
  const challenge = stored && withStatus(ctx, stored)
  const grant = findValidGrant(settings, req, stepUp, ref, stepUp.maxAge ?? settings.grantMaxAge, now)
  if (grant) return { step: 'verified', challenge, grant }
  const isOpen = challenge !== null && !challenge.isUsedUp && challenge.expires > now
  // The code of an earlier mail can be typed, even if the later mail failed.
  const hasMailedCode = challenge?.delivery !== 'failed' || challenge.wasMailed || deliveryStatus.hasSent(challenge)
  if (isOpen && hasMailedCode) return { step: 'code', challenge, grant }
  return { step: identity === null && challenge === null ? 'email' : 'send', challenge, grant }
}

export function withStatus({ identity, services }: RequestContext, stored: OpenChallenge): ChallengeWithStatus {
  const { settings } = services
  // The page of a typed address must not depend on the mail: it would reveal who has a mailbox.
  const status = identity && lookUpDeliveryStatus(services, stored)
  const delivery = status?.delivery ?? stored.delivery
  return {
    ...stored,
    delivery,
    failureClass: status?.failureClass ?? null,
    masked: maskAddress(stored.identity.email),
    // A failed mail was refunded, and with it the wait until the next one.
    resendAt: delivery === 'failed' ? 0 : stored.sentAt + settings.limits.resend.refill * 1000,
  }
}

function lookUpDeliveryStatus(services: Services, { sendId }: OpenChallenge): DeliveryStatus | null {
  const { deliveryStatus, sendQueue, mailSettings } = services
  const status = deliveryStatus.get(sendId)
  if (!status) return null
  // A mail in a queue of the host's does not wait for our breaker.
  const isBlockedByBreaker =
    mailSettings.deliver === null && status.delivery === 'queued' && sendQueue.health().breaker === 'open'
  return { ...status, failureClass: status.failureClass ?? (isBlockedByBreaker ? 'connect' : null) }
}

export function secondsUntil(at: number, now: number): number {
  return Math.max(0, Math.ceil((at - now) / 1000))
}
