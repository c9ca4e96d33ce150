import { hashDetails } from '../challenge/details.js'
import { parsePurpose } from '../config/guard-options.js'
import { OtpError } from '../errors.js'
import type { OtpRequest } from '../express-types.js'
import { notePurpose } from './misuse.js'
import { mayProceed, negotiateLocale, type RequestContext } from './request/context.js'
import { stateOf } from './response/state.js'
import { publicPage, returnUrl } from './response/urls.js'
import { handleSend } from './routes/send.js'
import { createStepUp } from './step-up-request.js'
import { resolveIdentity } from '../identity/resolve-user.js'
import { noAddressOrThrow } from '../identity/user.js'
import type { Services } from '../services.js'
import { requireSession } from '../session/host-session.js'
import { OptionChecker, optionNames } from '../validate.js'

/** The same as the options of a guard, but as values. */
export interface StartOptions {
  purpose?: string
  details?: unknown
  describe?: string
  /** Path on this site to go to after verifying; anything else counts as `home`. */
  returnTo?: string
}

export interface StartResult {
  /** Where to redirect the browser: the page on which the code is typed. */
  readonly url: string
  /** Status of the mail; `none` if there was nothing to mail: the grant is valid, or an address must be typed first. */
  readonly delivery: 'sent' | 'queued' | 'failed' | 'throttled' | 'none'
}

const check = new OptionChecker('start')

const OPTION_NAMES = optionNames<StartOptions>({ purpose: true, details: true, describe: true, returnTo: true })

/**
 * Mails the code from within a POST of the host's, for example its sign-in, and returns the URL where it is typed:
 * `res.redirect(303, (await otp.start(req)).url)`. A failed mail does not throw: the page says so.
 * Saves and reloads the session: read `req.session` again afterwards. It is undefined if the session ended meanwhile.
 * @throws OtpError `invalid_user` when nobody is signed in and no address may be typed; `invalid_option` on a GET,
 * which must never send mail
 */
export async function start(services: Services, req: OtpRequest, options: StartOptions = {}): Promise<StartResult> {
  const { settings } = services
  if (req.method === 'GET' || req.method === 'HEAD') {
    throw new OtpError('invalid_option', 'otp.start() sends mail, so call it within a POST, never a GET.')
  }
  check.rejectUnknownKeys('', options, OPTION_NAMES)
  const purpose = parsePurpose(check, options.purpose)
  notePurpose(settings, purpose)
  requireSession(req)
  const identity = await resolveIdentity(settings.user, req).catch(noAddressOrThrow)
  // The page tells the visitor, and the event that it publishes tells the host.
  if (identity === 'no_address') return { url: settings.publicPath, delivery: 'failed' }
  const { stepUp, sealed, url } = createStepUp(settings, identity, {
    purpose,
    details: options.details === undefined ? null : hashDetails(options.details),
    description: options.describe ?? '',
    returnTo: publicPage(settings, options.returnTo ?? ''),
    maxAge: null,
  })
  if (!mayProceed(settings, identity)) {
    throw new OtpError('invalid_user', 'otp.start() needs a user: sign the visitor in first.')
  }
  if (identity === null) return { url, delivery: 'none' }
  const locale = negotiateLocale(services, req, identity)
  const ctx: RequestContext = { services, req, identity, stepUp, sealed, locale, expectedUser: 'any', unusable: null }
  if (stateOf(ctx).step === 'verified') return { url: returnUrl(settings, stepUp), delivery: 'none' }
  return { url, delivery: await deliveryOf(ctx) }
}

async function deliveryOf(ctx: RequestContext): Promise<StartResult['delivery']> {
  const result = await handleSend(ctx)
  if (result.type === 'problem') return result.code === 'too_many_requests' ? 'throttled' : 'failed'
  return result.json.delivery === 'sent' ? 'sent' : 'queued'
}
