import { type Report, reportOf } from './report.js'
import { isOfTheDay, maskWords, waitAsked } from './server-words.js'

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
  readonly class: FailureClass
  /** nodemailer's code, the SMTP command and the reply codes. */
  readonly reason: string
  /** What the server said, masked. */
  readonly text: string
  /** The server itself says that it may pass (a 4xx reply, RFC 5321 4.2.1). */
  readonly isPassing: boolean
  /** A limit that ends with the day, not with the moment. */
  readonly isDaily: boolean
  /**
   * Whom it is about: `letter` when the server may be well and only this recipient's is not. What one recipient's server
   * says must not stop the mail of others.
   */
  readonly scope: 'server' | 'letter'
  /** Seconds that the server asks us to wait, or null. */
  readonly wait: number | null
}

/** How one try ended: taken by the server, or not. */
export type Delivery = { readonly outcome: 'accepted' } | Failure

const isPermanent = ({ code }: Report): boolean => code >= 500
const isTransient = ({ code }: Report): boolean => code >= 400 && code < 500

/** The first that fits. */
const RULES: readonly (readonly [FailureClass, (report: Report) => boolean])[] = [
  // It took longer than an attempt may.
  ['aborted', ({ name }) => name === 'EABORT'],
  // The transport cannot work as it is set up.
  ['config', ({ name, command }) => /^E(CONFIG|NOAUTH|OTP|FILEACCESS|URLACCESS)$/.test(name) || command === 'API'],
  // No TLS, or none to trust. nodemailer tells of bad certificates as ESOCKET: only the words say it.
  [
    'tls',
    ({ name, words }) =>
      /^(ETLS$|EREQUIRETLS$|ERR_(SSL|TLS)_|CERT_)/.test(name) ||
      (name === 'ESOCKET' && /certificate|SSL routines|SSL alert|altnames/i.test(words)),
  ],
  // The server does not know us, or wants to.
  ['auth', ({ name, code, status }) => name === 'EAUTH' || code === 530 || code === 535 || /^5\.7\.[89]$/.test(status)],
  // The sender's limits at its provider are used up, of the moment or of the day.
  [
    'quota',
    ({ code, status, words }) =>
      status === '5.4.5' ||
      (/^[45]\.5\.3$/.test(status) && /limit/i.test(words)) ||
      /^5\.2\.25\d$/.test(status) ||
      (code === 554 && status === '5.2.0') ||
      (code === 454 && /throttl/i.test(words)) ||
      (code === 432 && status === '4.3.2') ||
      (code === 421 && status === '4.7.28'),
  ],
  // Our own address is not allowed to send.
  [
    'sender',
    (report) =>
      (report.command === 'MAIL FROM' && isPermanent(report)) ||
      report.status === '5.1.8' ||
      report.status === '5.7.60',
  ],
  // There is no room for this one person; some servers find out only when they have the message.
  [
    'mailbox-full',
    ({ command, code, status }) =>
      /^[45]\.2\.2$/.test(status) || (command === 'RCPT TO' && (code === 552 || (code === 452 && status === ''))),
  ],
  // The message itself was refused.
  ['content', (report) => report.name === 'EMESSAGE' && isPermanent(report)],
  // There is no such mailbox, or it takes nothing from us.
  [
    'recipient',
    ({ command, code, status }) =>
      command === 'RCPT TO' && code >= 500 && (status.startsWith('5.1.') || [550, 551, 553].includes(code)),
  ],
  // "Not now": servers that do not know us yet make us come back.
  [
    'greylist',
    (report) =>
      report.command !== 'CONN' &&
      isTransient(report) &&
      (report.code === 450 ||
        report.code === 451 ||
        /^4\.(7\.1|2\.0)$/.test(report.status) ||
        /try again/i.test(report.words)),
  ],
  // The server hung up on us for good.
  ['blocked', (report) => report.name === 'EPROTOCOL' && isPermanent(report)],
  // No server there, or none that answers as one.
  [
    'connect',
    ({ name, words }) =>
      /^E(SOCKET|CONNECTION|DNS|TIMEDOUT|PROTOCOL)$/.test(name) || words === 'Connection pool was closed',
  ],
  ['transient', isTransient],
]

/**
 * Reads nodemailer's error, and that alone. `refused` is a permanent answer to RCPT TO (RFC 5321 4.2.1) or a full
 * mailbox. What is in `secrets` is masked in the text, beside everything that looks like an address or a code.
 */
export function classifyFailure(error: unknown, secrets: readonly string[] = []): Failure {
  const report = reportOf(error)
  const found = RULES.find(([, fits]) => fits(report))?.[0] ?? 'unknown'
  return {
    outcome: found === 'recipient' || found === 'mailbox-full' ? 'refused' : 'unavailable',
    class: found,
    reason: [report.name, report.command, report.code || '', report.status].filter(Boolean).join(' '),
    text: maskWords(report.words, secrets),
    isPassing: isTransient(report),
    isDaily: found === 'quota' && (isPermanent(report) || isOfTheDay(report.words)),
    scope: isAboutLetter(report) ? 'letter' : 'server',
    wait: waitAsked(report.words),
  }
}

function isAboutLetter({ name, command, code, status, words }: Report): boolean {
  // To a recipient a relay may answer with what that one's own server said.
  if (command === 'RCPT TO') return true
  // These are said of the sender.
  if (status === '5.4.5' || status === '4.7.28' || code === 454) return false
  // Silence and hanging up amid a conversation: of nodemailer's errors only these words tell it from the beginning. A
  // reset looks alike at any time.
  const isAmid = /^Timeout$|^Connection closed unexpectedly$|^read ECONNRESET$|^write (?:EPIPE|ECONNRESET)$/.test(words)
  return command === 'DATA' || name === 'EMESSAGE' || isAmid
}

/** A failure that no server told of. */
export function failureOf(found: FailureClass, reason: string): Failure {
  const silent = { text: '', isPassing: false, isDaily: false, scope: 'server' as const, wait: null }
  return { outcome: 'unavailable', class: found, reason, ...silent }
}
