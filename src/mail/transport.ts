import { createTransport } from 'nodemailer'
import addressparser from 'nodemailer/lib/addressparser'
import { type Address, parseAddress } from '../address.js'
import { callback, invalidOption, knownKeys, line, oneOf, positive } from '../check.js'
import type { MailTransporter, OtpOptions, SmtpOptions } from '../options.js'
import { parseUrl } from '../same-origin.js'

/** The mail part of the settings. */
export interface MailSettings {
  readonly transporter: MailTransporter
  /** Closes the pool; only of a transporter that was made here, never of the host's own. */
  readonly close: () => void
  readonly from: { readonly name: string; readonly address: string }
  readonly replyTo: string | null
  readonly headers: Readonly<Record<string, string>>
  /** Mails that are handed over at once: one for each connection. */
  readonly lanes: number
  /** Mails a second, or null. */
  readonly rate: number | null
  readonly deliver: NonNullable<OtpOptions['mail']['deliver']> | null
}

type PoolOptions = SmtpOptions & { readonly pool: true; readonly requireTLS: boolean }

const SECOND = 1_000
const CONNECTIONS = 3
const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[?::1\]?)$/i
// A second recipient, or another body, would send the code where nobody proved anything.
const OURS = /^(to|cc|bcc|from|sender|reply-to|subject|date|message-id|references|mime-version|content-.*|otp-token)$/i
const LEAKS = ['debug', 'logger', 'transactionLog'] as const

/** @throws OtpError `invalid_option` */
export function resolveMail(options: OtpOptions['mail']): MailSettings {
  knownKeys('mail', options, ['transport', 'from', 'replyTo', 'headers', 'allowInsecureSmtp', 'rate', 'deliver'])
  const { transport, replyTo, headers = {}, allowInsecureSmtp = false, rate, deliver } = options
  checkHeaders(headers)
  const { transporter, close } = resolveTransport(
    transport,
    oneOf('mail.allowInsecureSmtp', allowInsecureSmtp, [true, false]),
  )
  return {
    transporter,
    close,
    from: mailbox('mail.from', options.from),
    replyTo: replyTo === undefined ? null : mailbox('mail.replyTo', replyTo).address,
    headers: { ...headers },
    lanes: (transporter as { options?: { maxConnections?: number } }).options?.maxConnections ?? CONNECTIONS,
    rate: rate === undefined ? null : positive('mail.rate', rate, 1_000),
    deliver: deliver === undefined ? null : callback('mail.deliver', deliver, deliver),
  }
}

function checkHeaders(headers: unknown): void {
  if (typeof headers !== 'object' || headers === null || Array.isArray(headers)) {
    throw invalidOption('mail.headers', headers, 'Give an object of header names and texts.')
  }
  for (const [name, value] of Object.entries(headers)) {
    if (!/^[A-Za-z0-9-]+$/.test(name))
      throw invalidOption('mail.headers', name, 'Header names are letters, digits and dashes.')
    if (OURS.test(name)) throw invalidOption('mail.headers', name, 'Leave it out: the mail has one of its own.')
    line(`mail.headers.${name}`, value)
  }
}

/** Whether a host name is this machine: what is sent there does not cross a network. */
export function isLoopback(host: string): boolean {
  return LOOPBACK.test(host)
}

function resolveTransport(
  transport: OtpOptions['mail']['transport'],
  isInsecure: boolean,
): Pick<MailSettings, 'transporter' | 'close'> {
  if (isTransporter(transport)) {
    if (isInsecure) {
      const cure = 'Leave it out: it is for transports that are made here, and yours is used as it is.'
      throw invalidOption('mail.allowInsecureSmtp', true, cure)
    }
    return { transporter: transport, close: () => undefined }
  }
  const options = typeof transport === 'string' ? fromUrl(transport) : fromOptions(transport)
  if (isInsecure && options.requireTLS) warnOfClearText(options.host)
  const pool = createTransport({ ...options, requireTLS: options.requireTLS && !isInsecure })
  return { transporter: pool, close: () => pool.close({ force: true }) }
}

function warnOfClearText(host = 'the mail server'): void {
  const warning = `mail.allowInsecureSmtp is set: codes and login go to ${host} in clear text unless it offers STARTTLS.`
  process.emitWarning(warning, { type: 'ExpressEmailOtpWarning', code: 'OTP_INSECURE_SMTP' })
}

function fromUrl(text: string): PoolOptions {
  const url = parseUrl(text)
  if (!url || !/^smtps?:$/.test(url.protocol) || url.hostname === '' || !isEncoded(url)) {
    const cure = 'Give a URL such as smtps://user:password@mail.example:465 (percent-encode user and password).'
    throw invalidOption('mail.transport', text, cure)
  }
  if (url.search !== '') {
    throw invalidOption('mail.transport', text, 'Leave the query out of the URL, or give nodemailer options instead.')
  }
  const [user, pass] = [decodeURIComponent(url.username), decodeURIComponent(url.password)]
  return fromOptions({
    host: url.hostname.replace(/^\[|\]$/g, ''),
    ...(url.port && { port: Number(url.port) }),
    secure: url.protocol === 'smtps:',
    ...(user && { auth: { user, pass } }),
  })
}

function isEncoded({ username, password }: URL): boolean {
  try {
    decodeURIComponent(username + password)
    return true
  } catch {
    return false
  }
}

/** The host's SMTP options over safe defaults, and over them what must not be left to chance. */
function fromOptions(options: SmtpOptions): PoolOptions {
  if (typeof options !== 'object' || (options as unknown) === null) {
    throw invalidOption('mail.transport', options, 'Give an SMTP URL, nodemailer options or a nodemailer Transporter.')
  }
  const given = options as Record<string, unknown>
  const leak = LEAKS.find((name) => given[name])
  if (leak) throw invalidOption(`mail.transport.${leak}`, true, 'Leave it out: it writes codes into the log.')
  // nodemailer would let it win over `host`, and whether TLS is needed hangs on the host.
  if (given.url !== undefined) {
    throw invalidOption('mail.transport.url', given.url, 'Give the URL as `mail.transport`, or name `host` and `port`.')
  }
  const inClear = options.secure !== true && isLoopback(options.host ?? 'localhost') && !('service' in options)
  return {
    maxConnections: CONNECTIONS,
    maxMessages: 100,
    connectionTimeout: 10 * SECOND,
    greetingTimeout: 10 * SECOND,
    dnsTimeout: 10 * SECOND,
    socketTimeout: 15 * SECOND,
    socketCloseTimeout: SECOND,
    ...options,
    tls: { minVersion: 'TLSv1.2', ...(given.tls as object | undefined) },
    pool: true,
    // Without this a server that hides STARTTLS gets password and code in clear (RFC 8314 4.1).
    requireTLS: options.secure !== true && !inClear,
    disableFileAccess: true,
    disableUrlAccess: true,
  }
}

function isTransporter(transport: unknown): transport is MailTransporter {
  return typeof (transport as Partial<MailTransporter> | null)?.sendMail === 'function'
}

function mailbox(option: string, value: unknown): { name: string; address: string } {
  const found = addressparser(line(option, value), { flatten: true })
  const address: Address | null = found.length === 1 ? parseAddress(found[0]?.address ?? '') : null
  if (address) return { name: found[0]?.name ?? '', address: address.address }
  throw invalidOption(option, value, 'Give one address, such as Acme <no-reply@acme.example>.')
}
