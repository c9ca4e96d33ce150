import type { Settings } from '../config/settings.js'
import { OtpError } from '../errors.js'
import type { OtpRequest } from '../express-types.js'
import { callHostFunction } from '../host-callback.js'
import { publicUrl } from './response/urls.js'
import { isSitePath, MAX_REDIRECT_LENGTH } from '../url.js'

/**
 * The host's sign-in page, which may lead back to `returnTo`; null if the host has none.
 * @throws OtpError `host_callback` if `signIn` threw or gave something that is no path on this site
 */
export async function signInUrl(settings: Settings, req: OtpRequest, returnTo: string): Promise<string | null> {
  const { signIn, home } = settings
  if (signIn === null || typeof signIn === 'string') return signIn
  const url: unknown = await callHostFunction('signIn', () => signIn(req, returnTo))
  if (typeof url === 'string') {
    const page = publicUrl(settings, url)
    if (isSitePath(url) && isSitePath(page)) return page
    // The URL of a visitor is no mistake of the host's.
    if (page.length > MAX_REDIRECT_LENGTH && returnTo !== home) return signInUrl(settings, req, home)
  }
  const cure = 'Give one that begins with one slash, and encode `returnTo` with encodeURIComponent().'
  throw new OtpError('host_callback', `\`signIn(req, returnTo)\` must give a path on this site. ${cure}`)
}
