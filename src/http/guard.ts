import { sanitizeDescription } from '../challenge/description.js'
import { hashDetails } from '../challenge/details.js'
import type { Grant } from '../challenge/records.js'
import { sealStepUp, type StepUp } from '../challenge/step-up.js'
import { type GuardOptions, parseGuardOptions } from '../config/guard-options.js'
import type { Settings } from '../config/settings.js'
import { OtpError } from '../errors.js'
import type { OtpHandler, OtpRequest, OtpResponse } from '../express-types.js'
import { callHostFunction } from '../host-callback.js'
import { negotiateLocale } from './request/context.js'
import { refererPath } from './request/csrf.js'
import { isNavigation, redirect, respondWithError, respondWithoutContext, sendProblem } from './response/respond.js'
import { pageUrl } from './response/state.js'
import { resolveIdentity } from '../identity/resolve-user.js'
import type { Identity } from '../identity/user.js'
import type { Services } from '../services.js'
import { downgradeGrant, findValidGrant } from '../session/challenges.js'
import { requireSession } from '../session/host-session.js'
import { isSitePath, isUnder } from '../url.js'

/**
 * Middleware that keeps a route shut until the session holds a fresh grant. It writes no session and, while the
 * grant is fresh, does no I/O; whatever breaks, the route stays shut.
 * @throws OtpError `invalid_option`
 */
export function createGuard(services: Services, options: GuardOptions = {}): OtpHandler {
  const { settings } = services
  const { purpose, maxAge, details, describe } = parseGuardOptions(options)
  const maxAgeSeconds = maxAge ?? settings.grantMaxAge
  if (details && maxAgeSeconds > settings.grantMaxAge) {
    const cure = `With \`details\` give at most \`grantMaxAge\`, ${settings.grantMaxAge}: the grant is for one action, soon.`
    throw new OtpError('invalid_option', `requireOtp: option \`maxAge\` is ${maxAgeSeconds}. ${cure}`)
  }

  return (incoming, res, next) => {
    const req = incoming as OtpRequest
    const fail = (error: unknown): void => {
      respondWithError(services, req, res, error)
    }
    const decide = (identity: Identity | null): void => {
      if (identity === null && !settings.typedEmail) return requireSignIn(services, req, res)
      const ref = identity?.ref ?? null
      if (!details) {
        if (findValidGrant(req, { purpose, details: null }, ref, maxAgeSeconds, settings.now())) return next()
        requireVerification(identity, null).catch(fail)
        return
      }
      consumeGrant(identity, details).then((isOpen) => {
        if (isOpen) next()
      }, fail)
    }
    try {
      requireSession(req)
      const identity = resolveIdentity(settings.user, req)
      if (identity instanceof Promise) identity.then(decide).catch(fail)
      else decide(identity)
    } catch (error) {
      fail(error)
    }

    /** A grant bound to details opens once: two requests at the same time, and the store lets one of them. */
    async function consumeGrant(
      identity: Identity | null,
      readDetails: (req: OtpRequest) => unknown,
    ): Promise<boolean> {
      const detailsHash = hashDetails(await callHostFunction('details', () => readDetails(req)))
      const grant = findValidGrant(
        req,
        { purpose, details: detailsHash },
        identity?.ref ?? null,
        maxAgeSeconds,
        settings.now(),
      )
      if (grant) {
        const isFirst = await isFirstUse(grant)
        // Also when it was spent before: the session of a slower request may have brought it back, and our page would
        // go on calling it verified.
        downgradeGrant(req, grant)
        if (isFirst) return true
      }
      await requireVerification(identity, detailsHash)
      return false
    }

    async function isFirstUse({ id }: Grant): Promise<boolean> {
      // Keyed by the grant's own random id, and empty for longer than any guard of the action takes it.
      const oneUse = { user: id, bucket: 'grant', capacity: 1, refill: 2 * settings.grantMaxAge }
      return (await services.store.spend(oneUse)).outcome === 'spent'
    }

    async function requireVerification(identity: Identity | null, detailsHash: string | null): Promise<void> {
      const messages = describe ? await callHostFunction('describe', () => describe(req)) : ''
      const returnTo = returnToOf(settings, req)
      const stepUp: StepUp = {
        purpose,
        details: detailsHash,
        description: sanitizeDescription(messages),
        returnTo,
        maxAge: maxAge ?? null,
      }
      const sealed = sealStepUp(settings.keys.current, stepUp, identity?.ref ?? null, settings.now())
      if (isNavigation(req)) return void redirect(settings, res, pageUrl(settings, sealed))
      const members = {
        max_age: maxAgeSeconds,
        purpose,
        for: sealed,
        send_url: `${settings.path}/send`,
        verify_url: `${settings.path}/verify`,
        page_url: pageUrl(settings, sealed),
      }
      sendProblem(
        services,
        res,
        { locale: negotiateLocale(services, req, identity) },
        { problem: 'otp_required', members },
      )
    }
  }
}

/** A GET leads back to itself, anything else to the page it came from: bodies are never replayed. */
function returnToOf({ path, site }: Settings, req: OtpRequest): string | null {
  const isPage = req.method === 'GET' || req.method === 'HEAD'
  const page = isPage ? req.originalUrl : refererPath(req.headers, site.origin)
  return page !== null && isSitePath(page) && !isUnder(page, path) ? page : null
}

function requireSignIn(services: Services, req: OtpRequest, res: OtpResponse): void {
  const { signIn } = services.settings
  if (signIn !== null && isNavigation(req)) return redirect(services.settings, res, signIn)
  if (isNavigation(req)) return respondWithoutContext(services, req, res, { problem: 'sign_in_required' })
  sendProblem(services, res, { locale: negotiateLocale(services, req, null) }, { problem: 'sign_in_required' })
}
