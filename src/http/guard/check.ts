import { type GuardOptions, type GuardSettings, parseGuardOptions } from '../../config/guard-options.js'
import { wrapError } from '../../errors.js'
import type { OtpRequest } from '../../express-types.js'
import { decide } from './decide.js'
import { notePurpose } from '../misuse.js'
import { type Refusal, refusalOf } from './refusal.js'
import { negotiateLocale } from '../request/context.js'
import type { ProblemDetails } from '../response/problem.js'
import { problemDetails, problemOfError } from '../response/respond.js'
import { isNoAddress } from '../../identity/user.js'
import type { Services } from '../../services.js'
import { OptionChecker } from '../../validate.js'

/** What a guard says, as a value. */
export type CheckResult =
  | { readonly verified: true }
  | {
      readonly verified: false
      /** Where to lead a browser: our page, or `signIn`; null if nobody is signed in and there is no `signIn`. */
      readonly url: string | null
      /** What the guard answers to a JSON client: `otp_required`, `sign_in_required` or `no_address`. */
      readonly problem: ProblemDetails
    }

/** @throws OtpError when anything is broken, such as the store or the session: do not proceed then */
export type Check = (req: OtpRequest, options?: GuardOptions) => Promise<CheckResult>

const checker = new OptionChecker('check')
const VERIFIED: CheckResult = Object.freeze({ verified: true })
const NO_OPTIONS: GuardOptions = Object.freeze({})

/** Makes `otp.check`, which parses each object of options once. */
export function createCheck(services: Services): Check {
  const { settings } = services
  const parsed = new WeakMap<GuardOptions, GuardSettings>()
  const settingsOf = (options: GuardOptions): GuardSettings => {
    const known = parsed.get(options)
    if (known) return known
    const guard = parseGuardOptions(checker, options, settings)
    parsed.set(options, guard)
    notePurpose(settings, guard.purpose)
    return guard
  }
  const refused = ({ url, problem, locale }: Refusal): CheckResult => {
    return { verified: false, url, problem: problemDetails(services, locale, problem) }
  }
  return async (req, options = NO_OPTIONS) => {
    const guard = settingsOf(options)
    try {
      const decision = await decide(services, guard, req)
      if (decision.outcome === 'open') return VERIFIED
      return refused(await refusalOf(services, guard, req, decision, true))
    } catch (error) {
      if (!isNoAddress(error)) throw wrapError('internal', 'something unexpected was thrown.', error)
      const locale = negotiateLocale(services, req, null)
      return refused({ url: settings.publicPath, problem: problemOfError(services, error), locale })
    }
  }
}
