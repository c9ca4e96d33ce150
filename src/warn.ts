import { troubleshooting } from './errors.js'

/** What a host may have got wrong without any request failing. docs/troubleshooting.md has the cause and the cure of each. */
export type WarningCode =
  | 'OTP_MEMORY_STORE' // the default store with several processes, or in production
  | 'OTP_INSECURE_SMTP' // `mail.allowInsecureSmtp` is set
  | 'OTP_FROM_DOMAIN' // mails come from another domain than the site's
  | 'OTP_UNKNOWN_SECRET' // another process has made a code with a secret that this one lacks
  | 'OTP_TRUST_PROXY' // `req.ip` does not tell clients apart
  | 'OTP_SECURE_COOKIE' // the session cookie is `Secure`, and the request came without TLS
  | 'OTP_CSRF' // CSRF middleware stands in front, and our forms have no token of it
  | 'OTP_MOUNT_PATH' // guards redirect to the router, which no request reaches
  | 'OTP_UNUSED_TEMPLATE' // a template is for a locale that has no texts
  | 'OTP_UNUSED_MAIL' // mail templates are for a purpose that nothing has named
  | 'OTP_OUTDATED_TEMPLATE' // a template is a copy of one of ours that has changed since
  | 'OTP_LISTENER' // a listener of an event threw

const given = new Set<string>()

/** Tells the host about a misuse, once in this process, or once for each thing that it is about. */
export function warnOnce(code: WarningCode, text: string, about = ''): void {
  const key = `${code} ${about}`
  if (given.has(key)) return
  given.add(key)
  warn(code, text)
}

/** The same each time: for errors, of which each one counts. */
export function warn(code: WarningCode, text: string): void {
  process.emitWarning(text + troubleshooting(code), { type: 'ExpressEmailOtpWarning', code })
}
