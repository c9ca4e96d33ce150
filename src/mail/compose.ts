import { composeAlertMail } from './alert-mail.js'
import { composeCodeMail } from './code-mail.js'
import type { MailRequest } from './mail-request.js'
import type { ComposeDeps, ComposedMail } from './message.js'

/**
 * Composes the mail of a request. With the same `mailId` it is the same mail, down to its Message-ID.
 * @throws OtpError when a template fails, or the secret that made the challenge is gone
 */
export function composeMail(deps: ComposeDeps, mailRequest: MailRequest, mailId: string): ComposedMail {
  return mailRequest.type === 'code' ? composeCodeMail(deps, mailRequest) : composeAlertMail(deps, mailRequest, mailId)
}
