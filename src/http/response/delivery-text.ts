import type { RequestContext } from '../request/context.js'
import { type ChallengeWithStatus, stateOf, type VerificationState } from './state.js'
import type { Services } from '../../services.js'
import { hasSession } from '../../session/host-session.js'
import { type Messages, translate } from '../../views/messages.js'

/**
 * What became of the mail, in words. For a known user the truth, as exact as there is a text for it; for a typed address
 * one text whatever it is: else the page would tell who has a mailbox.
 */
export function deliveryText(
  messages: Messages,
  { identity }: RequestContext,
  { delivery, failureClass, masked }: ChallengeWithStatus,
): string {
  const known = failureClass ? [`${delivery}.${failureClass}`, `${delivery}.trouble`] : []
  const keys = [...(identity ? known : [`${delivery}.typed`]), delivery].map((key) => `code.${key}`)
  return translate(messages, keys.find((key) => key in messages) ?? '', { recipient: masked })
}

/**
 * What to say of a mail that failed for just this reason: a full mailbox, or a newer mail to the same person that took
 * its place (null). Nothing when it was another reason.
 */
export function failureText(
  services: Services,
  ctx: Partial<RequestContext>,
  reason: 'mailbox-full' | null,
): string | null {
  if (!isRequestContext(ctx)) return null
  const { challenge } = stateOf(services, ctx)
  if (challenge?.delivery !== 'failed' || challenge.failureClass !== reason) return null
  return deliveryText(services.views.messages(ctx.locale), ctx, challenge)
}

function isRequestContext(ctx: Partial<RequestContext>): ctx is RequestContext {
  return ctx.req !== undefined && hasSession(ctx.req)
}

/** That the mail of a code that still works did not go out, for the page that offers to send it again; else nothing. */
export function lostMailText(
  { settings, views }: Services,
  ctx: RequestContext,
  state: VerificationState['step'],
  challenge: ChallengeWithStatus | null,
): string {
  const isUndelivered = challenge?.delivery === 'failed' && state === 'send' && challenge.expires > settings.now()
  return isUndelivered ? deliveryText(views.messages(ctx.locale), ctx, challenge) : ''
}
