import { PLAIN_ACCESS } from '../challenge/step-up.js'
import type { Settings } from '../config/settings.js'
import { OtpError, troubleshooting } from '../errors.js'
import type { OtpRequest, OtpResponse } from '../express-types.js'
import { markRouterReached, warnAboutMiddleware, warnAboutUnusedMails } from './misuse.js'
import { isLargerThan } from './request/body.js'
import { mayProceed, type RequestContext } from './request/context.js'
import { isCrossSite } from './request/csrf.js'
import { samePage } from './request/sealed-step-up.js'
import { wantsJson } from './response/content-negotiation.js'
import { problem, type RouteResult } from './response/problem.js'
import { respondWithoutContext } from './response/respond.js'
import { ownUrl, returnUrl } from './response/urls.js'
import { signInUrl } from './sign-in.js'
import type { Services } from '../services.js'

type Next = (error?: unknown) => void
type Middleware = (req: OtpRequest, res: OtpResponse, next: Next) => void
export type RouteHandler = (ctx: RequestContext) => RouteResult | Promise<RouteResult>

export const MAX_BODY_BYTES = 16_384

/** Wraps a route: refuses the request if nobody is signed in and no address may be typed. */
export function requireIdentity(route: RouteHandler): RouteHandler {
  return async (ctx) => {
    const { req, services } = ctx
    const { settings } = services
    if (mayProceed(settings, ctx.identity)) return route(ctx)
    const mayRedirect = req.method !== 'POST' && !wantsJson(req)
    const to = mayRedirect ? await signInUrl(settings, req, ownUrl(settings, req) ?? settings.home) : null
    return to === null ? problem('sign_in_required') : { type: 'redirect', to, json: {} }
  }
}

/** Wraps a route: a `for` that is there and cannot be used is never taken for plain access. */
export function requireStepUp(route: RouteHandler): RouteHandler {
  return (ctx) => {
    if (ctx.unusable === null) return route(ctx)
    if (ctx.unusable === 'invalid') return problem('step_up_expired')
    // The guard there asks anew.
    const to = returnUrl(ctx.services.settings, ctx.stepUp)
    return wantsJson(ctx.req) ? problem('step_up_expired', { return_to: to }) : { type: 'redirect', to, json: {} }
  }
}

export function rejectCrossSite(services: Services): Middleware {
  return (req, res, next) => {
    if (!isCrossSite(req.headers, services.settings)) return next()
    const anonymous = { user: null, purpose: PLAIN_ACCESS.purpose, tag: null }
    services.events.publish({ type: 'refused', ...anonymous, outcome: 'cross_site' })
    respondWithoutContext(services, req, res, problem('cross_site'), samePage(services.settings, req))
  }
}

/** Refuses large bodies, also those that the host's own parser has accepted. */
export function limitBody(services: Services): Middleware {
  return (req, res, next) => {
    const { 'content-length': length, 'content-encoding': encoding } = req.headers
    // A chunked body has no Content-Length, and that of a compressed one says little: their parsed values are measured.
    const isMeasured = length === undefined || encoding !== undefined
    const isTooLarge = Number(length ?? 0) > MAX_BODY_BYTES || (isMeasured && isLargerThan(req.body, MAX_BODY_BYTES))
    if (!isTooLarge) return next()
    respondWithoutContext(services, req, res, problem('bad_request', {}, 413), samePage(services.settings, req))
  }
}

/** Every URL that we make begins with `path`, so the first request fails if the router is mounted elsewhere. */
export function checkMountPath(settings: Settings): Middleware {
  const { path } = settings
  let isChecked = false
  return (req, _res, next) => {
    markRouterReached(settings)
    if (isChecked || req.baseUrl.toLowerCase() === path.toLowerCase()) {
      isChecked = true
      return next()
    }
    const message = `the router is mounted at "${req.baseUrl}" but \`path\` is "${path}". Mount it with app.use('${path}', otp.router), or give emailOtp({ path: '${req.baseUrl}' }).`
    next(new OtpError('mount_path', message + troubleshooting('mount_path')))
  }
}

/** Warns at the first request of mails that no purpose has. */
export function checkMails({ settings, views }: Services): Middleware {
  let isChecked = false
  return (_req, _res, next) => {
    if (!isChecked) warnAboutUnusedMails(settings, views.mailFolders)
    isChecked = true
    next()
  }
}

/** Warns of middleware in front that stands in the way of our pages. */
export function checkMiddleware(settings: Settings): Middleware {
  return (req, _res, next) => {
    if (req.method === 'GET') warnAboutMiddleware(settings, req)
    next()
  }
}
