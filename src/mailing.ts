import { about, type Issued, storeKey } from './challenge.js'
import { otpError } from './errors.js'
import { codeMessage } from './mail/code-mail.js'
import type { Delivery } from './mail/failure.js'
import type { Parts } from './parts.js'
import type { Person } from './person.js'
import type { OpenChallenge } from './session-records.js'
import type { StepUp } from './step-up.js'

/** Mails an issued code and says how it ended. Never rejects: a mail that cannot be made is one that did not go out. */
export async function mailCode(
  parts: Parts,
  person: Person,
  stepUp: StepUp,
  { challenge, code }: Issued,
): Promise<Delivery['outcome']> {
  const subject = about(person, stepUp, challenge)
  const delivery = await deliver().catch((error: unknown): Delivery => {
    const failure = otpError('mail_failed', 'the mail could not be made.', error)
    parts.events.publish({ type: 'failed', outcome: failure.code, error: failure })
    return { outcome: 'unavailable', reason: failure.code }
  })
  if (delivery.outcome === 'accepted') parts.events.publish({ type: 'sent', ...subject, outcome: 'accepted' })
  else parts.events.publish({ type: 'undelivered', ...subject, ...delivery })
  return delivery.outcome

  async function deliver(): Promise<Delivery> {
    const { id, kind, tag, locale, expires } = challenge
    const facts = { person, stepUp, challenge: id, kind, code, tag, locale, expires }
    const message = codeMessage(parts, parts.settings.keys.current, facts)
    return parts.mailer.deliver(message, person.address.address)
  }
}

/** A mail failed, so its send costs nothing: neither the daily one nor the pause until the next. */
export async function giveSendBack({ settings, store }: Parts, person: Person, { id }: OpenChallenge): Promise<void> {
  const user = storeKey(settings.keys.current, person.holder)
  await Promise.all([
    store.spend({ user, bucket: 'sends', permits: -1, ...settings.limits.sendsPerUser }),
    store.spend({ user, bucket: `resend:${id}`, permits: -1, ...settings.limits.resend }),
  ])
}
