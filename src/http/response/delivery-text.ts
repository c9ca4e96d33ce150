import type { FailureClass } from '../../events.js'
import type { RequestContext } from '../request/context.js'
import { type ChallengeWithStatus, stateOf, type VerificationState } from './state.js'
import { hasSession } from '../../session/host-session.js'
import { translate } from '../../views/messages.js'

/**
 * What became of the mail. A signed-in user reads the truth, as exactly as there is a text for it. A typed address gets
 * one text in every case: the page would tell who has a mailbox otherwise.
 */
export function deliveryText({ services, identity, locale }: RequestContext, challenge: ChallengeWithStatus): string {
  const { delivery, failureClass, masked } = challenge
  const messages = services.views.messages(locale)
  const exact = failureClass ? [`${delivery}.${failureClass}`, `${delivery}.trouble`] : []
  const keys = [...(identity ? exact : [`${delivery}.typed`]), delivery].map((key) => `code.${key}`)
  return translate(messages, keys.find((key) => key in messages) ?? '', { recipient: masked })
}

/** The text of a mail that failed for just this reason, null standing for none that is known; else null. */
export function failureText(ctx: RequestContext, failureClass: FailureClass | null): string | null {
  if (!hasSession(ctx.req)) return null
  const { challenge } = stateOf(ctx)
  if (challenge?.delivery !== 'failed' || challenge.failureClass !== failureClass) return null
  return deliveryText(ctx, challenge)
}

/** Says on the page that offers to send again that the mail of a code that still works did not go out. */
export function lostMailText(ctx: RequestContext, { step, challenge }: VerificationState): string {
  const isUndelivered =
    challenge?.delivery === 'failed' && step === 'send' && challenge.expires > ctx.services.settings.now()
  return isUndelivered ? deliveryText(ctx, challenge) : ''
}
