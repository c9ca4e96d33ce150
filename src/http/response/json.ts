import { DIGITS, formatOf } from '../../crypto/code.js'
import type { RequestContext } from '../request/context.js'
import { type ChallengeWithStatus, secondsUntil, stateOf } from './state.js'
import { returnUrl } from './urls.js'

/** The state as JSON clients get it. */
export function stateJson(ctx: RequestContext): Record<string, unknown> {
  const { step: state, challenge } = stateOf(ctx)
  const { purpose } = ctx.stepUp
  if (state === 'code' && challenge) return { state, purpose, ...challengeJson(ctx, challenge) }
  if (state === 'verified') return { state, ...verifiedJson(ctx) }
  return { state, purpose, ...(challenge?.delivery === 'failed' && { delivery: 'failed' }) }
}

/** The members that describe an open challenge, the same in every response. */
export function challengeJson({ services }: RequestContext, challenge: ChallengeWithStatus): Record<string, unknown> {
  const { settings } = services
  const { alphabet, length } = formatOf(challenge, settings.code)
  const now = settings.now()
  return {
    sent_to: challenge.masked,
    format: alphabet === DIGITS ? { digits: length } : { alphabet, length },
    expires_in: secondsUntil(challenge.expires, now),
    resend_in: secondsUntil(challenge.resendAt, now),
    tag: challenge.tag,
    delivery: challenge.delivery,
  }
}

export function verifiedJson({ services, stepUp }: RequestContext): Record<string, unknown> {
  return { verified: true, purpose: stepUp.purpose, return_to: returnUrl(services.settings, stepUp) }
}
