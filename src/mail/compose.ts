import { deriveChallengeCode } from '../challenge/challenge.js'
import type { MailContext, MailRecipient } from '../config/mail.js'
import { displayCode } from '../crypto/code.js'
import { OtpError } from '../errors.js'
import { maskAddress } from '../identity/address.js'
import type { Identity } from '../identity/user.js'
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
import { recipientName } from './recipient-name.js'
import { type OnRenderFailure, type PlainMailContext, renderMail } from './render-mail.js'
import { isLongCode, mailContextFor } from '../views/context.js'
import { duration, timeOfDay } from '../views/formats.js'
import { purposeText } from '../views/messages.js'

/**
 * Composes a mail. For the same send it has the same Message-ID and Date, whichever process composes it.
 * @param onFailure called with each failure of the host's functions and templates, after which there is a mail all the same
 * @throws OtpError `mail_failed` when the code cannot be derived any more, `invalid_view`
 */
export function composeMail(
  deps: ComposeDeps,
  mailRequest: MailRequest,
  send: Send,
  onFailure: OnRenderFailure,
): Promise<ComposedMail> {
  return mailRequest.type === 'code'
    ? composeCodeMail(deps, mailRequest, send, onFailure)
    : composeAlertMail(deps, mailRequest, send, onFailure)
}

/** Derives the code again, renders it, and builds the message. */
async function composeCodeMail(
  deps: ComposeDeps,
  { identity, stepUp, challenge }: CodeMailRequest,
  send: Send,
  onFailure: OnRenderFailure,
): Promise<ComposedMail> {
  const { settings, views } = deps
  const { kind, tag, locale, expires } = challenge
  const code = deriveChallengeCode(settings, challenge)
  if (code === null) throw new OtpError('mail_failed', 'the secret of this challenge is no longer in `secret`.')
  const lifetime = (expires - settings.now()) / 1000
  const context: PlainMailContext = {
    ...mailContextFor(settings.site, locale, settings.brand),
    purpose: stepUp.purpose,
    purposeText: stepUp.description ?? purposeText(views.messages(locale), stepUp.purpose),
    recipient: recipientOf(identity),
    code: displayCode(code, kind),
    isLong: isLongCode(displayCode(code, kind)),
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
  const recipient = mailRecipient('code', identity, stepUp.purpose, locale)
  const rendered = await renderMail(deps, recipient, context, onFailure)
  const composed = buildMessage(deps, rendered, { ...send, to: identity.address, code })
  const shown: CodeInMail = { code: context.code, tag }
  return {
    ...composed,
    message: { ...composed.message, [CODE_IN_MAIL]: shown },
    secrets: [...composed.secrets, context.code],
  }
}

/** Warns a user that someone signed in as them typed wrong codes. Contains no code and no link. */
async function composeAlertMail(
  deps: ComposeDeps,
  { identity, stepUp, locale, at }: AlertMailRequest,
  { id }: Send,
  onFailure: OnRenderFailure,
): Promise<ComposedMail> {
  const { site, brand } = deps.settings
  const context: PlainMailContext = {
    ...mailContextFor(site, locale, brand),
    mail: 'alert',
    recipient: recipientOf(identity),
    request: { tag: '', at: timeOfDay(locale, at) },
  }
  const recipient = mailRecipient('alert', identity, stepUp.purpose, locale)
  const rendered = await renderMail(deps, recipient, context, onFailure)
  return buildMessage(deps, rendered, { to: identity.address, id, code: null, at })
}

function recipientOf({ address, user }: Identity): MailContext['recipient'] {
  return { name: recipientName(user?.name), masked: maskAddress(address.address) }
}

function mailRecipient(
  mail: MailRecipient['mail'],
  { address, user }: Identity,
  purpose: string,
  locale: string,
): MailRecipient {
  return Object.freeze({ mail, purpose, locale, email: address.address, user })
}
