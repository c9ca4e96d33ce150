import type { RequestContext } from '../request/context.js'
import { stateJson } from '../response/json.js'
import type { RouteResult } from '../response/problem.js'

/** `GET /`: shows the current state. Sends nothing and changes nothing. */
export function handleStatus(ctx: RequestContext): RouteResult {
  return { type: 'page', json: stateJson(ctx) }
}
