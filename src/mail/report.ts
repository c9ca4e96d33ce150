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

/** Reads an error of nodemailer's, or of any other transport: whatever is missing counts as nothing said. */
export function reportOf(error: unknown): Report {
  const told = (typeof error === 'object' && error !== null ? error : {}) as Record<string, unknown>
  const text = (value: unknown): string => (typeof value === 'string' ? value : '')
  const response = text(told.response)
  return {
    name: text(told.code),
    command: text(told.command),
    code: typeof told.responseCode === 'number' ? told.responseCode : 0,
    status: /^\d{3}[ -](\d\.\d{1,3}\.\d{1,3})\b/.exec(response)?.[1] ?? '',
    words: beginning(response === '' ? text(told.message) : response),
  }
}

/** Never half a word: what has to be masked must be whole to be found. */
function beginning(words: string): string {
  return words.length <= LONGEST ? words : words.slice(0, LONGEST).replace(/\S*$/, '')
}
