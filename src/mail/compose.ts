import { deriveChallengeCode } from '../challenge/challenge.js'
import { displayCode } from '../crypto/code.js'
import { OtpError } from '../errors.js'
import { maskAddress } from '../identity/address.js'
import type { AlertMailRequest, CodeMailRequest, MailRequest } from './mail-request.js'
import {
  boundLine,
  buildMessage,
  CODE_IN_MAIL,
  type CodeInMail,
  type ComposeDeps,
  type ComposedMail,
  type Send,
} from './message.js'
import { type MailContext, mailContextFor } from '../views/context.js'
import { duration, timeOfDay } from '../views/formats.js'
import { purposeText } from '../views/messages.js'

/**
 * Composes a mail. For the same send it has the same Message-ID and Date, whichever process composes it.
 * @throws OtpError `mail_failed` when the code cannot be derived any more, `render_failed`
 */
export function composeMail(deps: ComposeDeps, mailRequest: MailRequest, send: Send): ComposedMail {
  return mailRequest.type === 'code'
    ? composeCodeMail(deps, mailRequest, send)
    : composeAlertMail(deps, mailRequest, send)
}

/** Derives the code again, renders it, and builds the message. */
function composeCodeMail(
  deps: ComposeDeps,
  { identity, stepUp, challenge }: CodeMailRequest,
  send: Send,
): ComposedMail {
  const { settings, views } = deps
  const { kind, tag, locale, expires } = challenge
  const code = deriveChallengeCode(settings, challenge)
  if (code === null) throw new OtpError('mail_failed', 'the secret of this challenge is no longer in `secret`.')
  const lifetime = (expires - settings.now()) / 1000
  const context: MailContext = {
    ...mailContextFor(settings.site, locale, settings.brand),
    purpose: stepUp.purpose,
    purposeText: stepUp.description ?? purposeText(views.messages(locale), stepUp.purpose),
    recipient: { name: '', masked: maskAddress(identity.address.address) },
    code: displayCode(code, kind),
    isLong: kind === 'long',
    codeInSubject: settings.codeInSubject === 'always' || (settings.codeInSubject === 'auto' && identity.user === null),
    expires: {
      minutes: Math.max(1, Math.ceil(lifetime / 60)),
      in: duration(locale, lifetime),
      at: timeOfDay(locale, expires),
      iso: new Date(expires).toISOString(),
    },
    request: { tag, at: timeOfDay(locale, send.at) },
    boundLine: boundLine(settings.site, code),
  }
  const rendered = views.renderMail(stepUp.purpose, context)
  const composed = buildMessage(deps, rendered, { ...send, to: identity.address, code })
  const shown: CodeInMail = { code: context.code, tag }
  return {
    ...composed,
    message: { ...composed.message, [CODE_IN_MAIL]: shown },
    secrets: [...composed.secrets, context.code],
  }
}

/** Warns a user that someone signed in as them typed wrong codes. Contains no code and no link. */
function composeAlertMail(deps: ComposeDeps, mailRequest: AlertMailRequest, { id }: Send): ComposedMail {
  const { settings, views } = deps
  const { identity, locale, at } = mailRequest
  const context = {
    ...mailContextFor(settings.site, locale, settings.brand),
    recipient: { name: '', masked: maskAddress(identity.address.address) },
    request: { tag: '', at: timeOfDay(locale, at) },
  }
  const rendered = views.renderMail('alert', context)
  return buildMessage(deps, rendered, { to: identity.address, id, code: null, at })
}
