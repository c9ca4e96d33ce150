import { composeAlertMail } from './alert-mail.js'
import { composeCodeMail } from './code-mail.js'
import type { MailRequest } from './mail-request.js'
import type { ComposeDeps, ComposedMail } from './message.js'

/**
 * Composes a mail. The same request and `id` give the same mail again, down to its Message-ID.
 * @throws OtpError `mail_failed` when the code cannot be derived any more, `render_failed`
 */
export function composeMail(deps: ComposeDeps, mailRequest: MailRequest, id: string): ComposedMail {
  return mailRequest.type === 'code' ? composeCodeMail(deps, mailRequest) : composeAlertMail(deps, mailRequest, id)
}
