import type { RequestContext } from '../request/context.js'
import { stateJson, verifiedJson } from '../response/json.js'
import { readNotice } from '../response/notice.js'
import type { RouteResult } from '../response/problem.js'
import { stateOf } from '../response/state.js'
import { onwardUrl, pageUrl } from '../response/urls.js'

/** `GET /`: shows the current state. Sends nothing and changes nothing. */
export function handleStatus(ctx: RequestContext): RouteResult {
  const notice = readNotice(ctx)
  if (notice?.problem.code !== 'cookies_required') return { type: 'page', json: stateJson(ctx), notice }
  // After a send: a session that knows neither challenge nor grant is a new one, so the cookie of the other one was not kept.
  const { challenge, grant } = stateOf(ctx)
  if (challenge === null && grant === null) return notice.problem
  return { type: 'page', json: stateJson(ctx), notice: null }
}

/**
 * `GET /continue`: goes on after a right code. A page of its own, since `form-action 'self'` also stops redirects that the
 * guarded page makes to another origin, such as a sign-in provider.
 */
export function handleContinue(ctx: RequestContext): RouteResult {
  const { services, stepUp, sealed } = ctx
  const { settings } = services
  if (stateOf(ctx).step === 'verified') {
    return { type: 'continue', json: verifiedJson(ctx), to: onwardUrl(settings, stepUp) }
  }
  return { type: 'redirect', to: pageUrl(settings, sealed), json: stateJson(ctx) }
}
