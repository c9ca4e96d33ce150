/** What nodemailer reports of a try that failed. */
export interface Report {
  /** Its own code, such as EENVELOPE. */
  readonly name: string
  readonly command: string
  /** The reply code (RFC 5321 4.2), or 0. */
  readonly code: number
  /** The enhanced code (RFC 3463), such as 5.1.1, or nothing. */
  readonly status: string
  /** What the server or the socket said, or its beginning. */
  readonly words: string
}

/** No server has more to say; and nobody may keep us busy by reading on. */
const LONGEST = 2_000

/** Reads an error of nodemailer's, or of any other transport: whatever is missing or odd counts as nothing said. */
export function reportOf(error: unknown): Report {
  try {
    return read(ofTheOne(error))
  } catch {
    return { name: '', command: '', code: 0, status: '', words: 'unreadable error' } // a getter that throws
  }
}

/** When all recipients were refused, and we have but one, its own error says more. */
function ofTheOne(error: unknown): unknown {
  const { rejectedErrors } = (error ?? {}) as { rejectedErrors?: unknown }
  const first: unknown = Array.isArray(rejectedErrors) ? rejectedErrors[0] : null
  return typeof first === 'object' && first !== null ? first : error
}

function read(error: unknown): Report {
  const told = (typeof error === 'object' && error !== null ? error : {}) as Record<string, unknown>
  const text = (value: unknown): string => (typeof value === 'string' ? value : '')
  const response = text(told.response)
  return {
    // Other transports put sentences here.
    name: /^[A-Z][A-Z0-9_]{1,40}$/.exec(text(told.code))?.[0] ?? '',
    command: /^[A-Z][A-Z0-9 ]{0,20}$/.exec(text(told.command))?.[0] ?? '',
    code: typeof told.responseCode === 'number' ? told.responseCode : 0,
    status: /^\d{3}[ -]([245]\.\d\.\d{1,3})\b/.exec(response)?.[1] ?? '',
    words: beginning(response === '' ? text(told.message) : response),
  }
}

/** Never half a word: what has to be masked must be whole to be found. */
function beginning(words: string): string {
  return words.length <= LONGEST ? words : words.slice(0, LONGEST).replace(/\S*$/, '')
}
