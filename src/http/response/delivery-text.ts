import type { FailureClass } from '../../events.js'
import type { RequestContext } from '../request/context.js'
import { type ChallengeWithStatus, stateOf, type VerificationState } from './state.js'
import { hasSession } from '../../session/host-session.js'
import { translate } from '../../views/messages.js'

/**
 * The text about the delivery status. A signed-in user gets the most specific text. A typed address always gets the same
 * one: otherwise the page would reveal who has a mailbox.
 */
export function deliveryText({ services, identity, locale }: RequestContext, challenge: ChallengeWithStatus): string {
  const { delivery, failureClass, masked } = challenge
  const messages = services.views.messages(locale)
  const exact = failureClass ? [`${delivery}.${failureClass}`, `${delivery}.trouble`] : []
  const keys = [...(identity ? exact : [`${delivery}.typed`]), delivery].map((key) => `code.${key}`)
  return translate(messages, keys.find((key) => key in messages) ?? '', { recipient: masked })
}

/** The delivery text, if the mail failed with this class (null: for no known reason); else null. */
export function failureText(ctx: RequestContext, failureClass: FailureClass | null): string | null {
  if (!hasSession(ctx.req)) return null
  const { challenge } = stateOf(ctx)
  if (challenge?.delivery !== 'failed' || challenge.failureClass !== failureClass) return null
  return deliveryText(ctx, challenge)
}

/** On the page that offers to send again: the text about a failed mail whose code still works; else empty. */
export function lostMailText(ctx: RequestContext, { step, challenge }: VerificationState): string {
  const isUndelivered =
    challenge?.delivery === 'failed' && step === 'send' && challenge.expires > ctx.services.settings.now()
  return isUndelivered ? deliveryText(ctx, challenge) : ''
}
