import { deriveChallengeCode } from '../challenge/challenge.js'
import { OtpError } from '../errors.js'
import { alertMail } from './alert-mail.js'
import { codeMail, type ComposeDeps } from './code-mail.js'
import type { MailRequest } from './mail-request.js'
import type { ComposedMessage } from './message.js'

/**
 * Composes the mail of a request. With the same `mailId` it is the same mail, down to its Message-ID.
 * @throws OtpError when a template fails, or the secret that made the challenge is gone
 */
export function composeMail(deps: ComposeDeps, mailRequest: MailRequest, mailId: string): ComposedMessage {
  if (mailRequest.type === 'alert') return alertMail(deps, deps.settings.keys.current, { ...mailRequest, id: mailId })
  const { id, kind, tag, locale, expires } = mailRequest.challenge
  const derived = deriveChallengeCode(deps.settings, mailRequest.challenge)
  if (!derived) throw new OtpError('mail_failed', 'the secret that made this challenge is no longer in `secret`.')
  const { keys, code } = derived
  return codeMail(deps, keys, { ...mailRequest, challengeId: id, kind, code, tag, locale, expires })
}
