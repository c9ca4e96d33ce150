import { hashDetails } from '../challenge/details.js'
import type { Grant } from '../challenge/records.js'
import { type GuardOptions, type GuardSettings, parseGuardOptions } from '../config/guard-options.js'
import type { Settings } from '../config/settings.js'
import { OtpError } from '../errors.js'
import type { OtpHandler, OtpRequest, OtpResponse } from '../express-types.js'
import { callHostFunction } from '../host-callback.js'
import { mayProceed, negotiateLocale } from './request/context.js'
import { refererPath } from './request/csrf.js'
import { isNavigation } from './response/content-negotiation.js'
import { problem } from './response/problem.js'
import { redirect, respondWithError, respondWithoutContext, sendProblem } from './response/respond.js'
import { createStepUp } from './step-up-request.js'
import { resolveIdentity } from '../identity/resolve-user.js'
import type { Identity } from '../identity/user.js'
import type { Services } from '../services.js'
import { findValidGrant, withUsedGrant } from '../session/grants.js'
import { requireSession } from '../session/host-session.js'
import type { ExpectedUser } from '../session/refresh-session.js'
import { updateSession } from '../session/update-session.js'
import { toSitePath } from '../url.js'

/**
 * Middleware that keeps a route closed until the session has a valid grant. With a grant it opens without I/O; only a
 * grant bound to details is used up in the store. On any error the route stays closed.
 * @throws OtpError `invalid_option`
 */
export function createGuard(services: Services, options: GuardOptions = {}): OtpHandler {
  const guard = parseGuardOptions(options, services.settings.grantMaxAge)
  return (incoming, res, next) => {
    const req = incoming as OtpRequest
    decide(services, guard, req, res).then(
      (isOpen) => {
        if (isOpen) next()
      },
      (error: unknown) => {
        respondWithError(services, req, res, error)
      },
    )
  }
}

/** Whether the route opens; if not, the response is sent. */
async function decide(services: Services, guard: GuardSettings, req: OtpRequest, res: OtpResponse): Promise<boolean> {
  const { settings } = services
  requireSession(req)
  const identity = await resolveIdentity(settings.user, req)
  if (!mayProceed(settings, identity)) return requireSignIn(services, req, res)
  const { details: read } = guard
  const details = read && hashDetails(await callWithRequest('details', () => read(req)))
  const maxAge = guard.maxAge ?? settings.grantMaxAge
  const wanted = { purpose: guard.purpose, details }
  const ref = identity?.ref ?? null
  const grant = findValidGrant(settings, req, wanted, ref, maxAge, settings.now())
  if (grant && (details === null || (await consumeGrant(services, req, ref, grant)))) return true
  if (services.trustedBrowser.opens(req, identity, { ...wanted, maxAge: guard.maxAge })) return true
  return requireVerification(services, guard, req, res, identity, details)
}

/** A grant bound to details opens once: of two requests at the same time the store lets one through. */
async function consumeGrant(
  { settings, store }: Services,
  req: OtpRequest,
  owner: ExpectedUser,
  grant: Grant,
): Promise<boolean> {
  // Keyed by the grant's random id. Refilled only when the grant is too old for any guard.
  const oneUse = { user: grant.id, bucket: 'grant-use', capacity: 1, refill: 2 * settings.grantMaxAge }
  const isFirstUse = (await store.spend(oneUse)).outcome === 'spent'
  // Also if it was used before: a slow request may have restored it in the session, and our page would say "verified".
  const updated = await updateSession(settings, req, owner, (data) => withUsedGrant(data, grant))
  // Not saved: the session or the grant has ended in the meantime.
  return isFirstUse && updated === 'saved'
}

async function requireVerification(
  services: Services,
  { purpose, describe, maxAge }: GuardSettings,
  req: OtpRequest,
  res: OtpResponse,
  identity: Identity | null,
  details: string | null,
): Promise<false> {
  const { settings } = services
  const description = describe ? await callWithRequest('describe', () => describe(req)) : ''
  const returnTo = returnToOf(settings, req)
  const { sealed, url } = createStepUp(settings, identity, { purpose, details, description, returnTo, maxAge })
  if (isNavigation(req)) redirect(settings, res, url)
  else {
    const urls = { send_url: `${settings.publicPath}/send`, verify_url: `${settings.publicPath}/verify`, page_url: url }
    const members = { max_age: maxAge ?? settings.grantMaxAge, purpose, for: sealed, ...urls }
    sendProblem(services, res, negotiateLocale(services, req, identity), problem('otp_required', members))
  }
  return false
}

function requireSignIn(services: Services, req: OtpRequest, res: OtpResponse): false {
  const { signIn } = services.settings
  if (!isNavigation(req)) {
    sendProblem(services, res, negotiateLocale(services, req, null), problem('sign_in_required'))
  } else if (signIn !== null) redirect(services.settings, res, signIn)
  else respondWithoutContext(services, req, res, problem('sign_in_required'))
  return false
}

/**
 * Calls a host's function that reads the request. A client can send `{"toString": 1}`, on which String() and template
 * strings throw: that is a bad request, not an error of the host's.
 */
async function callWithRequest<T>(name: string, call: () => T | Promise<T>): Promise<T> {
  try {
    return await callHostFunction(name, call)
  } catch (error) {
    const { cause } = error as { cause?: unknown }
    if (!(cause instanceof TypeError) || !cause.message.includes('Cannot convert object to primitive value'))
      throw error
    const message = `\`${name}(req)\` cannot convert an object to a string. Check the type of a value before String().`
    throw new OtpError('invalid_details', message, { cause })
  }
}

/** A GET returns to its own URL, anything else to the page it came from: bodies are never replayed. */
function returnToOf(settings: Settings, req: OtpRequest): string | null {
  const isPage = req.method === 'GET' || req.method === 'HEAD'
  return isPage ? toSitePath(settings.basePath + req.originalUrl, 'latin1') : refererPath(req.headers, settings)
}
