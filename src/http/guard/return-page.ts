import type { GuardSettings } from '../../config/guard-options.js'
import type { Settings } from '../../config/settings.js'
import type { OtpRequest } from '../../express-types.js'
import { callWithRequest } from './call-with-request.js'
import { refererPath } from '../request/csrf.js'
import { ownUrl, publicPage, publicUrl } from '../response/urls.js'

/** Where to go after verifying: what the guard says, else the page of the request. Null means `home`. */
export async function returnPage(
  settings: Settings,
  { returnTo }: GuardSettings,
  req: OtpRequest,
): Promise<string | null> {
  if (returnTo === null) return requestedPage(settings, req)
  if (typeof returnTo === 'string') return publicUrl(settings, returnTo)
  const given: unknown = await callWithRequest('returnTo', req, () => returnTo(req))
  return typeof given === 'string' ? publicPage(settings, given) : null
}

/**
 * The guarded page, to come back to after signing in or to try again: a GET's own URL, else the page that leads to it. A
 * function of the host's is not called for it: it may need the user who is not signed in, or be what has failed.
 */
export function guardedPage(settings: Settings, { returnTo }: GuardSettings, req: OtpRequest): string {
  const fixed = isPage(req) || typeof returnTo !== 'string' ? null : publicUrl(settings, returnTo)
  return fixed ?? requestedPage(settings, req) ?? settings.home
}

/** A GET returns to its own URL, anything else to the page it came from: bodies are never replayed. */
function requestedPage(settings: Settings, req: OtpRequest): string | null {
  return isPage(req) ? ownUrl(settings, req) : refererPath(req.headers, settings)
}

export function isPage({ method }: OtpRequest): boolean {
  return method === 'GET' || method === 'HEAD'
}
