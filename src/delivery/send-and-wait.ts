import type { ChallengeDeps } from '../challenge/challenge.js'
import type { OpenChallenge } from '../challenge/records.js'
import type { DeliveryStatusCache } from './delivery-status.js'
import { dispatchMail } from './dispatch.js'
import type { PrepareDeps } from './prepare-mail.js'
import type { DeliveryUpdate } from './queue/queued-mail.js'
import type { Reservation } from './queue/reservation.js'
import { BREAKER_OPEN, type SendQueue } from './queue/send-queue.js'
import { refundSend } from './refund.js'
import type { FailureClass } from '../events.js'
import type { CodeMailRequest } from '../mail/mail-request.js'
import { withTimeout } from '../timeout.js'

export interface SendAndWaitDeps extends PrepareDeps, ChallengeDeps {
  readonly sendQueue: Pick<SendQueue, 'health' | 'cancel' | 'onOutage'>
  readonly deliveryStatus: DeliveryStatusCache
}

/** What the response to a signed-in user says about the mail. */
export interface SendReport {
  readonly status: 'sent' | 'queued' | 'refused' | 'unavailable'
  /** Why it was not sent, or not yet; null if there was no failure. */
  readonly failureClass: FailureClass | null
  /** Seconds until mail is accepted again, if the breaker is open; else 0. */
  readonly retryAfter: number
}

type SentChallengeRequest = CodeMailRequest & { readonly challenge: Pick<OpenChallenge, 'sendId'> }

/** How long a response waits for the result; after that the mail is "on its way". */
const MAX_WAIT_MS = 3_000

/**
 * Mails a signed-in user and waits for the result, 3 seconds at most. A later result goes into the status cache, for the
 * page. A failed mail is refunded, even after the response.
 */
export async function sendAndWait(
  deps: SendAndWaitDeps,
  reservation: Reservation,
  mailRequest: SentChallengeRequest,
): Promise<SendReport> {
  const { sendQueue, deliveryStatus, settings } = deps
  const { challenge } = mailRequest
  const waitsUntil = settings.clock.now() + MAX_WAIT_MS
  let latest: Omit<SendReport, 'retryAfter'> = { status: 'queued', failureClass: null }
  let recorded: Promise<void> = Promise.resolve()
  deliveryStatus.set(challenge, { delivery: 'queued', failureClass: null })

  const decided = new Promise<void>((resolve) => {
    void dispatchMail(deps, reservation, mailRequest, (update) => {
      if (update === null) return resolve()
      latest = reportOf(update)
      recorded = record(deps, mailRequest, update)
      const retriesInTime = update.retryInMs !== null && settings.clock.now() + update.retryInMs < waitsUntil
      if (!retriesInTime || sendQueue.health().breaker === 'open') resolve()
    })
  })
  // The response says that nothing is sent at the moment, so the mail must not be sent later.
  const cancel = (): void => void sendQueue.cancel(challenge.id, BREAKER_OPEN)
  const endListening = sendQueue.onOutage(cancel)
  await withTimeout(settings.clock, MAX_WAIT_MS, decided).catch(() => undefined)
  endListening()
  if (sendQueue.health().breaker === 'open') cancel()
  await recorded
  const { breaker, retryAfter } = sendQueue.health()
  return { ...latest, retryAfter: breaker === 'open' ? retryAfter : 0 }
}

function reportOf({ result, retryInMs }: DeliveryUpdate): Omit<SendReport, 'retryAfter'> {
  if (result.outcome === 'accepted') return { status: 'sent', failureClass: null }
  if (result.outcome === 'cancelled') return { status: 'queued', failureClass: null }
  return { status: retryInMs === null ? result.outcome : 'queued', failureClass: result.failureClass }
}

async function record(
  deps: SendAndWaitDeps,
  mailRequest: SentChallengeRequest,
  { result, retryInMs }: DeliveryUpdate,
): Promise<void> {
  if (result.outcome === 'cancelled') return
  const isSent = result.outcome === 'accepted'
  const delivery = isSent ? 'sent' : retryInMs === null ? 'failed' : 'queued'
  deps.deliveryStatus.set(mailRequest.challenge, { delivery, failureClass: isSent ? null : result.failureClass })
  if (delivery === 'failed') await refundSend(deps, mailRequest)
}
