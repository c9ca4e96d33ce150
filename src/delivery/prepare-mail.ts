import { type Failure, localFailure } from './smtp/classify.js'
import { type OtpError, wrapError } from '../errors.js'
import type { OtpEvents } from '../events.js'
import { composeMail } from '../mail/compose.js'
import type { MailRequest } from '../mail/mail-request.js'
import type { ComposeDeps, ComposedMail, Send } from '../mail/message.js'

export interface PrepareDeps extends ComposeDeps {
  readonly events: OtpEvents
}

/** A mail request with its composed mail, or with the failure; null before it is composed. */
export interface PreparedMail {
  readonly mailRequest: MailRequest
  /** Id of the mail in events, the same for all its send attempts. */
  readonly mailId: string
  readonly composed: ComposedMail | Failure | null
}

/** Composes the mail of a send. If that fails, the mail counts as undelivered. Never rejects. */
export async function prepareMail(
  deps: PrepareDeps,
  mailRequest: MailRequest,
  send: Send,
): Promise<PreparedMail & { readonly composed: ComposedMail | Failure }> {
  const mailId = send.id
  const publishFailure = (error: OtpError): void => {
    deps.events.publish({ type: 'failed', outcome: error.code, error })
  }
  try {
    return { mailRequest, mailId, composed: await composeMail(deps, mailRequest, send, publishFailure) }
  } catch (error) {
    const failure = wrapError('mail_failed', 'the mail could not be composed.', error)
    publishFailure(failure)
    return { mailRequest, mailId, composed: localFailure('content', failure.code) }
  }
}
