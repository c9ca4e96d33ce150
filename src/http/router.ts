import express from 'express'
import { OtpError } from '../errors.js'
import type { OtpHandler, OtpRequest, OtpResponse } from '../express-types.js'
import { serveAssets } from './assets.js'
import {
  checkMails,
  checkMiddleware,
  checkMountPath,
  limitBody,
  MAX_BODY_BYTES,
  rejectCrossSite,
  requireIdentity,
  requireStepUp,
  type RouteHandler,
} from './middleware.js'
import { createRequestContext } from './request/context.js'
import { samePage } from './request/sealed-step-up.js'
import { problem } from './response/problem.js'
import { redirect, respond, respondWithError, respondWithoutContext } from './response/respond.js'
import { handleRestart } from './routes/restart.js'
import { handleSend } from './routes/send.js'
import { handleContinue, handleStatus } from './routes/show.js'
import { handleVerify } from './routes/verify.js'
import type { Services } from '../services.js'
import { requireSession } from '../session/host-session.js'

const POSTS = ['/send', '/verify', '/restart']
const MAX_RESPONSE_MS = 2_000

/** The pages under `/2fa`. */
export function createRouter(services: Services): OtpHandler {
  const { settings, views } = services
  const router = express.Router()
  const form: express.RequestHandler = express.urlencoded({ extended: false, limit: MAX_BODY_BYTES })
  const json: express.RequestHandler = express.json({ limit: MAX_BODY_BYTES, strict: true })
  const parseBody: express.RequestHandler = (req, res, next) => {
    const parse = /json/i.test(req.headers['content-type'] ?? '') ? json : form
    return parse(req, res, next)
  }
  const asHandler =
    (route: RouteHandler) =>
    (req: OtpRequest, res: OtpResponse): void => {
      handle(services, route, req, res).catch((error: unknown) => {
        respondWithError(services, req, res, error, samePage(settings, req))
      })
    }

  router.use(checkMountPath(settings), checkMails(services))
  router.get('/', checkMiddleware(settings), asHandler(requireIdentity(requireStepUp(handleStatus))))
  router.get('/continue', asHandler(requireIdentity(requireStepUp(handleContinue))))
  const checks = [rejectCrossSite(services), limitBody(services), parseBody]
  router.post('/send', checks, asHandler(requireIdentity(requireStepUp(handleSend))))
  router.post('/verify', checks, asHandler(requireIdentity(requireStepUp(handleVerify))))
  router.post('/restart', checks, asHandler(requireStepUp(handleRestart)))
  router.get(POSTS, (req, res) => {
    redirect(settings, res, samePage(settings, req)) // for a reload of a problem page
  })
  router.use('/assets', serveAssets(views))
  router.use((error: unknown, req: OtpRequest, res: OtpResponse, next: (error?: unknown) => void) => {
    if (error instanceof OtpError || res.headersSent) return void next(error)
    const { status } = error as { status?: unknown }
    if (typeof status !== 'number' || status >= 500) return void respondWithError(services, req, res, error)
    const tooLarge = status === 413
    respondWithoutContext(services, req, res, problem('bad_request', {}, tooLarge ? 413 : 400), samePage(settings, req))
  })
  return router as unknown as OtpHandler
}

async function handle(services: Services, route: RouteHandler, req: OtpRequest, res: OtpResponse): Promise<void> {
  requireSession(req)
  const ctx = await createRequestContext(services, req)
  if (ctx === null) return void respondWithoutContext(services, req, res, problem('bad_request'))
  const result = await route(ctx)
  if (result.type === 'redirect' && result.afterResponse) afterResponse(res, result.afterResponse)
  await respond(ctx, res, result)
}

/** Runs `callback` after the response, or after two seconds if the client does not read it. */
function afterResponse(res: OtpResponse, callback: () => void): void {
  let isDone = false
  const once = (): void => {
    if (!isDone) callback()
    isDone = true
  }
  if (res.closed) return once()
  res.once('close', once)
  setTimeout(once, MAX_RESPONSE_MS).unref()
}
