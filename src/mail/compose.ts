import { randomUUID } from 'node:crypto'
import { deriveChallengeCode } from '../challenge/challenge.js'
import { codeDeliveryDeadline, codeLastAttemptAt } from '../delivery/queue/retry-schedule.js'
import { type Failure, localFailure } from '../delivery/smtp/classify.js'
import { OtpError, wrapError } from '../errors.js'
import { alertMail } from './alert-mail.js'
import { codeMail } from './code-mail.js'
import type { AlertMailRequest, CodeMailRequest, MailRequest } from './mail-request.js'
import type { ComposedMessage } from './message.js'
import type { Services } from '../services.js'

/** An alert is worth sending for an hour: it says when it happened. */
const ALERT_LIFETIME_MS = 3_600_000

/** Until when the mail is of use, in milliseconds. */
export function deliveryDeadline(mailRequest: MailRequest): number {
  return mailRequest.type === 'code'
    ? codeDeliveryDeadline(mailRequest.challenge.expires)
    : mailRequest.at + ALERT_LIFETIME_MS
}

/** When the last try may begin, of a mail that is posted `now`. An alert may also wait for a server that is away. */
export function lastAttemptAt(mailRequest: MailRequest, now: number): number {
  return mailRequest.type === 'code'
    ? codeLastAttemptAt(now, mailRequest.challenge.expires)
    : deliveryDeadline(mailRequest)
}

/** The mail of an errand, or why there is none. */
export interface ComposedMail {
  readonly mailRequest: MailRequest
  readonly id: string
  readonly composed: ComposedMessage | Failure
}

/**
 * Makes the mail; one that cannot be made is one that did not go out, and is told as such. Made anew with the same `id`
 * it is the same mail, down to its Message-ID.
 */
export function composeMail(services: Services, mailRequest: MailRequest, id: string = randomUUID()): ComposedMail {
  try {
    return {
      mailRequest,
      id,
      composed:
        mailRequest.type === 'code'
          ? composeCodeMail(services, mailRequest)
          : composeAlertMail(services, mailRequest, id),
    }
  } catch (error) {
    const failure = wrapError('mail_failed', 'the mail could not be made.', error)
    services.events.publish({ type: 'failed', outcome: failure.code, error: failure })
    return { mailRequest, id, composed: localFailure('content', failure.code) }
  }
}

function composeCodeMail(services: Services, mailRequest: CodeMailRequest): ComposedMessage {
  const { id, kind, tag, locale, expires } = mailRequest.challenge
  const derived = deriveChallengeCode(services.settings, mailRequest.challenge)
  if (!derived) throw new OtpError('mail_failed', 'the secret that made this challenge is no longer in `secret`.')
  const { keys, code } = derived
  return codeMail(services, keys, { ...mailRequest, challengeId: id, kind, code, tag, locale, expires })
}

function composeAlertMail(services: Services, mailRequest: AlertMailRequest, id: string): ComposedMessage {
  return alertMail(services, services.settings.keys.current, { ...mailRequest, id })
}
