import type { GuardSettings } from '../../config/guard-options.js'
import type { OtpRequest } from '../../express-types.js'
import { callWithRequest } from './call-with-request.js'
import type { Closed } from './decide.js'
import { guardedPage, returnPage } from './return-page.js'
import { negotiateLocale } from '../request/context.js'
import { type Problem, problem } from '../response/problem.js'
import { signInUrl } from '../sign-in.js'
import { createStepUp } from '../step-up-request.js'
import type { Services } from '../../services.js'

/** What a closed guard tells a client. */
export interface Refusal {
  /** Where a browser goes: our page, or the host's sign-in. Null if there is no sign-in, or if no URL was asked for. */
  readonly url: string | null
  readonly problem: Problem
  readonly locale: string
}

/** @param needsUrl whether the sign-in page is asked for; the host's `signIn` may note the page to come back to */
export async function refusalOf(
  services: Services,
  guard: GuardSettings,
  req: OtpRequest,
  closed: Closed,
  needsUrl: boolean,
): Promise<Refusal> {
  const { settings } = services
  if (closed.outcome === 'sign_in_required') {
    const url = needsUrl ? await signInUrl(settings, req, guardedPage(settings, guard, req)) : null
    return { url, problem: problem('sign_in_required'), locale: negotiateLocale(services, req, null) }
  }
  const { purpose, describe, maxAge } = guard
  const { identity, details } = closed
  const description = describe ? await callWithRequest('describe', req, () => describe(req)) : ''
  const returnTo = await returnPage(settings, guard, req)
  const { sealed, url } = createStepUp(settings, identity, { purpose, details, description, returnTo, maxAge })
  const urls = { send_url: `${settings.publicPath}/send`, verify_url: `${settings.publicPath}/verify`, page_url: url }
  const members = { max_age: maxAge ?? settings.grantMaxAge, purpose, for: sealed, ...urls }
  return { url, problem: problem('otp_required', members), locale: negotiateLocale(services, req, identity) }
}
