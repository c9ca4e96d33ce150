import { type Failure, localFailure } from './smtp/classify.js'
import { wrapError } from '../errors.js'
import type { OtpEvents } from '../events.js'
import { composeMail } from '../mail/compose.js'
import type { MailRequest } from '../mail/mail-request.js'
import type { ComposeDeps, ComposedMail } from '../mail/message.js'

/** A mail request with its mail, or with the reason why it could not be composed. */
export interface ComposeResult {
  readonly mailRequest: MailRequest
  readonly id: string
  readonly composed: ComposedMail | Failure
}

/** A mail that cannot be composed is a failed delivery like any other. */
export function composeOrFail(
  deps: ComposeDeps & { readonly events: OtpEvents },
  mailRequest: MailRequest,
  id: string,
): ComposeResult {
  try {
    return { mailRequest, id, composed: composeMail(deps, mailRequest, id) }
  } catch (error) {
    const failure = wrapError('mail_failed', 'the mail could not be composed.', error)
    deps.events.publish({ type: 'failed', outcome: failure.code, error: failure })
    return { mailRequest, id, composed: localFailure('content', failure.code) }
  }
}
