import { setTimeout as sleep } from 'node:timers/promises'
import { dispatchMail } from './dispatch.js'
import type { News } from './queue/queued-mail.js'
import type { Place } from './queue/slots.js'
import { refundSend } from './refund.js'
import { localFailure } from './smtp/classify.js'
import type { CodeMailRequest } from '../mail/mail-request.js'
import type { Services } from '../services.js'

/** What a known user is told about the mail. */
export type SendStatus = 'sent' | 'queued' | 'refused' | 'unavailable'

/** How long a known user waits for the truth about the mail, before "on its way" is the truth. */
const MAX_WAIT_MS = 3_000

/**
 * Mails a known user, and waits for the mail server as long as a person would. What comes later is remembered for the
 * page. A mail that failed gives its send back, also when that is known only after the answer.
 */
export async function sendAndWait(
  services: Services,
  place: Place,
  mailRequest: CodeMailRequest,
): Promise<{ status: SendStatus; failureClass: null; retryAfter: number }> {
  const { sendQueue, settings } = services
  const patience = new AbortController()
  const timedOut = sleep(MAX_WAIT_MS, undefined, { signal: patience.signal }).catch(() => undefined)
  const deadline = performance.now() + MAX_WAIT_MS
  let told: SendStatus = 'queued'
  let decide: () => void = () => undefined
  const decided = new Promise<void>((resolve) => (decide = resolve))
  let recorded: Promise<void> = Promise.resolve()

  services.deliveryStatus.set(mailRequest.challenge, { delivery: 'queued', failureClass: null })
  dispatchMail(services, place, mailRequest, (news) => {
    if (news === null) return decide()
    recorded = recordStatus(services, mailRequest, news)
    told = toSendStatus(news)
    const retriesBeforeTimeout = news.again !== null && news.again - settings.now() < deadline - performance.now()
    if (!retriesBeforeTimeout) decide()
  })
  await Promise.race([decided, timedOut])
  patience.abort()
  // Nothing goes out for a while: then that is the truth, and the mail does not go out behind the person's back.
  if (sendQueue.health().breaker === 'open')
    sendQueue.cancel(mailRequest.challenge.id, localFailure('connect', 'breaker open'))
  await recorded
  return { status: told, failureClass: null, retryAfter: sendQueue.health().retryAfter }
}

function toSendStatus({ delivery, again }: News): SendStatus {
  if (delivery.outcome === 'accepted') return 'sent'
  return again !== null || delivery.outcome === 'cancelled' ? 'queued' : delivery.outcome
}

async function recordStatus(
  services: Services,
  mailRequest: CodeMailRequest,
  { delivery, again }: News,
): Promise<void> {
  const { challenge } = mailRequest
  if (delivery.outcome === 'cancelled') return
  if (delivery.outcome === 'accepted') {
    services.deliveryStatus.set(challenge, { delivery: 'sent', failureClass: null })
    return
  }
  // A mail that a newer one displaced has not failed at anything that could be told.
  const why = delivery.reason === 'replaced' ? null : delivery.failureClass
  services.deliveryStatus.set(challenge, { delivery: again === null ? 'failed' : 'queued', failureClass: why })
  if (again === null) await refundSend(services, mailRequest)
}
