import { type GuardOptions, type GuardSettings, parseGuardOptions } from '../../config/guard-options.js'
import { OtpError } from '../../errors.js'
import type { OtpHandler, OtpRequest, OtpResponse } from '../../express-types.js'
import { type Closed, decide } from './decide.js'
import { rejectGuardBeforeRouter, rejectGuardBeforeSignIn } from './position.js'
import { refusalOf } from './refusal.js'
import { guardedPage } from './return-page.js'
import { notePurpose, warnIfRouterIsUnreached } from '../misuse.js'
import { isNavigation } from '../response/content-negotiation.js'
import { redirect, respondWithError, respondWithoutContext, sendProblem } from '../response/respond.js'
import type { Services } from '../../services.js'
import { OptionChecker } from '../../validate.js'

const check = new OptionChecker('requireOtp')

/**
 * Middleware that keeps a route closed until the session has a valid grant. On any error the route stays closed.
 * @throws OtpError `invalid_option`
 */
export function createGuard(services: Services, options: GuardOptions = {}): OtpHandler {
  const guard = parseGuardOptions(check, options, services.settings)
  notePurpose(services.settings, guard.purpose)
  return (incoming, res, next) => {
    const req = incoming as OtpRequest
    const fail = (error: unknown): void => {
      if (error instanceof OtpError && error.code === 'guard_position') next(error)
      else respondWithError(services, req, res, error, guardedPage(services.settings, guard, req))
    }
    decide(services, guard, req).then((decision) => {
      if (decision.outcome === 'open') next()
      else refuse(services, guard, req, res, decision).catch(fail)
    }, fail)
  }
}

/** Leads a browser to our page or to the sign-in; tells other clients what they need. */
async function refuse(
  services: Services,
  guard: GuardSettings,
  req: OtpRequest,
  res: OtpResponse,
  closed: Closed,
): Promise<void> {
  const { settings } = services
  rejectGuardBeforeRouter(settings, req)
  const isBrowser = isNavigation(req)
  const { url, problem, locale } = await refusalOf(services, guard, req, closed, isBrowser)
  if (!isBrowser) return void sendProblem(services, res, locale, problem)
  if (url === null) return void respondWithoutContext(services, req, res, problem, guardedPage(settings, guard, req))
  if (closed.outcome === 'sign_in_required') rejectGuardBeforeSignIn(settings, req, url)
  else warnIfRouterIsUnreached(settings)
  redirect(settings, res, url)
}
