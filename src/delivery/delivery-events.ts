import { eventContext } from '../challenge/event-context.js'
import type { ComposeResult } from './compose-or-fail.js'
import type { News } from './queue/queued-mail.js'
import { type Failure, localFailure } from './smtp/classify.js'
import { ADVICE } from './smtp/failure-policy.js'
import type { OtpEvent } from '../events.js'
import type { Services } from '../services.js'

type Undelivered = Extract<OtpEvent, { type: 'undelivered' }>

/** Tells the events what became of a try, or of a mail that was not tried. */
export function publishDeliveryEvent(
  services: Services,
  { mailRequest, id, composed }: ComposeResult,
  { delivery, attempt, ms, again: retryAt }: News,
): void {
  const { identity, stepUp, challenge } = mailRequest
  const isMade = 'message' in composed
  const fields = {
    ...eventContext(identity, stepUp, challenge),
    mail: id,
    view: isMade ? composed.view : mailRequest.type,
    locale: mailRequest.type === 'code' ? mailRequest.challenge.locale : mailRequest.locale,
    attempt,
    ms: Math.round(ms),
    messageId: isMade ? composed.messageId : '',
  }
  if (delivery.outcome === 'accepted') {
    services.events.publish({ type: 'sent', ...fields, outcome: 'accepted' })
    return
  }
  const failure = delivery.outcome === 'cancelled' ? localFailure('aborted', delivery.reason) : delivery
  const { failureClass, reason, text } = failure
  const event: Undelivered = {
    type: 'undelivered',
    ...fields,
    outcome: retryAt === null ? delivery.outcome : 'deferred',
    failureClass,
    reason,
    text,
    ...severityAndAdvice(failure, retryAt !== null),
    retryIn: retryAt === null ? null : Math.max(0, Math.ceil((retryAt - services.settings.now()) / 1000)),
  }
  services.events.publish(event)
}

function severityAndAdvice(
  { failureClass, reason }: Failure,
  willRetry: boolean,
): Pick<Undelivered, 'severity' | 'advice'> {
  if (failureClass === 'aborted' && (reason === 'used' || reason === 'replaced')) {
    return {
      severity: 'info',
      advice: 'Nobody waits for it any more, or a newer one took its place. Nothing to do here.',
    }
  }
  if (willRetry || (failureClass !== 'greylist' && failureClass !== 'transient')) return ADVICE[failureClass]
  return { severity: 'warning', advice: 'The server put it off for as long as the code was of use.' }
}
