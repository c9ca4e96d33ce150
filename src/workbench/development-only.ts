import { isLocalName } from '../config/site.js'
import { OtpError } from '../errors.js'

/**
 * Codes are shown to whoever asks, so nothing of this may exist in production.
 * @param caller what the host called
 * @param domain of `site.origin`, which names the site that users see
 * @throws OtpError `invalid_option`
 */
export function requireDevelopment(caller: string, domain: string | null = null): void {
  if (process.env.NODE_ENV === 'production') {
    const cure = "Call it only if process.env.NODE_ENV is not 'production'."
    throw new OtpError('invalid_option', `${caller} is for development, and NODE_ENV is production. ${cure}`)
  }
  if (domain === null || isLocalName(domain)) return
  const cure = 'Give the address of your development server, such as http://localhost:3000, or none.'
  throw new OtpError('invalid_option', `${caller} is for development, and \`site.origin\` is at ${domain}. ${cure}`)
}
