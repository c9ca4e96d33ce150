import { randomUUID } from 'node:crypto'
import { publishDeliveryEvent } from './delivery-events.js'
import { sealJob } from './mail-job.js'
import { type PrepareDeps, prepareMail } from './prepare-mail.js'
import type { DeliveryUpdate } from './queue/queued-mail.js'
import type { Reservation } from './queue/reservation.js'
import { attemptWindow } from './queue/retry-schedule.js'
import { localFailure } from './smtp/classify.js'
import { composeOnly } from './smtp/send-once.js'
import { wrapError } from '../errors.js'
import { callHostFunction } from '../host-callback.js'
import type { CodeMailRequest, MailRequest } from '../mail/mail-request.js'
import { withTimeout } from '../timeout.js'

/** Called after each send attempt and at the end; with null once the app's own queue has accepted the mail. */
export type OnDeliveryUpdate = (update: DeliveryUpdate | null) => void

/** How long the app's own queue may take to accept a mail. */
const ENQUEUE_TIMEOUT_MS = 5_000

/** Composes a mail and queues it in its reserved place. Never throws: failures go to `onUpdate`. */
export function dispatchMail(
  deps: PrepareDeps,
  reservation: Reservation,
  mailRequest: MailRequest,
  onUpdate?: OnDeliveryUpdate,
): void {
  if (deps.mailSettings.deliver) {
    void enqueueExternally(deps, reservation, mailRequest, onUpdate)
    return
  }
  const mail = prepareMail(deps, mailRequest)
  const report = (update: DeliveryUpdate): void => {
    publishDeliveryEvent(deps.events, mail, update)
    onUpdate?.(update)
  }
  const { composed } = mail
  if (composed.outcome !== 'composed') {
    reservation.release()
    return report({ result: composed, attempt: 0, durationMs: 0, retryInMs: null })
  }
  const { now, clock } = deps.settings
  const { firstAttemptUntil, retryUntil } = attemptWindow(mailRequest, now())
  const toClock = (time: number): number => clock.now() + time - now()
  reservation.enqueue({
    ...composed,
    address: mailRequest.identity.address.address,
    challengeId: mailRequest.challenge?.id ?? null,
    firstAttemptUntil: toClock(firstAttemptUntil),
    retryUntil: toClock(retryUntil),
    onUpdate: report,
  })
}

/** Composes a mail and discards it, so that response times do not reveal whether an address is mailed. */
export async function composeDecoy(
  deps: PrepareDeps,
  reservation: Reservation,
  mailRequest: CodeMailRequest,
): Promise<void> {
  reservation.release()
  try {
    if (deps.mailSettings.deliver) return void sealJob(deps, mailRequest, randomUUID())
    const { composed } = prepareMail(deps, mailRequest)
    if (composed.outcome === 'composed') await composeOnly(composed.message)
  } catch (error) {
    const failure = wrapError('mail_failed', 'a decoy mail could not be composed.', error)
    deps.events.publish({ type: 'failed', outcome: failure.code, error: failure })
  }
}

/**
 * Enqueues the job in the app's queue. We publish no further events for it. The reservation is held until the queue
 * accepts it (5 s at most), so a hanging queue applies back-pressure.
 */
async function enqueueExternally(
  deps: PrepareDeps,
  reservation: Reservation,
  mailRequest: MailRequest,
  onUpdate?: OnDeliveryUpdate,
): Promise<void> {
  const { mailSettings, settings, events } = deps
  const mailId = randomUUID()
  reservation.keep()
  try {
    const enqueued = callHostFunction('mail.deliver', () => mailSettings.deliver?.(sealJob(deps, mailRequest, mailId)))
    await withTimeout(settings.clock, ENQUEUE_TIMEOUT_MS, enqueued)
    onUpdate?.(null)
  } catch (error) {
    const failure = wrapError('host_callback', '`mail.deliver` timed out.', error)
    events.publish({ type: 'failed', outcome: failure.code, error: failure })
    const composed = localFailure('unknown', 'mail.deliver')
    const update: DeliveryUpdate = { result: composed, attempt: 0, durationMs: 0, retryInMs: null }
    publishDeliveryEvent(events, { mailRequest, mailId, composed }, update)
    onUpdate?.(update)
  } finally {
    reservation.release()
  }
}
