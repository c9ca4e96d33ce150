/** What nodemailer reports of a try that failed. */
export interface SmtpError {
  /** Its own code, such as EENVELOPE. */
  readonly code: string
  readonly command: string
  /** The reply code (RFC 5321 4.2), or 0. */
  readonly replyCode: number
  /** The enhanced code (RFC 3463), such as 5.1.1, or nothing. */
  readonly enhancedCode: string
  /** What the server or the socket said, or its beginning. */
  readonly response: string
}

/** No server has more to say; and nobody may keep us busy by reading on. */
const MAX_LENGTH = 2_000

/** Reads an error of nodemailer's, or of any other transport: whatever is missing or odd counts as nothing said. */
export function parseSmtpError(error: unknown): SmtpError {
  try {
    return extract(recipientError(error))
  } catch {
    return { code: '', command: '', replyCode: 0, enhancedCode: '', response: 'unreadable error' } // a getter that throws
  }
}

/** When all recipients were refused, and we have but one, its own error says more. */
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
    // Other transports put sentences here.
    code: /^[A-Z][A-Z0-9_]{1,40}$/.exec(text(fields.code))?.[0] ?? '',
    command: /^[A-Z][A-Z0-9 ]{0,20}$/.exec(text(fields.command))?.[0] ?? '',
    replyCode: typeof fields.responseCode === 'number' ? fields.responseCode : 0,
    enhancedCode: /^\d{3}[ -]([245]\.\d\.\d{1,3})\b/.exec(response)?.[1] ?? '',
    response: truncate(response === '' ? text(fields.message) : response),
  }
}

/** Never half a word: what has to be masked must be whole to be found. */
function truncate(response: string): string {
  return response.length <= MAX_LENGTH ? response : response.slice(0, MAX_LENGTH).replace(/\S*$/, '')
}
