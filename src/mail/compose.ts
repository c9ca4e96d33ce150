import { wrapError } from '../errors.js'
import { composeAlertMail } from './alert-mail.js'
import { composeCodeMail } from './code-mail.js'
import type { MailRequest } from './mail-request.js'
import type { ComposeDeps, ComposedMail } from './message.js'

/**
 * Composes a mail. The same request and `id` give the same mail again, down to its Message-ID.
 * @throws OtpError `mail_failed` or `render_failed`
 */
export function composeMail(deps: ComposeDeps, mailRequest: MailRequest, id: string): ComposedMail {
  try {
    return mailRequest.type === 'code' ? composeCodeMail(deps, mailRequest) : composeAlertMail(deps, mailRequest, id)
  } catch (error) {
    throw wrapError('mail_failed', 'the mail could not be composed.', error)
  }
}
