import type { SmtpOptions } from './options.js'
import { parseUrl } from '../url.js'
import { OptionChecker } from '../validate.js'

const check = new OptionChecker('emailOtp')

type PoolOptions = SmtpOptions & { readonly pool: true; readonly requireTLS: boolean }

/** Connections to the mail server at once. */
export const DEFAULT_CONNECTIONS = 3

const SECOND = 1_000
const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[?::1\]?)$/i
const LEAKING_OPTIONS = ['debug', 'logger', 'transactionLog'] as const
/** Other transports of nodemailer, and `send`, which its plugins and the clients of mail APIs have. */
const OTHER_TRANSPORTS = ['sendmail', 'jsonTransport', 'streamTransport', 'SES', 'send'] as const

/** Whether a host name is this machine: nothing sent there crosses a network. */
export function isLoopback(host: string): boolean {
  return LOOPBACK.test(host)
}

/** @throws OtpError `invalid_option` */
export function optionsFromUrl(text: string): PoolOptions {
  const url = parseUrl(text)
  if (!url || !/^smtps?:$/.test(url.protocol) || url.hostname === '' || !isPercentEncoded(url)) {
    const hint = 'Give a URL such as smtps://user:password@mail.example:465 (percent-encode user and password).'
    throw check.invalid('mail.transport', text, hint)
  }
  if (url.search !== '') {
    throw check.invalid('mail.transport', text, 'Leave the query out of the URL, or give nodemailer options instead.')
  }
  const [user, pass] = [decodeURIComponent(url.username), decodeURIComponent(url.password)]
  return withSafeDefaults({
    host: url.hostname.replace(/^\[|\]$/g, ''),
    ...(url.port && { port: Number(url.port) }),
    secure: url.protocol === 'smtps:',
    ...(user && { auth: { user, pass } }),
  })
}

function isPercentEncoded({ username, password }: URL): boolean {
  try {
    decodeURIComponent(username + password)
    return true
  } catch {
    return false
  }
}

/** Safe defaults, overridden by the host's SMTP options; then what no option may switch off. */
export function withSafeDefaults(options: SmtpOptions): PoolOptions {
  if (typeof options !== 'object' || (options as unknown) === null) {
    throw check.invalid('mail.transport', options, 'Give an SMTP URL, SMTP options or a nodemailer Transporter.')
  }
  const given = options as Record<string, unknown>
  const other = OTHER_TRANSPORTS.find((name) => given[name])
  if (other) {
    const hint = 'That is not SMTP: pass `nodemailer.createTransport(…)`, or an object with `sendMail`.'
    throw check.invalid(`mail.transport.${other}`, given[other], hint)
  }
  const leak = LEAKING_OPTIONS.find((name) => given[name])
  if (leak) throw check.invalid(`mail.transport.${leak}`, true, 'Leave it out: it writes codes into the log.')
  // nodemailer prefers `url` to `host`, but whether TLS is required is decided by `host`.
  if (given.url !== undefined) {
    throw check.invalid('mail.transport.url', given.url, 'Give the URL as `mail.transport`, or name `host` and `port`.')
  }
  const isPlaintextAllowed =
    options.secure !== true && isLoopback(options.host ?? 'localhost') && !('service' in options)
  return {
    maxConnections: DEFAULT_CONNECTIONS,
    maxMessages: 100,
    maxRequeues: 1,
    connectionTimeout: 10 * SECOND,
    greetingTimeout: 10 * SECOND,
    dnsTimeout: 10 * SECOND,
    socketTimeout: 15 * SECOND,
    socketCloseTimeout: SECOND,
    ...options,
    tls: { minVersion: 'TLSv1.2', ...(given.tls as object | undefined) },
    pool: true,
    // Without it, an attacker who hides STARTTLS gets password and code in clear text (RFC 8314 4.1).
    requireTLS: options.secure !== true && (options.requireTLS === true || !isPlaintextAllowed),
    disableFileAccess: true,
    disableUrlAccess: true,
    // With it, nodemailer continues in clear text when STARTTLS is offered and then fails, as an attacker can arrange.
    opportunisticTLS: false,
    // Without it, nodemailer silently skips the login if the server does not offer AUTH.
    ...(given.auth !== undefined && { forceAuth: true }),
  }
}
