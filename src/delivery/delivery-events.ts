import { eventContext } from '../challenge/event-context.js'
import type { PreparedMail } from './prepare-mail.js'
import type { DeliveryUpdate } from './queue/queued-mail.js'
import { type Failure, localFailure } from './smtp/classify.js'
import { type Advice, CANCELLED_ADVICE, FAILURE_POLICY } from './smtp/failure-policy.js'
import type { OtpEvents } from '../events.js'

/** Publishes how an attempt at a mail ended, or that there was none. */
export function publishDeliveryEvent(
  events: OtpEvents,
  { mailRequest, mailId, composed }: PreparedMail,
  { result, attempt, durationMs, retryInMs }: DeliveryUpdate,
): void {
  const { identity, stepUp, challenge } = mailRequest
  const isComposed = composed?.outcome === 'composed'
  const fields = {
    ...eventContext(identity, stepUp, challenge),
    mail: mailId,
    view: isComposed ? composed.view : mailRequest.type,
    locale: mailRequest.type === 'code' ? mailRequest.challenge.locale : mailRequest.locale,
    attempt,
    ms: Math.round(durationMs),
    messageId: isComposed ? composed.messageId : '',
  }
  if (result.outcome === 'accepted') {
    events.publish({ type: 'sent', ...fields, outcome: 'accepted' })
    return
  }
  const isCancelled = result.outcome === 'cancelled'
  const failure = isCancelled ? localFailure('aborted', result.reason) : result
  const { severity, advice } = isCancelled ? CANCELLED_ADVICE : adviceFor(failure, retryInMs !== null)
  const { failureClass, reason, text } = failure
  events.publish({
    type: 'undelivered',
    ...fields,
    outcome: retryInMs === null ? result.outcome : 'deferred',
    failureClass,
    reason,
    text,
    severity,
    advice,
    retryIn: retryInMs === null ? null : Math.ceil(retryInMs / 1000),
  })
}

function adviceFor({ failureClass, advice }: Failure, willRetry: boolean): Advice {
  const policy = FAILURE_POLICY[failureClass]
  const general = willRetry ? policy : (policy.whenGivenUp ?? policy)
  return advice === undefined ? general : { ...general, advice }
}
