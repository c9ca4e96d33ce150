import { isIP } from 'node:net'
import type { OtpOptions } from './options.js'
import type { Site } from './page.js'
import { isLoopback } from './smtp-options.js'
import { isSitePath, parseUrl } from '../url.js'
import { OptionChecker } from '../validate.js'
import { warnOnce } from '../warn.js'

const check = new OptionChecker('emailOtp')

/** A host as it may appear in a mail header and in the bound line of a mail; URLs allow more. */
const HOST_PATTERN = /^([a-z0-9-]+(\.[a-z0-9-]+)*|\[[0-9a-f:.]+\])$/

/**
 * @param basePath goes in front of a `supportUrl` on this site
 * @throws OtpError `invalid_option`
 */
export function resolveSite(site: unknown, basePath = ''): Site {
  check.rejectUnknownKeys('site', site, ['name', 'origin', 'supportUrl'])
  const { name, origin, supportUrl } = site as OtpOptions['site']
  const parsed = origin === undefined ? null : parseOrigin(check.singleLine('site.origin', origin))
  if (origin !== undefined && parsed === null) {
    throw check.invalid('site.origin', origin, 'Give scheme and host only, such as https://acme.example.')
  }
  const support = supportUrl === undefined ? null : check.singleLine('site.supportUrl', supportUrl)
  if (support && !isSitePath(support) && !/^(https?|mailto):/i.test(support)) {
    throw check.invalid('site.supportUrl', support, 'Give a path, or an https: or mailto: address.')
  }
  return Object.freeze({
    name: check.singleLine('site.name', name),
    origin: parsed?.origin ?? null,
    domain: parsed?.hostname ?? null,
    supportUrl: support?.startsWith('/') ? basePath + support : support,
  })
}

/**
 * Origins whose pages may POST here: those of the option, and the site's own. Plain http could be written by anybody on the
 * way, and `null` is the origin of every sandboxed frame.
 * @throws OtpError `invalid_option`
 */
export function resolveTrustedOrigins(origins: unknown = [], site: Site): readonly string[] {
  const hint =
    'Give a list of exact origins, such as https://app.acme.example: https beyond this machine, no wildcards.'
  if (!Array.isArray(origins)) throw check.invalid('trustedOrigins', origins, hint)
  const trusted = Array.from(origins, (origin: unknown) => {
    const url = typeof origin === 'string' ? parseOrigin(origin) : null
    if (url && (url.protocol === 'https:' || isLoopback(url.hostname))) return url.origin
    throw check.invalid('trustedOrigins', origin, hint)
  })
  return Object.freeze(site.origin === null ? trusted : [site.origin, ...trusted])
}

/** Warns if mails come from another domain than the site: readers and mail servers take such mails for phishing. */
export function warnAboutSender(site: Site, from: { readonly address: string }): void {
  const sender = from.address.slice(from.address.lastIndexOf('@') + 1)
  if (!isForeignSender(site, sender)) return
  const cure = 'Send from the domain of the site or one below it.'
  warnOnce('OTP_FROM_DOMAIN', `mails come from ${sender}, and the site is ${site.origin}. ${cure}`)
}

/**
 * Whether mails come from another domain than the site. Domains below one of two labels count as one owner's:
 * `acme.example`, `mail.acme.example` and `app.acme.example`.
 */
export function isForeignSender({ domain }: Site, sender: string): boolean {
  if (!domain?.includes('.') || isLoopback(domain) || isIP(domain) > 0) return false
  return lastLabels(sender) !== lastLabels(domain)
}

/** Whether a host name is this machine. Browsers never look up names below `localhost` (RFC 6761 6.3). */
export function isLocalName(host: string): boolean {
  return isLoopback(host) || /^([a-z\d-]+\.)+localhost$/i.test(host)
}

/** A property of transports that keep codes for whoever asks: they send nothing. */
export const DEVELOPMENT_ONLY = Symbol.for('express-email-otp.developmentOnly')

/** @throws OtpError `invalid_option` for an inbox for development at a site that others can reach */
export function refuseDevelopmentTransport({ domain }: Site, transporter: object): void {
  if (!(DEVELOPMENT_ONLY in transporter) || domain === null || isLocalName(domain)) return
  const hint = `It is an inbox for development, and \`site.origin\` is at ${domain}. Give the mail server of that site.`
  throw check.invalid('mail.transport', transporter, hint)
}

/** The last two labels: the organisation's domain, or the part above it, such as `co.uk`. */
function lastLabels(domain: string): string {
  return domain.split('.').slice(-2).join('.')
}

/** Scheme and host, and nothing after them. */
function parseOrigin(origin: string): URL | null {
  const url = parseUrl(origin)
  const isHttp = url !== null && /^https?:$/.test(url.protocol) && HOST_PATTERN.test(url.hostname)
  return isHttp && url.origin === origin.toLowerCase() ? url : null
}
