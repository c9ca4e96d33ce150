import { randomUUID } from 'node:crypto'
import { composeOrFail } from './compose-or-fail.js'
import { publishDeliveryEvent } from './delivery-events.js'
import { sealJob } from './mail-job.js'
import type { News } from './queue/queued-mail.js'
import { lastAttemptAt } from './queue/retry-schedule.js'
import type { Place } from './queue/slots.js'
import { localFailure } from './smtp/classify.js'
import { composeOnly } from './smtp/send-once.js'
import { wrapError } from '../errors.js'
import { callHostFunction } from '../host-callback.js'
import { composeMail } from '../mail/compose.js'
import type { CodeMailRequest, MailRequest } from '../mail/mail-request.js'
import type { Services } from '../services.js'
import { withTimeout } from '../timeout.js'

/** Told of every try at a mail, and of its end; or of null, when the host's queue has it and nothing more is known here. */
export type OnDeliveryUpdate = (news: News | null) => void

/** A queue that has not taken a mail within this is down. */
const ENQUEUE_TIMEOUT_MS = 5_000

/** Makes the mail of an errand and posts it into its place. Never throws: what becomes of it is told to `follow`. */
export function dispatchMail(
  services: Services,
  place: Place,
  mailRequest: MailRequest,
  follow: OnDeliveryUpdate = ignore,
): void {
  if (services.mailSettings.deliver) {
    void enqueueExternally(services, place, mailRequest, follow)
    return
  }
  const mail = composeOrFail(services, mailRequest, randomUUID())
  const onUpdate = (news: News): void => {
    publishDeliveryEvent(services, mail, news)
    follow(news)
  }
  if (!('message' in mail.composed)) {
    place.release()
    onUpdate({ delivery: mail.composed, attempt: 0, ms: 0, again: null })
    return
  }
  const { ref, address } = mailRequest.identity
  const challenge = mailRequest.challenge?.id ?? mail.id
  const isKnown = ref.type === 'user'
  // One for each person, at their address. Whoever types an address may be anybody, and must not displace the mail that
  // its owner waits for; how many there can be is for the bucket of that address to say.
  const dedupeParts = isKnown ? [ref.id, address.key] : [challenge]
  place.post({
    ...mail.composed,
    ...{
      address: address.address,
      key: JSON.stringify([mailRequest.type, ...dedupeParts]),
      challenge,
      isKnown,
      tell: onUpdate,
    },
    until: lastAttemptAt(mailRequest, services.settings.now()),
  })
}

/** Makes the mail and throws it away: the work that the next request could measure is done for every typed address. */
export async function composeDecoy(services: Services, place: Place, mailRequest: CodeMailRequest): Promise<void> {
  place.release()
  try {
    if (services.mailSettings.deliver) return void sealJob(services, mailRequest, randomUUID())
    await composeOnly(composeMail(services, mailRequest, randomUUID()).message)
  } catch (error) {
    const failure = wrapError('mail_failed', 'a mail to nobody could not be made.', error)
    services.events.publish({ type: 'failed', outcome: failure.code, error: failure })
  }
}

/**
 * Hands the mail to the host's own queue. From there on it is the host's: nothing more is told here. Of a typed
 * address it keeps its place until then, so that a queue that hangs fills ours; and none is waited for without end.
 */
async function enqueueExternally(
  services: Services,
  place: Place,
  mailRequest: MailRequest,
  follow: OnDeliveryUpdate,
): Promise<void> {
  const id = randomUUID()
  try {
    const enqueued = callHostFunction('mail.deliver', () =>
      services.mailSettings.deliver?.(sealJob(services, mailRequest, id)),
    )
    await withTimeout(services.settings.clock, ENQUEUE_TIMEOUT_MS, enqueued)
    follow(null)
  } catch (error) {
    const failure = wrapError('host_callback', '`mail.deliver` hung.', error)
    services.events.publish({ type: 'failed', outcome: failure.code, error: failure })
    const composed = localFailure('unknown', 'mail.deliver')
    const news: News = { delivery: composed, attempt: 0, ms: 0, again: null }
    publishDeliveryEvent(services, { mailRequest, id, composed }, news)
    follow(news)
  } finally {
    place.release()
  }
}

function ignore(): void {
  // a typed address gets the same answer whatever becomes of its mail
}
