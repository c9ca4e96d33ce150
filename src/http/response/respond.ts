import type { PageContext } from '../../config/page.js'
import type { Settings } from '../../config/settings.js'
import { type OtpError, wrapError } from '../../errors.js'
import type { OtpRequest, OtpResponse } from '../../express-types.js'
import { negotiateLocale, type RequestContext } from '../request/context.js'
import { authenticateHeader } from './authenticate-header.js'
import { wantsJson } from './content-negotiation.js'
import { noticeOf, noticeUrl } from './notice.js'
import { renderPage, renderProblemPage } from './page.js'
import { continueContext, pageContext } from './page-context.js'
import { problemDetail, problemDetailFor, problemTitle } from './problem-text.js'
import { type Problem, problem, type ProblemCode, type ProblemDetails, type RouteResult } from './problem.js'
import { isNoAddress } from '../../identity/user.js'
import type { Services } from '../../services.js'

/** Sends the result of one of our routes, as a page or as JSON. */
export async function respond(ctx: RequestContext, res: OtpResponse, result: RouteResult): Promise<void> {
  const { services, req } = ctx
  const { settings } = services
  const render = async (page: PageContext, status = 200): Promise<string> =>
    renderPage({ services, req, res, status }, page)
  const asJson = wantsJson(ctx.req)
  if (result.type === 'problem') {
    if (asJson) return void sendProblem(ctx.services, res, ctx.locale, result, problemDetailFor(ctx, result))
    const notice = noticeOf(ctx, result)
    const to = noticeUrl(ctx, notice)
    return to === null
      ? void sendPage(settings, res, await render(await pageContext(ctx, res, notice), result.status), result)
      : void redirect(settings, res, to)
  }
  if (result.type === 'redirect' && result.cookie) res.appendHeader('Set-Cookie', result.cookie)
  if (asJson) return void write(settings, res, 200, 'application/json', JSON.stringify(result.json))
  if (result.type === 'redirect') return void redirect(settings, res, result.to)
  if (result.type === 'page') {
    return void sendPage(settings, res, await render(await pageContext(ctx, res, result.notice)), null)
  }
  sendPage(settings, res, await render(await continueContext(ctx, result.to)), null, result.to)
}

/** Responds when something is broken. The response reveals nothing; the event has the error. */
export function respondWithError(
  services: Services,
  req: OtpRequest,
  res: OtpResponse,
  thrown: unknown,
  retryUrl?: string,
): void {
  const result = problemOfError(services, thrown)
  // With a length it was about to end: the session middleware, which hooks in there, has thrown, and ignores another end.
  if (res.headersSent || res.hasHeader('Content-Length')) return void res.destroy()
  try {
    respondWithoutContext(services, req, res, result, retryUrl)
  } catch {
    res.destroy() // the session middleware hooks into the end of a response, and can throw there
  }
}

/**
 * Responds with a problem when the session or the body could not be read.
 * @param retryUrl where the page offers to try again
 */
export function respondWithoutContext(
  services: Services,
  req: OtpRequest,
  res: OtpResponse,
  problem: Problem,
  retryUrl = services.settings.publicPath,
): void {
  const locale = negotiateLocale(services, req, null)
  if (wantsJson(req)) return sendProblem(services, res, locale, problem)
  renderProblemPage({ services, req, res, status: problem.status }, locale, problem, retryUrl)
    .then((page) => {
      sendPage(services.settings, res, page, problem)
    })
    .catch(() => {
      res.destroy() // the session middleware hooks into the end of a response, and can throw there
    })
}

export function sendProblem(
  services: Services,
  res: OtpResponse,
  locale: string,
  problem: Problem,
  detail?: string,
): void {
  const body = JSON.stringify(problemDetails(services, locale, problem, detail))
  setProblemHeaders(res, problem)
  write(services.settings, res, problem.status, 'application/problem+json', body)
}

/** A problem as JSON clients get it. */
export function problemDetails(
  services: Services,
  locale: string,
  problem: Problem,
  detail = problemDetail(services, locale, problem),
): ProblemDetails {
  const { code, status, members } = problem
  const title = problemTitle(services, locale, code)
  return { type: `urn:express-email-otp:problem:${code}`, title, status, detail, code, ...members }
}

export function redirect(settings: Settings, res: OtpResponse, to: string): void {
  res.setHeader('Location', to)
  write(settings, res, 303, 'text/plain', '')
}

/** Publishes what is broken. Returns what the visitor is told. */
export function problemOfError(services: Services, thrown: unknown, textKey?: string): Problem {
  const error = wrapError('internal', 'something unexpected was thrown.', thrown)
  services.events.publish({ type: 'failed', outcome: error.code, error })
  return { ...problem(problemCodeOf(error)), ...(textKey !== undefined && { textKey }) }
}

function problemCodeOf(error: OtpError): ProblemCode {
  const { code } = error
  if (isNoAddress(error)) return 'no_address'
  if (code === 'store_unavailable' || code === 'session_unavailable') return 'store_unavailable'
  return code === 'invalid_details' ? 'bad_request' : 'internal_error'
}

function sendPage(settings: Settings, res: OtpResponse, html: string, problem: Problem | null, refresh = ''): void {
  if (res.headersSent) return // by the host's `renderPage`; an event tells
  if (problem) setProblemHeaders(res, problem)
  if (refresh !== '') res.setHeader('Refresh', `0; url=${refresh}`)
  write(settings, res, problem?.status ?? 200, 'text/html', html)
}

function write(settings: Settings, res: OtpResponse, status: number, type: string, body: string): void {
  setSecurityHeaders(settings, res)
  res.statusCode = status
  res.setHeader('Content-Type', `${type}; charset=utf-8`)
  res.setHeader('Content-Length', Buffer.byteLength(body))
  res.end(body)
}

/**
 * The headers of every page, error and redirect (ASVS 3.4, 14.3.2). With the policy `no-referrer` a form would be posted with
 * `Origin: null`, by the Fetch standard.
 */
function setSecurityHeaders({ contentSecurityPolicy }: Settings, res: OtpResponse): void {
  res.setHeader('Cache-Control', 'no-store')
  res.setHeader('Referrer-Policy', 'same-origin')
  res.setHeader('X-Content-Type-Options', 'nosniff')
  if (contentSecurityPolicy !== null) res.setHeader('Content-Security-Policy', contentSecurityPolicy)
}

function setProblemHeaders(res: OtpResponse, problem: Problem): void {
  const { retry_after } = problem.members
  if (retry_after !== undefined) res.setHeader('Retry-After', String(retry_after))
  const challenge = authenticateHeader(problem)
  if (challenge !== null) res.setHeader('WWW-Authenticate', challenge)
}
