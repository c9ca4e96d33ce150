import type { Parts } from './parts.js'
import { otpError } from './errors.js'
import type { OtpRequest, OtpResponse } from './http.js'
import { detailOf, renderDeadEnd, renderPage, titleOf } from './page.js'
import { type Answer, type Problem, statusOf } from './problem.js'
import type { Settings } from './settings.js'
import { localeOf, type Visit } from './visit.js'

/** Sends the answer of one of our routes, as a page or as JSON. */
export async function respond(parts: Parts, visit: Visit, res: OtpResponse, answer: Answer): Promise<void> {
  const asJson = wantsJson(visit.req)
  if ('problem' in answer) {
    if (asJson) sendProblem(parts, res, visit, answer)
    else sendPage(parts.settings, res, statusOf(answer), await renderPage(parts, visit, answer), answer)
  } else if (asJson) {
    send(parts.settings, res, 200, 'application/json', JSON.stringify(answer.json))
  } else if ('goTo' in answer) {
    redirect(parts.settings, res, answer.goTo)
  } else {
    sendPage(parts.settings, res, 200, await renderPage(parts, visit, null), null)
  }
}

/** Answers when something is broken: the right status, a page that tells a stranger nothing, an event that tells all. */
export function respondToFailure(parts: Parts, req: OtpRequest, res: OtpResponse, thrown: unknown): void {
  const error = otpError('host_callback', 'something unexpected was thrown.', thrown)
  parts.events.publish({ type: 'failed', outcome: error.code, error })
  if (res.headersSent) return void res.destroy()
  const isDown = error.code === 'store_unavailable' || error.code === 'session_unavailable'
  const ours = isDown ? 'store_unavailable' : 'internal_error'
  const problem = error.code === 'invalid_details' ? 'bad_request' : ours
  try {
    respondWithout(parts, req, res, { problem })
  } catch {
    res.destroy() // the session middleware hooks into the end of an answer, and can throw there
  }
}

/** A problem that is told without knowing who came: the session or the body could not be read. */
export function respondWithout(parts: Parts, req: OtpRequest, res: OtpResponse, problem: Problem): void {
  const visit = { locale: localeOf(parts, req, null), sealed: '' }
  if (wantsJson(req)) return sendProblem(parts, res, visit, problem)
  let page: string
  try {
    page = renderDeadEnd(parts, visit, problem)
  } catch {
    page = titleOf(parts, 'en', problem.problem) // even the problem page is broken: the host's own layout, most likely
  }
  sendPage(parts.settings, res, statusOf(problem), page, problem)
}

export function sendProblem(parts: Parts, res: OtpResponse, visit: Pick<Visit, 'locale'>, problem: Problem): void {
  const body = {
    type: `urn:express-email-otp:problem:${problem.problem}`,
    title: titleOf(parts, visit.locale, problem.problem),
    status: statusOf(problem),
    detail: detailOf(parts, visit, problem),
    code: problem.problem,
    ...problem.members,
  }
  retryAfter(res, problem)
  send(parts.settings, res, body.status, 'application/problem+json', JSON.stringify(body))
}

export function redirect(settings: Settings, res: OtpResponse, to: string): void {
  res.setHeader('Location', to)
  send(settings, res, 303, 'text/plain', '')
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
export function secure(settings: Settings, res: OtpResponse): void {
  res.setHeader('Cache-Control', 'no-store')
  res.setHeader('Referrer-Policy', 'no-referrer')
  res.setHeader('X-Content-Type-Options', 'nosniff')
  const { contentSecurityPolicy } = settings
  if (contentSecurityPolicy !== null) res.setHeader('Content-Security-Policy', contentSecurityPolicy)
}

function sendPage(settings: Settings, res: OtpResponse, status: number, html: string, problem: Problem | null): void {
  if (problem) retryAfter(res, problem)
  send(settings, res, status, 'text/html', html)
}

function send(settings: Settings, res: OtpResponse, status: number, type: string, body: string): void {
  secure(settings, res)
  res.statusCode = status
  res.setHeader('Content-Type', `${type}; charset=utf-8`)
  res.setHeader('Content-Length', Buffer.byteLength(body))
  res.end(body)
}

function retryAfter(res: OtpResponse, { members }: Problem): void {
  if (members?.retry_after !== undefined) res.setHeader('Retry-After', String(members.retry_after))
}
