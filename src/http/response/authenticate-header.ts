import type { Problem } from './problem.js'

/** No scheme that a browser knows, so that it opens no dialog. */
const SCHEME = 'EmailOtp'

/**
 * The header `WWW-Authenticate`, which each 401 must have (RFC 9110 15.5.2); null for other problems. With the words of
 * OAuth's step-up (RFC 9470 3) a client learns how old the verification may be.
 */
export function authenticateHeader({ code, status, members }: Problem): string | null {
  if (code === 'otp_required') {
    const description = 'A code that is mailed to the user is required'
    const maxAge = Math.floor(Number(members.max_age)) // whole seconds, by RFC 9470
    return `${SCHEME} error="insufficient_user_authentication", error_description="${description}", max_age="${maxAge}"`
  }
  return status === 401 ? SCHEME : null
}
