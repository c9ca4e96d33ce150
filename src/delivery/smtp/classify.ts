import { parseSmtpError, type SmtpError } from './parse-error.js'
import { mentionsDailyLimit, parseRetryAfter, redact } from './redact.js'

/** Why a mail did not go out. What each means, and what may be done about it, stands beside its rule below. */
export type FailureClass =
  | 'aborted'
  | 'config'
  | 'tls'
  | 'auth'
  | 'quota'
  | 'sender'
  | 'content'
  | 'mailbox-full'
  | 'recipient'
  | 'greylist'
  | 'connect'
  | 'blocked'
  | 'transient'
  | 'unknown'

/** Why one try failed. Nothing in it repeats an address or a code. */
export interface Failure {
  /** `refused` is about the mailbox and nothing else; everything that the person cannot mend is `unavailable`. */
  readonly outcome: 'refused' | 'unavailable'
  readonly failureClass: FailureClass
  /** nodemailer's code, the SMTP command and the reply codes. */
  readonly reason: string
  /** What the server said, masked. */
  readonly text: string
  /** The server itself says that it may pass (a 4xx reply, RFC 5321 4.2.1). */
  readonly isTransient: boolean
  /** A limit that ends with the day, not with the moment. */
  readonly isDailyQuota: boolean
  /**
   * Whom it is about: `letter` when the server may be well and only this recipient's is not. What one recipient's server
   * says must not stop the mail of others.
   */
  readonly scope: 'server' | 'letter'
  /** Seconds that the server asks us to wait, or null. */
  readonly retryAfter: number | null
}

/** How one try ended: taken by the server, or not. */
export type SendResult = { readonly outcome: 'accepted' } | Failure

const isPermanent = ({ replyCode }: SmtpError): boolean => replyCode >= 500
const isTransient = ({ replyCode }: SmtpError): boolean => replyCode >= 400 && replyCode < 500

/** The first that fits. */
const RULES: readonly (readonly [FailureClass, (report: SmtpError) => boolean])[] = [
  // It took longer than an attempt may.
  ['aborted', ({ code }) => code === 'EABORT'],
  // The transport cannot work as it is set up.
  ['config', ({ code, command }) => /^E(CONFIG|NOAUTH|OTP|FILEACCESS|URLACCESS)$/.test(code) || command === 'API'],
  // No TLS, or none to trust. nodemailer tells of bad certificates as ESOCKET: only the words say it.
  [
    'tls',
    ({ code, response }) =>
      /^(ETLS$|EREQUIRETLS$|ERR_(SSL|TLS)_|CERT_)/.test(code) ||
      (code === 'ESOCKET' && /certificate|SSL routines|SSL alert|altnames/i.test(response)),
  ],
  // The server does not know us, or wants to.
  [
    'auth',
    ({ code, replyCode, enhancedCode }) =>
      code === 'EAUTH' || replyCode === 530 || replyCode === 535 || /^5\.7\.[89]$/.test(enhancedCode),
  ],
  // The sender's limits at its provider are used up, of the moment or of the day.
  [
    'quota',
    ({ replyCode, enhancedCode, response }) =>
      enhancedCode === '5.4.5' ||
      (/^[45]\.5\.3$/.test(enhancedCode) && /limit/i.test(response)) ||
      /^5\.2\.25\d$/.test(enhancedCode) ||
      (replyCode === 554 && enhancedCode === '5.2.0') ||
      (replyCode === 454 && /throttl/i.test(response)) ||
      (replyCode === 432 && enhancedCode === '4.3.2') ||
      (replyCode === 421 && enhancedCode === '4.7.28'),
  ],
  // Our own address is not allowed to send.
  [
    'sender',
    (report) =>
      (report.command === 'MAIL FROM' && isPermanent(report)) ||
      report.enhancedCode === '5.1.8' ||
      report.enhancedCode === '5.7.60',
  ],
  // There is no room for this one person; some servers find out only when they have the message.
  [
    'mailbox-full',
    ({ command, replyCode, enhancedCode }) =>
      /^[45]\.2\.2$/.test(enhancedCode) ||
      (command === 'RCPT TO' && (replyCode === 552 || (replyCode === 452 && enhancedCode === ''))),
  ],
  // The message itself was refused.
  ['content', (report) => report.code === 'EMESSAGE' && isPermanent(report)],
  // There is no such mailbox, or it takes nothing from us.
  [
    'recipient',
    ({ command, replyCode, enhancedCode }) =>
      command === 'RCPT TO' &&
      replyCode >= 500 &&
      (enhancedCode.startsWith('5.1.') || [550, 551, 553].includes(replyCode)),
  ],
  // "Not now": servers that do not know us yet make us come back.
  [
    'greylist',
    (report) =>
      report.command !== 'CONN' &&
      isTransient(report) &&
      (report.replyCode === 450 ||
        report.replyCode === 451 ||
        /^4\.(7\.1|2\.0)$/.test(report.enhancedCode) ||
        /try again/i.test(report.response)),
  ],
  // The server hung up on us for good.
  ['blocked', (report) => report.code === 'EPROTOCOL' && isPermanent(report)],
  // No server there, or none that answers as one.
  [
    'connect',
    ({ code, response }) =>
      /^E(SOCKET|CONNECTION|DNS|TIMEDOUT|PROTOCOL)$/.test(code) || response === 'Connection pool was closed',
  ],
  ['transient', isTransient],
]

/**
 * Reads nodemailer's error, and that alone. `refused` is a permanent answer to RCPT TO (RFC 5321 4.2.1) or a full
 * mailbox. What is in `secrets` is masked in the text, beside everything that looks like an address or a code.
 */
export function classifyFailure(error: unknown, secrets: readonly string[] = []): Failure {
  const report = parseSmtpError(error)
  const failureClass = RULES.find(([, matches]) => matches(report))?.[0] ?? 'unknown'
  return {
    outcome: failureClass === 'recipient' || failureClass === 'mailbox-full' ? 'refused' : 'unavailable',
    failureClass,
    reason: [report.code, report.command, report.replyCode || '', report.enhancedCode].filter(Boolean).join(' '),
    text: redact(report.response, secrets),
    isTransient: isTransient(report),
    isDailyQuota: failureClass === 'quota' && (isPermanent(report) || mentionsDailyLimit(report.response)),
    scope: isMessageScoped(report) ? 'letter' : 'server',
    retryAfter: parseRetryAfter(report.response),
  }
}

function isMessageScoped({ code, command, replyCode, enhancedCode, response }: SmtpError): boolean {
  // To a recipient a relay may answer with what that one's own server said.
  if (command === 'RCPT TO') return true
  // These are said of the sender.
  if (enhancedCode === '5.4.5' || enhancedCode === '4.7.28' || replyCode === 454) return false
  // Silence and hanging up amid a conversation: of nodemailer's errors only these words tell it from the beginning. A
  // reset looks alike at any time.
  const isMidSession = /^Timeout$|^Connection closed unexpectedly$|^read ECONNRESET$|^write (?:EPIPE|ECONNRESET)$/.test(
    response,
  )
  return command === 'DATA' || code === 'EMESSAGE' || isMidSession
}

/** A failure that no server told of. */
export function localFailure(failureClass: FailureClass, reason: string): Failure {
  const defaults = { text: '', isTransient: false, isDailyQuota: false, scope: 'server' as const, retryAfter: null }
  return { outcome: 'unavailable', failureClass, reason, ...defaults }
}
