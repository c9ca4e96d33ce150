import { randomUUID } from 'node:crypto'
import { publishDeliveryEvent } from './delivery-events.js'
import { sealJob } from './mail-job.js'
import { type PrepareDeps, type PreparedMail, prepareMail } from './prepare-mail.js'
import type { DeliveryUpdate, QueuedMail } from './queue/queued-mail.js'
import type { Reservation } from './queue/reservation.js'
import { attemptWindow } from './queue/retry-schedule.js'
import type { SendQueue } from './queue/send-queue.js'
import { localFailure } from './smtp/classify.js'
import { wrapError } from '../errors.js'
import { callHostFunction } from '../host-callback.js'
import type { CodeMailRequest, MailRequest } from '../mail/mail-request.js'
import { withTimeout } from '../timeout.js'

export interface TypedMailDeps extends PrepareDeps {
  readonly sendQueue: Pick<SendQueue, 'startLater'>
}

/** Called after each send attempt and at the end; with null once the app's own queue has accepted the mail. */
export type OnDeliveryUpdate = (update: DeliveryUpdate | null) => void

/** How long the app's own queue may take to accept a mail. */
const ENQUEUE_TIMEOUT_MS = 5_000

/**
 * Starts the mail to a typed address, or the decoy of one that gets none, at a random moment within two seconds. Both
 * take a place in the queue, a permit of `mail.rate` and a connection for equally long, and nothing else tells them apart.
 */
export function dispatchTypedMail(
  deps: TypedMailDeps,
  reservation: Reservation,
  mailRequest: CodeMailRequest,
  isDeliverable: boolean,
): void {
  const dispatch = isDeliverable ? dispatchMail : dispatchDecoy
  deps.sendQueue.startLater(mailRequest.challenge.id, () => dispatch(deps, reservation, mailRequest))
}

/** Queues a mail in its reserved place, where it is composed. Never throws: failures go to `onUpdate`. */
export async function dispatchMail(
  deps: PrepareDeps,
  reservation: Reservation,
  mailRequest: MailRequest,
  onUpdate?: OnDeliveryUpdate,
): Promise<void> {
  if (deps.mailSettings.deliver) return enqueueExternally(deps, reservation, mailRequest, onUpdate)
  reservation.enqueue(queuedMail(deps, mailRequest, onUpdate))
}

/** Queues a mail that is composed, and never sent. Never throws. */
function dispatchDecoy(deps: PrepareDeps, reservation: Reservation, mailRequest: CodeMailRequest): void {
  if (deps.mailSettings.deliver) {
    reservation.release()
    return discardJob(deps, mailRequest)
  }
  reservation.enqueue({ ...queuedMail(deps, mailRequest), isDecoy: true, onUpdate: () => undefined })
}

function queuedMail(deps: PrepareDeps, mailRequest: MailRequest, onUpdate?: OnDeliveryUpdate): QueuedMail {
  const { now, clock } = deps.settings
  const { address } = mailRequest.identity.address
  const send = { id: randomUUID(), at: now() }
  let mail: PreparedMail = { mailRequest, mailId: send.id, composed: null }
  const { firstAttemptUntil, retryUntil } = attemptWindow(mailRequest, now())
  const toClock = (time: number): number => clock.now() + time - now()
  return {
    address,
    async compose() {
      const prepared = (mail = await prepareMail(deps, mailRequest, send))
      return prepared.composed.outcome === 'composed' ? { ...prepared.composed, address } : prepared.composed
    },
    challengeId: mailRequest.challenge?.id ?? null,
    firstAttemptUntil: toClock(firstAttemptUntil),
    retryUntil: toClock(retryUntil),
    onUpdate(update) {
      publishDeliveryEvent(deps.events, mail, update)
      onUpdate?.(update)
    },
  }
}

/** Seals a job and drops it: the app's own queue gets nothing for an address that is not mailed. */
function discardJob(deps: PrepareDeps, mailRequest: CodeMailRequest): void {
  try {
    sealJob(deps, mailRequest, randomUUID())
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
