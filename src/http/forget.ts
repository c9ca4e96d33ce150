import { OtpError } from '../errors.js'
import type { OtpRequest, OtpResponse } from '../express-types.js'
import type { Services } from '../services.js'
import { clearGrants } from '../session/grants.js'
import { OptionChecker, optionNames } from '../validate.js'

export interface ForgetOptions {
  /** Also ends the trust in this browser (option `trustBrowser`), by a header of the response. */
  trustedBrowser?: boolean
}

const check = new OptionChecker('forget')

const OPTION_NAMES = optionNames<ForgetOptions>({ trustedBrowser: true })

/**
 * Removes the grants of this session.
 * @throws OtpError `invalid_option` with `trustedBrowser` if the response is sent already, or the request has none
 */
export function forget({ settings, trustedBrowser }: Services, req: OtpRequest, options: ForgetOptions = {}): void {
  check.rejectUnknownKeys('', options, OPTION_NAMES)
  const { trustedBrowser: endsTrust = false } = options
  check.oneOf('trustedBrowser', endsTrust, [true, false])
  clearGrants(settings, req)
  if (!endsTrust) return
  const { res } = req as { res?: OtpResponse } // Express puts it there
  if (!res || res.headersSent) {
    const cure = 'Give the request that Express gave you, before its response is sent.'
    throw new OtpError('invalid_option', `forget: \`trustedBrowser\` removes a cookie. ${cure}`)
  }
  res.appendHeader('Set-Cookie', trustedBrowser.forget(req))
}
