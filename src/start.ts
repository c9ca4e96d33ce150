import { OtpError } from './errors.js'
import type { Parts } from './parts.js'
import { knownKeys } from './check.js'
import { checkGuard, plain } from './guard-options.js'
import { requireSession } from './host-session.js'
import type { OtpRequest } from './http.js'
import { isSitePath, isUnder } from './same-origin.js'
import { sendTo } from './send.js'
import { destination, pageUrl, stateOf } from './state.js'
import { fingerprintDetails, sealStepUp, type StepUp } from './step-up.js'
import { localeOf, whoIs } from './visit.js'

/** What `otp.start()` asks for: as a guard does, but as values. */
export interface StartOptions {
  purpose?: string
  details?: unknown
  describe?: string
  /** Path on this site to go to after verifying; anything else counts as `home`. */
  returnTo?: string
}

export interface Started {
  /** Where to lead the browser: the page on which the code is typed. */
  readonly url: string
  /** What became of the mail; `none` when there was nothing to mail: proof is fresh, or an address must be typed. */
  readonly delivery: 'sent' | 'queued' | 'failed' | 'throttled' | 'none'
}

/**
 * Mails the code from within a POST of the host's own, its sign-in for example, and tells where it is typed:
 * `res.redirect(303, (await otp.start(req)).url)`. A mail that failed is not thrown: the page says so.
 * Saves and reloads the session: take `req.session` from `req` again afterwards; it is
 * undefined when the session ended meanwhile.
 * @throws OtpError `invalid_user` when nobody is signed in and no address may be typed; `invalid_option` on a GET,
 * which must never send mail
 */
export async function start(parts: Parts, req: OtpRequest, options: StartOptions = {}): Promise<Started> {
  const { settings } = parts
  if (req.method === 'GET' || req.method === 'HEAD') {
    throw new OtpError('invalid_option', 'otp.start() sends mail, so call it within a POST, never a GET.')
  }
  knownKeys('start', options, ['purpose', 'details', 'describe', 'returnTo'])
  requireSession(req)
  const { returnTo = '', details, describe = '' } = options
  const { purpose } = checkGuard(options.purpose === undefined ? {} : { purpose: options.purpose })
  const person = await whoIs(settings, req)
  const isUsable = isSitePath(returnTo) && !isUnder(returnTo, settings.path)
  const stepUp: StepUp = {
    purpose,
    details: details === undefined ? null : fingerprintDetails(details),
    description: plain(describe),
    returnTo: isUsable ? returnTo : null,
    maxAge: null,
  }
  const sealed = sealStepUp(settings.keys.current, stepUp, person?.holder ?? null, settings.now())
  const url = pageUrl(settings, sealed)
  const visit = { req, person, stepUp, sealed, locale: localeOf(parts, req, person) }
  if (person === null && settings.typedEmail) return { url, delivery: 'none' }
  if (stateOf(parts, visit).state === 'verified') return { url: destination(settings, visit), delivery: 'none' }
  return { url, delivery: await sendTo(parts, visit) }
}
