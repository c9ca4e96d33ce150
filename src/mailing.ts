import { about, type Issued, storeKey } from './challenge.js'
import { otpError } from './errors.js'
import { codeMessage } from './mail/code-mail.js'
import type { Delivery } from './mail/failure.js'
import type { Parts } from './parts.js'
import type { Person } from './person.js'
import type { OpenChallenge } from './session-records.js'
import type { StepUp } from './step-up.js'

/** Failed mails at once that cost a user nothing: enough to sit out a bad hour. */
const REFUNDS = 20

/** Mails an issued code and says how it ended. Never rejects: a mail that cannot be made is one that did not go out. */
export async function mailCode(
  parts: Parts,
  person: Person,
  stepUp: StepUp,
  issued: Issued,
): Promise<Delivery['outcome']> {
  const subject = about(person, stepUp, issued.challenge)
  const delivery = await make(parts, person, stepUp, issued, (message) =>
    parts.mailer.deliver(message, person.address.address),
  )
  if (delivery.outcome === 'accepted') parts.events.publish({ type: 'sent', ...subject, outcome: 'accepted' })
  else parts.events.publish({ type: 'undelivered', ...subject, ...delivery })
  return delivery.outcome
}

/** Makes the mail and throws it away: the work that the next request could measure is done for every typed address. */
export async function mailNobody(parts: Parts, person: Person, stepUp: StepUp, issued: Issued): Promise<void> {
  await make(parts, person, stepUp, issued, (message) => parts.mailer.discard(message))
}

async function make(
  parts: Parts,
  person: Person,
  stepUp: StepUp,
  { challenge, code }: Issued,
  handOver: (message: Record<string, unknown>) => Promise<Delivery>,
): Promise<Delivery> {
  const { id, kind, tag, locale, expires } = challenge
  const facts = { person, stepUp, challenge: id, kind, code, tag, locale, expires }
  try {
    return await handOver(codeMessage(parts, parts.settings.keys.current, facts))
  } catch (error) {
    const failure = otpError('mail_failed', 'the mail could not be made.', error)
    parts.events.publish({ type: 'failed', outcome: failure.code, error: failure })
    return { outcome: 'unavailable', class: 'content', reason: failure.code }
  }
}

/**
 * A mail failed, so its send costs nothing: neither the daily one nor the pause until the next. Itself limited: else a
 * mailbox that refuses everything would be a way to open challenges without end.
 */
export async function giveSendBack({ settings, store }: Parts, person: Person, { id }: OpenChallenge): Promise<void> {
  const user = storeKey(settings.keys.current, person.holder)
  const { sendsPerUser, resend } = settings.limits
  const refunds = { user, bucket: 'refunds', capacity: REFUNDS, refill: sendsPerUser.refill }
  const isEarned = await store.spend(refunds)
  if (isEarned.outcome === 'throttled') return
  await Promise.all([
    store.spend({ user, bucket: 'sends', permits: -1, ...sendsPerUser }),
    store.spend({ user, bucket: `resend:${id}`, permits: -1, ...resend }),
  ])
}
