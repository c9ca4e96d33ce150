import { OtpError } from '../errors.js'
import type { OtpRequest } from '../express-types.js'
import { didYouMean } from '../suggest.js'

/** What a route asks for. */
export interface GuardOptions {
  /** What the verification is good for; `access` by default. It never opens another purpose. */
  purpose?: string
  /** Seconds since the verification at most, never refreshed by use; `grantMaxAge` by default. */
  maxAge?: number
  /** Binds code and grant to exactly this JSON value, such as amount and payee; the grant is good for one use. */
  details?: (req: OtpRequest) => unknown
  /** The action in words for page and mail; 140 characters at most. Avoid runs of 4 to 8 digits: mail programs take
   * them for the code. */
  describe?: (req: OtpRequest) => string
}

/** @throws OtpError `invalid_option` */
export function parseGuardOptions(options: GuardOptions): GuardOptions & { purpose: string } {
  const known = ['purpose', 'maxAge', 'details', 'describe']
  const { purpose = 'access', maxAge } = options
  for (const key of Object.keys(options)) {
    if (known.includes(key)) continue
    throw new OtpError('invalid_option', `requireOtp: unknown option \`${key}\`.${didYouMean(key, known)}`)
  }
  if (typeof (purpose as unknown) !== 'string' || !/^[a-z0-9][a-z0-9_-]{0,63}$/.test(purpose)) {
    const cure = 'Give 1 to 64 small letters, digits, dashes or underscores.'
    throw new OtpError('invalid_option', `requireOtp: option \`purpose\` is ${JSON.stringify(purpose)}. ${cure}`)
  }
  if (purpose === 'alert') {
    // Its templates would take the place of the code's, and there is no code in them.
    throw new OtpError(
      'invalid_option',
      'requireOtp: option `purpose` is "alert", the name of a mail. Give another one.',
    )
  }
  if (maxAge !== undefined && !(typeof maxAge === 'number' && maxAge >= 1 && maxAge <= 31_536_000)) {
    throw new OtpError('invalid_option', `requireOtp: option \`maxAge\` is ${String(maxAge)}. Give seconds from 1.`)
  }
  for (const name of ['details', 'describe'] as const) {
    if (options[name] === undefined || typeof options[name] === 'function') continue
    throw new OtpError('invalid_option', `requireOtp: option \`${name}\` is no function. Give (req) => …`)
  }
  return { ...options, purpose }
}
