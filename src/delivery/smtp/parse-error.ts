/** What of an SMTP conversation failed: greeting, TLS and login; a command; or the message, its end included. */
export type SmtpStage = 'connection' | 'MAIL FROM' | 'RCPT TO' | 'DATA'

/** What nodemailer reports about a failed attempt. */
export interface SmtpError {
  /** Its own code, such as EENVELOPE. */
  readonly code: string
  readonly command: string
  /** The reply code (RFC 5321 4.2), or 0. */
  readonly replyCode: number
  /** The enhanced code (RFC 3463), such as 5.1.1, or empty. */
  readonly enhancedCode: string
  /** The beginning of the server's reply, or of the error message. */
  readonly response: string
}

/** Real replies are shorter; parsing a longer one would take time. */
const MAX_LENGTH = 2_000

/** Parses an error of nodemailer or of any other transport. Missing or malformed fields are empty. */
export function parseSmtpError(error: unknown): SmtpError {
  try {
    return extract(recipientError(error))
  } catch {
    return { code: '', command: '', replyCode: 0, enhancedCode: '', response: 'unreadable error' } // a getter that throws
  }
}

/** If the recipient was refused, the error of that recipient says more. */
function recipientError(error: unknown): unknown {
  const { rejectedErrors } = (error ?? {}) as { rejectedErrors?: unknown }
  const first: unknown = Array.isArray(rejectedErrors) ? rejectedErrors[0] : null
  return typeof first === 'object' && first !== null ? first : error
}

function extract(error: unknown): SmtpError {
  const fields = (typeof error === 'object' && error !== null ? error : {}) as Record<string, unknown>
  const text = (value: unknown): string => (typeof value === 'string' ? value : '')
  const response = text(fields.response)
  return {
    // Other transports have sentences here.
    code: /^[A-Z][A-Z0-9_]{1,40}$/.exec(text(fields.code))?.[0] ?? '',
    command: /^[A-Z][A-Z0-9 ]{0,20}$/.exec(text(fields.command))?.[0] ?? '',
    replyCode: isReplyCode(fields.responseCode) ? fields.responseCode : 0,
    enhancedCode: /^\d{3}[ -]([245]\.\d\.\d{1,3})\b/.exec(response)?.[1] ?? '',
    response: truncate(response === '' ? text(fields.message) : response),
  }
}

/** Three digits (RFC 5321 4.2). nodemailer takes any number at the beginning of a reply, which may be a quoted code. */
function isReplyCode(value: unknown): value is number {
  return Number.isInteger(value) && Number(value) >= 200 && Number(value) <= 599
}

/** Never cuts a word: `redact` finds whole secrets only. */
function truncate(response: string): string {
  return response.length <= MAX_LENGTH ? response : response.slice(0, MAX_LENGTH).replace(/\S*$/, '')
}

/**
 * Seconds that a server asks us to wait: "try again in 30 seconds", "after 5 minutes", "come back in 00:04:59".
 * @returns null when it names none
 */
export function parseRetryAfter(response: string): number | null {
  const clock = /\b(?:in|after)\s+(\d{1,2}):(\d{2}):(\d{2})\b/i.exec(response)
  if (clock) return Number(clock[1]) * 3600 + Number(clock[2]) * 60 + Number(clock[3])
  const plain = /\b(?:in|after|for)\s+(\d{1,6})\s*(s|sec|secs|seconds?|m|min|mins|minutes?|h|hours?)\b/i.exec(response)
  if (!plain) return null
  const [, count, unit = ''] = plain
  return Number(count) * ({ s: 1, m: 60, h: 3600 }[unit.charAt(0).toLowerCase()] ?? 1)
}

/** Where it is unknown, the stage that says least about other mail. */
export function stageOf({ code, command, replyCode, response }: SmtpError): SmtpStage {
  if (command === 'MAIL FROM' || command === 'RCPT TO') return command
  // A timeout or disconnect after the greeting: only these texts of nodemailer distinguish it from one before. A reset
  // looks the same at any time.
  const isMidSession = /^Timeout$|^Connection closed unexpectedly$|^read ECONNRESET$|^write (?:EPIPE|ECONNRESET)$/.test(
    response,
  )
  const isReplyToUnknown = replyCode > 0 && command === '' && code !== 'EAUTH'
  return command === 'DATA' || code === 'EMESSAGE' || isMidSession || isReplyToUnknown ? 'DATA' : 'connection'
}

/** Whether the text names a daily limit, as SES, Gmail and others do. */
export function mentionsDailyLimit(response: string): boolean {
  return /\bdaily\b|\bper day\b|\b24[ -]?h(?:ours?)?\b|\btoday\b/i.test(response)
}
