import express from 'express'
import type { Parts } from './parts.js'
import { OtpError } from './errors.js'
import { requireSession } from './host-session.js'
import type { OtpHandler, OtpRequest, OtpResponse } from './http.js'
import type { Answer } from './problem.js'
import { redirect, respond, respondToFailure, respondWithout, wantsJson } from './respond.js'
import { isCrossSite } from './same-origin.js'
import { send } from './send.js'
import { describeState } from './state.js'
import { PLAIN_ACCESS } from './step-up.js'
import { restart, verify } from './verify.js'
import { arrive, type Visit } from './visit.js'

type Route = (parts: Parts, visit: Visit) => Answer | Promise<Answer>
type Next = (error?: unknown) => void

const LARGEST_BODY = 4096
const LONGEST_ANSWER_MS = 2_000

/** The pages under `/2fa`. */
export function createRouter(parts: Parts): OtpHandler {
  const { settings } = parts
  const router = express.Router()
  const bodies = [
    express.urlencoded({ extended: false, limit: LARGEST_BODY }),
    express.json({ limit: LARGEST_BODY, strict: true }),
  ]
  const run =
    (route: Route) =>
    (req: OtpRequest, res: OtpResponse): void => {
      walk(parts, route, req, res).catch((error: unknown) => {
        respondToFailure(parts, req, res, error)
      })
    }

  router.use(isMountedAt(settings.path))
  for (const folder of parts.views.assetFolders) {
    router.use('/assets', express.static(folder, { index: false, redirect: false, maxAge: '1h', setHeaders: nosniff }))
  }
  router.get('/', run(show))
  router.get(['/send', '/verify', '/restart'], (_req, res) => {
    redirect(settings, res, settings.path) // a reload of a problem page ends up here: lead back, change nothing
  })
  router.post(['/send', '/verify', '/restart'], refuseCrossSite(parts), refuseLarge(parts), ...bodies)
  router.post('/send', run(send))
  router.post('/verify', run(verify))
  router.post('/restart', run(restart))
  router.use((error: unknown, req: OtpRequest, res: OtpResponse, next: Next) => {
    if (error instanceof OtpError || res.headersSent) return void next(error)
    const { status } = error as { status?: unknown }
    if (typeof status !== 'number' || status >= 500) return void respondToFailure(parts, req, res, error)
    respondWithout(parts, req, res, { problem: 'bad_request', status: status === 413 ? 413 : 400 })
  })
  return router as unknown as OtpHandler
}

/** A request's way: session, who and what for, the route, the answer. */
async function walk(parts: Parts, route: Route, req: OtpRequest, res: OtpResponse): Promise<void> {
  requireSession(req)
  const visit = await arrive(parts, req)
  if (visit === null) return void respondWithout(parts, req, res, { problem: 'bad_request' })
  const answer = await route(parts, visit)
  if ('afterwards' in answer) whenOut(res, answer.afterwards)
  await respond(parts, visit, res, answer)
}

/** When the answer is out; or soon, since whoever never reads it must not hold anything up. */
function whenOut(res: OtpResponse, act: () => void): void {
  let isDone = false
  const once = (): void => {
    if (!isDone) act()
    isDone = true
  }
  if (res.closed) return once()
  res.once('close', once)
  setTimeout(once, LONGEST_ANSWER_MS).unref()
}

/** `GET /`: where you stand. Sends nothing and changes nothing. */
function show(parts: Parts, visit: Visit): Answer {
  const { settings } = parts
  if (visit.person === null && !settings.typedEmail) {
    const isLed = settings.signIn !== null && !wantsJson(visit.req)
    return isLed ? { goTo: settings.signIn, json: {} } : { problem: 'sign_in_required' }
  }
  return { page: 'current', json: describeState(parts, visit) }
}

function refuseCrossSite(parts: Parts) {
  return (req: OtpRequest, res: OtpResponse, next: Next): void => {
    if (!isCrossSite(req.headers, parts.settings.site.origin)) return next()
    const nobody = { user: null, purpose: PLAIN_ACCESS.purpose, tag: null }
    parts.events.publish({ type: 'refused', ...nobody, outcome: 'cross_site' })
    respondWithout(parts, req, res, { problem: 'cross_site' })
  }
}

// The host may have parsed the body already, with a limit of its own.
function refuseLarge(parts: Parts) {
  return (req: OtpRequest, res: OtpResponse, next: Next): void => {
    const { 'content-length': length } = req.headers
    // In chunks it has no length that could be read beforehand.
    const size = Number(length ?? Buffer.byteLength(JSON.stringify(req.body ?? '')))
    if (size <= LARGEST_BODY) return next()
    respondWithout(parts, req, res, { problem: 'bad_request', status: 413 })
  }
}

/** Every URL we make begins with `path`; if the router hangs elsewhere, say so at the first request. */
function isMountedAt(path: string): (req: OtpRequest, res: OtpResponse, next: Next) => void {
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
