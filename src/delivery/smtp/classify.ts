import { FAILURE_POLICY, type FailurePolicy } from './failure-policy.js'
import {
  mentionsDailyLimit,
  parseRetryAfter,
  parseSmtpError,
  type SmtpError,
  type SmtpStage,
  stageOf,
} from './parse-error.js'
import { redact } from './redact.js'
import type { FailureClass } from '../../events.js'

/** Why one attempt failed. Contains no address and no code. */
export interface Failure {
  readonly outcome: FailurePolicy['outcome']
  readonly failureClass: FailureClass
  /** nodemailer's code, the SMTP command and the reply codes. */
  readonly reason: string
  /** What the server said, redacted. */
  readonly text: string
  /** A 4xx reply: the server says that another attempt may succeed (RFC 5321 4.2.1). */
  readonly isTransient: boolean
  /** A daily limit, not a short-term one. */
  readonly isDailyQuota: boolean
  /** Where in the conversation it failed. A failure on our side is one of the connection. */
  readonly stage: SmtpStage
  /** Seconds that the server asks us to wait, or null. */
  readonly retryAfter: number | null
  /** What to do about it, where that is known better than for its class. */
  readonly advice?: string
}

/** How one attempt ended: accepted by the server, or not. */
export type SendResult = { readonly outcome: 'accepted' } | Failure

const isPermanent = ({ replyCode }: SmtpError): boolean => replyCode >= 500
const isTransient = ({ replyCode }: SmtpError): boolean => replyCode >= 400 && replyCode < 500

/** The first rule that matches gives the class. */
const RULES: readonly (readonly [FailureClass, (error: SmtpError) => boolean])[] = [
  // Our own timeout.
  ['aborted', ({ code }) => code === 'EABORT'],
  // The transport cannot work as it is configured.
  ['config', ({ code, command }) => /^E(CONFIG|NOAUTH|OTP|FILEACCESS|URLACCESS)$/.test(code) || command === 'API'],
  // No TLS, or none to trust. nodemailer reports bad certificates as ESOCKET: only the text says it.
  [
    'tls',
    ({ code, response }) =>
      /^(ETLS$|EREQUIRETLS$|ERR_(SSL|TLS)_|CERT_)/.test(code) ||
      (code === 'ESOCKET' && /certificate|SSL routines|SSL alert|altnames/i.test(response)),
  ],
  // The login was refused, or is missing.
  [
    'auth',
    ({ code, replyCode, enhancedCode }) =>
      code === 'EAUTH' || replyCode === 530 || replyCode === 535 || /^5\.7\.[89]$/.test(enhancedCode),
  ],
  // A sending limit of the provider, short-term or daily.
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
  // The address in `mail.from` may not send.
  [
    'sender',
    (error) =>
      (error.command === 'MAIL FROM' && isPermanent(error)) ||
      error.enhancedCode === '5.1.8' ||
      error.enhancedCode === '5.7.60',
  ],
  // The mailbox is full; some servers say so only after the message was transmitted.
  [
    'mailbox-full',
    ({ command, replyCode, enhancedCode }) =>
      /^[45]\.2\.2$/.test(enhancedCode) ||
      (command === 'RCPT TO' && (replyCode === 552 || (replyCode === 452 && enhancedCode === ''))),
  ],
  // The message itself was refused.
  ['content', (error) => error.code === 'EMESSAGE' && isPermanent(error)],
  // There is no such mailbox, or it refuses us.
  [
    'recipient',
    ({ command, replyCode, enhancedCode }) =>
      command === 'RCPT TO' &&
      replyCode >= 500 &&
      (enhancedCode.startsWith('5.1.') || [550, 551, 553].includes(replyCode)),
  ],
  // A server that does not know the sender yet wants another attempt later.
  [
    'greylist',
    (error) =>
      error.command !== 'CONN' &&
      isTransient(error) &&
      (error.replyCode === 450 ||
        error.replyCode === 451 ||
        /^4\.(7\.1|2\.0)$/.test(error.enhancedCode) ||
        /try again/i.test(error.response)),
  ],
  // The server refuses connections from this machine.
  ['blocked', (error) => error.code === 'EPROTOCOL' && isPermanent(error)],
  // No server there, or none that speaks SMTP.
  [
    'connect',
    ({ code, response }) =>
      /^E(SOCKET|CONNECTION|DNS|TIMEDOUT|PROTOCOL)$/.test(code) || response === 'Connection pool was closed',
  ],
  ['transient', isTransient],
]

/**
 * Classifies nodemailer's error. `refused` is a permanent reply to RCPT TO (RFC 5321 4.2.1) or a full mailbox.
 * `secrets` are redacted in the text, and everything else that looks like an address or a code.
 */
export function classifyFailure(error: unknown, secrets: readonly string[] = []): Failure {
  const parsed = parseSmtpError(error)
  const failureClass = RULES.find(([, matches]) => matches(parsed))?.[0] ?? 'unknown'
  const { code, command, replyCode, enhancedCode, response } = parsed
  return {
    outcome: FAILURE_POLICY[failureClass].outcome,
    failureClass,
    reason: [code, command, replyCode || '', enhancedCode].filter(Boolean).join(' '),
    text: redact(response, secrets),
    isTransient: isTransient(parsed),
    isDailyQuota: failureClass === 'quota' && (isPermanent(parsed) || mentionsDailyLimit(response)),
    stage: stageOf(parsed),
    retryAfter: parseRetryAfter(response),
  }
}

/** A failure on our side. */
export function localFailure(failureClass: FailureClass, reason: string, advice?: string): Failure {
  const defaults = { text: '', isTransient: false, isDailyQuota: false, stage: 'connection', retryAfter: null } as const
  const { outcome } = FAILURE_POLICY[failureClass]
  return { outcome, failureClass, reason, ...defaults, ...(advice !== undefined && { advice }) }
}
