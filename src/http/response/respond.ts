import type { Settings } from '../../config/settings.js'
import { wrapError } from '../../errors.js'
import type { OtpRequest, OtpResponse } from '../../express-types.js'
import { negotiateLocale, type RequestContext } from '../request/context.js'
import { problemDetail, problemTitle, renderPage, renderProblemPage } from './page-context.js'
import { httpStatusOf, type Problem, type RouteResult } from './problem.js'
import type { Services } from '../../services.js'

/** Sends the answer of one of our routes, as a page or as JSON. */
export async function respond(
  services: Services,
  ctx: RequestContext,
  res: OtpResponse,
  answer: RouteResult,
): Promise<void> {
  const asJson = wantsJson(ctx.req)
  if ('problem' in answer) {
    if (asJson) sendProblem(services, res, ctx, answer)
    else sendPage(services.settings, res, httpStatusOf(answer), await renderPage(services, ctx, answer), answer)
  } else if (asJson) {
    write(services.settings, res, 200, 'application/json', JSON.stringify(answer.json))
  } else if ('redirectTo' in answer) {
    redirect(services.settings, res, answer.redirectTo)
  } else {
    sendPage(services.settings, res, 200, await renderPage(services, ctx, null), null)
  }
}

/** Answers when something is broken: the right status, a page that tells a stranger nothing, an event that tells all. */
export function respondWithError(services: Services, req: OtpRequest, res: OtpResponse, thrown: unknown): void {
  const error = wrapError('host_callback', 'something unexpected was thrown.', thrown)
  services.events.publish({ type: 'failed', outcome: error.code, error })
  if (res.headersSent) return void res.destroy()
  const isDown = error.code === 'store_unavailable' || error.code === 'session_unavailable'
  const fallback = isDown ? 'store_unavailable' : 'internal_error'
  const problem = error.code === 'invalid_details' ? 'bad_request' : fallback
  try {
    respondWithoutContext(services, req, res, { problem })
  } catch {
    res.destroy() // the session middleware hooks into the end of an answer, and can throw there
  }
}

/** A problem that is told without knowing who came: the session or the body could not be read. */
export function respondWithoutContext(services: Services, req: OtpRequest, res: OtpResponse, problem: Problem): void {
  const ctx = { locale: negotiateLocale(services, req, null), sealed: '' }
  if (wantsJson(req)) return sendProblem(services, res, ctx, problem)
  let page: string
  try {
    page = renderProblemPage(services, ctx, problem)
  } catch {
    page = problemTitle(services, 'en', problem.problem) // even the problem page is broken: the host's own layout, most likely
  }
  sendPage(services.settings, res, httpStatusOf(problem), page, problem)
}

export function sendProblem(
  services: Services,
  res: OtpResponse,
  ctx: Pick<RequestContext, 'locale'>,
  problem: Problem,
): void {
  const body = {
    type: `urn:express-email-otp:problem:${problem.problem}`,
    title: problemTitle(services, ctx.locale, problem.problem),
    status: httpStatusOf(problem),
    detail: problemDetail(services, ctx, problem),
    code: problem.problem,
    ...problem.members,
  }
  retryAfter(res, problem)
  write(services.settings, res, body.status, 'application/problem+json', JSON.stringify(body))
}

export function redirect(settings: Settings, res: OtpResponse, to: string): void {
  res.setHeader('Location', to)
  write(settings, res, 303, 'text/plain', '')
}

/**
 * A page or JSON: a navigation gets a page whatever it accepts; a client that speaks JSON or asks for it gets JSON;
 * anything else gets what it accepts, a page first.
 */
export function wantsJson(req: OtpRequest): boolean {
  const { 'sec-fetch-dest': destination, accept = '', 'content-type': type = '' } = req.headers
  if (destination === 'document') return false
  if (/^application\/(?:[\w.+-]+\+)?json\b/i.test(type)) return true
  if (/\bapplication\/(?:problem\+)?json\b/i.test(accept) && !/\btext\/html\b/i.test(accept)) return true
  if (destination !== undefined && !/\btext\/html\b/i.test(accept)) return true // fetch() with its usual */*
  return req.accepts(['html', 'json']) === 'json'
}

/** Whether a browser is going somewhere, so that it can be led to our page. A bare `*`/`*` says nothing of the kind. */
export function isNavigation(req: OtpRequest): boolean {
  if (req.headers['sec-fetch-dest'] === 'document') return true
  return /\btext\/html\b/i.test(req.headers.accept ?? '') && !wantsJson(req)
}

/** The headers of every page, error and redirect (ASVS 3.4, 14.3.2). */
export function setSecurityHeaders(settings: Settings, res: OtpResponse): void {
  res.setHeader('Cache-Control', 'no-store')
  res.setHeader('Referrer-Policy', 'no-referrer')
  res.setHeader('X-Content-Type-Options', 'nosniff')
  const { contentSecurityPolicy } = settings
  if (contentSecurityPolicy !== null) res.setHeader('Content-Security-Policy', contentSecurityPolicy)
}

function sendPage(settings: Settings, res: OtpResponse, status: number, html: string, problem: Problem | null): void {
  if (problem) retryAfter(res, problem)
  write(settings, res, status, 'text/html', html)
}

function write(settings: Settings, res: OtpResponse, status: number, type: string, body: string): void {
  setSecurityHeaders(settings, res)
  res.statusCode = status
  res.setHeader('Content-Type', `${type}; charset=utf-8`)
  res.setHeader('Content-Length', Buffer.byteLength(body))
  res.end(body)
}

function retryAfter(res: OtpResponse, { members }: Problem): void {
  if (members?.retry_after !== undefined) res.setHeader('Retry-After', String(members.retry_after))
}
