import express from 'express'
import { PLAIN_ACCESS } from '../challenge/step-up.js'
import { OtpError } from '../errors.js'
import type { OtpHandler, OtpRequest, OtpResponse } from '../express-types.js'
import { createRequestContext, type RequestContext } from './request/context.js'
import { isCrossSite } from './request/csrf.js'
import type { RouteResult } from './response/problem.js'
import { redirect, respond, respondWithError, respondWithoutContext, wantsJson } from './response/respond.js'
import { stateJson } from './response/state.js'
import { handleSend } from './routes/send.js'
import { handleVerify, restart } from './routes/verify.js'
import type { Services } from '../services.js'
import { requireSession } from '../session/host-session.js'

type RouteHandler = (services: Services, ctx: RequestContext) => RouteResult | Promise<RouteResult>
type Next = (error?: unknown) => void

const MAX_BODY_BYTES = 4096
const MAX_RESPONSE_MS = 2_000

/** The pages under `/2fa`. */
export function createRouter(services: Services): OtpHandler {
  const { settings } = services
  const router = express.Router()
  const bodies = [
    express.urlencoded({ extended: false, limit: MAX_BODY_BYTES }),
    express.json({ limit: MAX_BODY_BYTES, strict: true }),
  ]
  const asHandler =
    (route: RouteHandler) =>
    (req: OtpRequest, res: OtpResponse): void => {
      handleRequest(services, route, req, res).catch((error: unknown) => {
        respondWithError(services, req, res, error)
      })
    }

  router.use(checkMountPath(settings.path))
  for (const folder of services.views.assetFolders) {
    router.use('/assets', express.static(folder, { index: false, redirect: false, maxAge: '1h', setHeaders: nosniff }))
  }
  router.get('/', asHandler(handleStatus))
  router.get(['/send', '/verify', '/restart'], (_req, res) => {
    redirect(settings, res, settings.path) // a reload of a problem page ends up here: lead back, change nothing
  })
  router.post(['/send', '/verify', '/restart'], rejectCrossSite(services), limitBody(services), ...bodies)
  router.post('/send', asHandler(handleSend))
  router.post('/verify', asHandler(handleVerify))
  router.post('/restart', asHandler(restart))
  router.use((error: unknown, req: OtpRequest, res: OtpResponse, next: Next) => {
    if (error instanceof OtpError || res.headersSent) return void next(error)
    const { status } = error as { status?: unknown }
    if (typeof status !== 'number' || status >= 500) return void respondWithError(services, req, res, error)
    respondWithoutContext(services, req, res, { problem: 'bad_request', status: status === 413 ? 413 : 400 })
  })
  return router as unknown as OtpHandler
}

/** A request's way: session, who and what for, the route, the answer. */
async function handleRequest(
  services: Services,
  route: RouteHandler,
  req: OtpRequest,
  res: OtpResponse,
): Promise<void> {
  requireSession(req)
  const ctx = await createRequestContext(services, req)
  if (ctx === null) return void respondWithoutContext(services, req, res, { problem: 'bad_request' })
  const answer = await route(services, ctx)
  if ('afterResponse' in answer) afterResponse(res, answer.afterResponse)
  await respond(services, ctx, res, answer)
}

/** When the answer is out; or soon, since whoever never reads it must not hold anything up. */
function afterResponse(res: OtpResponse, act: () => void): void {
  let isDone = false
  const once = (): void => {
    if (!isDone) act()
    isDone = true
  }
  if (res.closed) return once()
  res.once('close', once)
  setTimeout(once, MAX_RESPONSE_MS).unref()
}

/** `GET /`: where you stand. Sends nothing and changes nothing. */
function handleStatus(services: Services, ctx: RequestContext): RouteResult {
  const { settings } = services
  if (ctx.identity === null && !settings.typedEmail) {
    const canRedirectToSignIn = settings.signIn !== null && !wantsJson(ctx.req)
    return canRedirectToSignIn ? { redirectTo: settings.signIn, json: {} } : { problem: 'sign_in_required' }
  }
  return { page: 'current', json: stateJson(services, ctx) }
}

function rejectCrossSite(services: Services) {
  return (req: OtpRequest, res: OtpResponse, next: Next): void => {
    if (!isCrossSite(req.headers, services.settings.site.origin)) return next()
    const anonymous = { user: null, purpose: PLAIN_ACCESS.purpose, tag: null }
    services.events.publish({ type: 'refused', ...anonymous, outcome: 'cross_site' })
    respondWithoutContext(services, req, res, { problem: 'cross_site' })
  }
}

// The host may have parsed the body already, with a limit of its own.
function limitBody(services: Services) {
  return (req: OtpRequest, res: OtpResponse, next: Next): void => {
    const { 'content-length': length } = req.headers
    // In chunks it has no length that could be read beforehand.
    const size = Number(length ?? Buffer.byteLength(JSON.stringify(req.body ?? '')))
    if (size <= MAX_BODY_BYTES) return next()
    respondWithoutContext(services, req, res, { problem: 'bad_request', status: 413 })
  }
}

/** Every URL we make begins with `path`; if the router hangs elsewhere, say so at the first request. */
function checkMountPath(path: string): (req: OtpRequest, res: OtpResponse, next: Next) => void {
  let isChecked = false
  return (req, _res, next) => {
    if (isChecked || req.baseUrl.toLowerCase() === path.toLowerCase()) {
      isChecked = true
      return next()
    }
    const message = `the router is mounted at "${req.baseUrl}" but \`path\` is "${path}". Mount it with app.use('${path}', otp.router), or give emailOtp({ path: '${req.baseUrl}' }).`
    next(new OtpError('mount_path', message))
  }
}

function nosniff(res: { setHeader(name: string, value: string): unknown }): void {
  res.setHeader('X-Content-Type-Options', 'nosniff')
}
