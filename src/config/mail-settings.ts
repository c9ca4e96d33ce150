import { createTransport } from 'nodemailer'
import addressparser from 'nodemailer/lib/addressparser'
import type { MailTransporter, OtpOptions } from './options.js'
import { DEFAULT_CONNECTIONS, optionsFromUrl, withSafeDefaults } from './smtp-options.js'
import { type Address, parseAddress } from '../identity/address.js'
import { OptionChecker, optionNames } from '../validate.js'
import { warnOnce } from '../warn.js'

const check = new OptionChecker('emailOtp')

const OPTION_NAMES = optionNames<OtpOptions['mail']>({
  ...{ transport: true, from: true, replyTo: true, headers: true, allowInsecureSmtp: true, rate: true, deliver: true },
  ...{ locals: true, render: true },
})

/** The mail part of the settings. */
export interface MailSettings {
  readonly transporter: MailTransporter
  /** Closes our pool. Does nothing to a transporter of the host's. */
  readonly close: () => void
  readonly from: { readonly name: string; readonly address: string }
  readonly replyTo: string | null
  readonly headers: Readonly<Record<string, string>>
  /** Maximum of mails sent at once, one per connection. */
  readonly connections: number
  /** Mails a second, or null. */
  readonly rate: number | null
  readonly deliver: NonNullable<OtpOptions['mail']['deliver']> | null
  readonly locals: NonNullable<OtpOptions['mail']['locals']> | null
  readonly render: NonNullable<OtpOptions['mail']['render']> | null
}

// Headers that the mail sets itself. With `to` or `cc`, a code would go to a second recipient.
const RESERVED_HEADERS =
  /^(to|cc|bcc|from|sender|reply-to|subject|date|message-id|references|mime-version|content-.*|otp-token)$/i

/** @throws OtpError `invalid_option` */
export function resolveMailSettings(options: OtpOptions['mail']): MailSettings {
  check.rejectUnknownKeys('mail', options, OPTION_NAMES)
  const { transport, replyTo, headers = {}, allowInsecureSmtp = false, rate } = options
  checkHeaders(headers)
  const isInsecure = check.oneOf('mail.allowInsecureSmtp', allowInsecureSmtp, [true, false])
  const resolved = resolveTransport(transport, isInsecure)
  return {
    ...resolved,
    from: parseMailbox('mail.from', options.from),
    replyTo: replyTo === undefined ? null : parseMailbox('mail.replyTo', replyTo).address,
    headers: { ...headers },
    connections: connectionLimit(resolved.transporter),
    rate: rate === undefined ? null : check.positive('mail.rate', rate, 1_000),
    deliver: check.optionalFunction('mail.deliver', options.deliver, null),
    locals: check.optionalFunction('mail.locals', options.locals, null),
    render: check.optionalFunction('mail.render', options.render, null),
  }
}

function checkHeaders(headers: unknown): void {
  if (typeof headers !== 'object' || headers === null || Array.isArray(headers)) {
    throw check.invalid('mail.headers', headers, 'Give an object of header names and texts.')
  }
  for (const [name, value] of Object.entries(headers)) {
    if (!/^[A-Za-z0-9-]+$/.test(name))
      throw check.invalid('mail.headers', name, 'Header names are letters, digits and dashes.')
    if (RESERVED_HEADERS.test(name))
      throw check.invalid('mail.headers', name, 'Leave it out: the mail has one of its own.')
    check.singleLine(`mail.headers.${name}`, value)
  }
}

function resolveTransport(
  transport: OtpOptions['mail']['transport'],
  isInsecure: boolean,
): Pick<MailSettings, 'transporter' | 'close'> {
  if (isTransporter(transport)) {
    if (isInsecure) {
      const hint = 'Leave it out: it is for transports that are made here, and yours is used as it is.'
      throw check.invalid('mail.allowInsecureSmtp', true, hint)
    }
    return { transporter: transport, close: () => undefined }
  }
  if (isInsecure && (transport as { requireTLS?: unknown } | null)?.requireTLS === true) {
    throw check.invalid('mail.allowInsecureSmtp', true, 'It contradicts `requireTLS: true`: leave one of the two out.')
  }
  const options = typeof transport === 'string' ? optionsFromUrl(transport) : withSafeDefaults(transport)
  if (isInsecure && options.requireTLS) warnAboutPlaintext(options.host)
  const pool = createTransport({ ...options, requireTLS: options.requireTLS && !isInsecure })
  return { transporter: pool, close: () => pool.close({ force: true }) }
}

function warnAboutPlaintext(host = 'the mail server'): void {
  const warning = `mail.allowInsecureSmtp is set: codes and login are sent to ${host} in clear text unless it offers STARTTLS.`
  warnOnce('OTP_INSECURE_SMTP', warning)
}

function isTransporter(transport: unknown): transport is MailTransporter {
  return typeof (transport as Partial<MailTransporter> | null)?.sendMail === 'function'
}

function parseMailbox(option: string, value: unknown): { name: string; address: string } {
  const found = addressparser(check.singleLine(option, value), { flatten: true })
  const address: Address | null = found.length === 1 ? parseAddress(found[0]?.address ?? '') : null
  if (address) return { name: found[0]?.name ?? '', address: address.address }
  throw check.invalid(option, value, 'Give one address, such as Acme <no-reply@acme.example>.')
}

/** The number of connections of the transporter, if it tells. */
function connectionLimit(transporter: MailTransporter): number {
  const { options } = transporter as { options?: { maxConnections?: unknown } }
  return Math.max(1, Math.floor(Number(options?.maxConnections ?? DEFAULT_CONNECTIONS)) || DEFAULT_CONNECTIONS)
}
