import type { Grant, OpenChallenge } from '../../challenge/records.js'
import type { Settings } from '../../config/settings.js'
import { LONG_FORMAT } from '../../crypto/code.js'
import type { FailureClass } from '../../events.js'
import type { RequestContext } from '../request/context.js'
import type { Services } from '../../services.js'
import { findChallenge, findValidGrant } from '../../session/challenges.js'

/** A challenge, with what became of its mail after the session was written. */
export interface ChallengeWithStatus extends OpenChallenge {
  /** Why the mail has not gone out, or not yet; null when nothing is known to have gone wrong. */
  readonly failureClass: FailureClass | null
}

/** Where a person stands with a step-up, and so which page is shown. */
export interface VerificationState {
  readonly step: 'email' | 'send' | 'code' | 'verified'
  readonly challenge: ChallengeWithStatus | null
  readonly grant: Grant | null
}

export function stateOf(services: Services, { req, identity, stepUp }: RequestContext): VerificationState {
  const { settings, deliveryStatus } = services
  const now = settings.now()
  const ref = identity?.ref ?? null
  const stored = findChallenge(req, stepUp, ref)
  // Whoever typed an address is told nothing of its mail: else the page would tell who has a mailbox.
  const challenge = stored && liveChallenge(stored, identity && lookUpDeliveryStatus(services, stored))
  const grant = findValidGrant(req, stepUp, ref, stepUp.maxAge ?? settings.grantMaxAge, now)
  if (grant) return { step: 'verified', challenge, grant }
  const isOpen = challenge !== null && !challenge.isUsedUp && challenge.expires > now
  // Whoever has a code from an earlier mail may type it, though the later one was lost.
  const hasMailedCode = challenge?.delivery !== 'failed' || challenge.wasMailed || deliveryStatus.hasSent(challenge)
  if (isOpen && hasMailedCode) return { step: 'code', challenge, grant }
  return { step: identity === null && challenge === null ? 'email' : 'send', challenge, grant }
}

type DeliveryStatus = Pick<ChallengeWithStatus, 'delivery' | 'failureClass'>

function liveChallenge(stored: OpenChallenge, known: DeliveryStatus | null): ChallengeWithStatus {
  const challenge = { ...stored, failureClass: null, ...known }
  // A mail that failed has given back the pause until the next one.
  return challenge.delivery === 'failed' ? { ...challenge, resendAt: 0 } : challenge
}

function lookUpDeliveryStatus(
  { deliveryStatus, sendQueue, mailSettings }: Services,
  challenge: OpenChallenge,
): DeliveryStatus | null {
  const status = deliveryStatus.get(challenge.sendId)
  if (!status) return null
  // What a queue of the host's has taken does not wait for our breaker.
  const isBlockedByBreaker =
    mailSettings.deliver === null && status.delivery === 'queued' && sendQueue.health().breaker === 'open'
  return { delivery: status.delivery, failureClass: status.failureClass ?? (isBlockedByBreaker ? 'connect' : null) }
}

/** The state as JSON clients get it. */
export function stateJson(services: Services, ctx: RequestContext): Record<string, unknown> {
  const { settings } = services
  const { step, challenge } = stateOf(services, ctx)
  const { purpose } = ctx.stepUp
  if (step === 'code' && challenge) return { state: step, purpose, ...challengeJson(settings, challenge) }
  if (step === 'verified') return { state: step, verified: true, purpose, return_to: returnUrl(settings, ctx) }
  return { state: step, purpose, ...(challenge?.delivery === 'failed' && { delivery: 'failed' }) }
}

/** The JSON members that describe an open challenge, the same wherever they stand. */
export function challengeJson(settings: Settings, challenge: OpenChallenge): Record<string, unknown> {
  const { alphabet, length } = challenge.kind === 'long' ? LONG_FORMAT : settings.code
  const now = settings.now()
  return {
    sent_to: challenge.masked,
    format: alphabet === '0123456789' ? { digits: length } : { alphabet, length },
    expires_in: secondsUntil(challenge.expires, now),
    resend_in: secondsUntil(challenge.resendAt, now),
    tag: challenge.tag,
    delivery: challenge.delivery,
  }
}

export function secondsUntil(at: number, now: number): number {
  return Math.max(0, Math.ceil((at - now) / 1000))
}

/** Where a verification leads: to the guarded page, else `home`, else our own verified page. */
export function returnUrl(settings: Settings, { stepUp }: Pick<RequestContext, 'stepUp'>): string {
  return stepUp.returnTo ?? settings.home ?? settings.path
}

/** Our page for a step-up. */
export function pageUrl(settings: Settings, sealed: string): string {
  return sealed ? `${settings.path}?for=${sealed}` : settings.path
}
