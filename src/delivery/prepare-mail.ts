import { randomUUID } from 'node:crypto'
import { type Failure, localFailure } from './smtp/classify.js'
import { wrapError } from '../errors.js'
import type { OtpEvents } from '../events.js'
import { composeMail } from '../mail/compose.js'
import type { MailRequest } from '../mail/mail-request.js'
import type { ComposeDeps, ComposedMail, Send } from '../mail/message.js'

export interface PrepareDeps extends ComposeDeps {
  readonly events: OtpEvents
}

/** A mail request with its composed mail, or with the failure. */
export interface PreparedMail {
  readonly mailRequest: MailRequest
  /** Id of the mail in events, the same for all its send attempts. */
  readonly mailId: string
  readonly composed: ComposedMail | Failure
}

/** Composes the mail, by default of a send that begins now. If that fails, the mail counts as undelivered. */
export function prepareMail(
  deps: PrepareDeps,
  mailRequest: MailRequest,
  send: Send = { id: randomUUID(), at: deps.settings.now() },
): PreparedMail {
  const mailId = send.id
  try {
    return { mailRequest, mailId, composed: composeMail(deps, mailRequest, send) }
  } catch (error) {
    const failure = wrapError('mail_failed', 'the mail could not be composed.', error)
    deps.events.publish({ type: 'failed', outcome: failure.code, error: failure })
    return { mailRequest, mailId, composed: localFailure('content', failure.code) }
  }
}
