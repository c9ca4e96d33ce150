import { sanitizeDescription } from '../challenge/description.js'
import { hashDetails } from '../challenge/details.js'
import { sealStepUp, type StepUp } from '../challenge/step-up.js'
import { parseGuardOptions } from '../config/guard-options.js'
import { OtpError } from '../errors.js'
import type { OtpRequest } from '../express-types.js'
import { negotiateLocale } from './request/context.js'
import { pageUrl, returnUrl, stateOf } from './response/state.js'
import { sendForStart } from './routes/send.js'
import { resolveIdentity } from '../identity/resolve-user.js'
import type { Services } from '../services.js'
import { requireSession } from '../session/host-session.js'
import { isSitePath, isUnder } from '../url.js'
import { rejectUnknownKeys } from '../validate.js'

/** What `otp.start()` asks for: as a guard does, but as values. */
export interface StartOptions {
  purpose?: string
  details?: unknown
  describe?: string
  /** Path on this site to go to after verifying; anything else counts as `home`. */
  returnTo?: string
}

export interface StartResult {
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
export async function start(services: Services, req: OtpRequest, options: StartOptions = {}): Promise<StartResult> {
  const { settings } = services
  if (req.method === 'GET' || req.method === 'HEAD') {
    throw new OtpError('invalid_option', 'otp.start() sends mail, so call it within a POST, never a GET.')
  }
  rejectUnknownKeys('start', options, ['purpose', 'details', 'describe', 'returnTo'])
  requireSession(req)
  const { returnTo = '', details, describe = '' } = options
  const { purpose } = parseGuardOptions(options.purpose === undefined ? {} : { purpose: options.purpose })
  const identity = await resolveIdentity(settings.user, req)
  const isSafeReturnTo = isSitePath(returnTo) && !isUnder(returnTo, settings.path)
  const stepUp: StepUp = {
    purpose,
    details: details === undefined ? null : hashDetails(details),
    description: sanitizeDescription(describe),
    returnTo: isSafeReturnTo ? returnTo : null,
    maxAge: null,
  }
  const sealed = sealStepUp(settings.keys.current, stepUp, identity?.ref ?? null, settings.now())
  const url = pageUrl(settings, sealed)
  const ctx = { req, identity, stepUp, sealed, locale: negotiateLocale(services, req, identity) }
  if (identity === null && settings.typedEmail) return { url, delivery: 'none' }
  if (stateOf(services, ctx).step === 'verified') return { url: returnUrl(settings, ctx), delivery: 'none' }
  return { url, delivery: await sendForStart(services, ctx) }
}
