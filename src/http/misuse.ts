import type { Settings } from '../config/settings.js'
import type { OtpRequest } from '../express-types.js'
import { sharedId } from '../session/host-session.js'
import { warnOnce } from '../warn.js'

/** Browsers follow a redirect at once. */
const MAX_REDIRECT_MS = 10_000

/** Plugins whose router has got a request. */
const reached = new WeakSet<Settings>()
/** When a guard of a plugin first redirected to the router. */
const firstRedirects = new WeakMap<Settings, number>()

export function markRouterReached(settings: Settings): void {
  reached.add(settings)
}

/**
 * Called when a guard redirects. Warns if none of the redirects so far has led to the router: `path` is not where it is
 * mounted, as in a sub-app whose own path is missing in it. In production the router may run in other processes.
 */
export function warnIfRouterIsUnreached(settings: Settings): void {
  if (reached.has(settings) || process.env.NODE_ENV === 'production') return
  const now = settings.now()
  const first = firstRedirects.get(settings) ?? now
  firstRedirects.set(settings, first)
  if (now - first < MAX_REDIRECT_MS) return
  const cure = `Mount it with app.use('${settings.path}', otp.router); in a sub-app, \`path\` begins with the path of the sub-app.`
  warnOnce('OTP_MOUNT_PATH', `guards redirect to ${settings.path}, but no request has reached the router. ${cure}`)
}

/** Called for our pages: warns of middleware that stands in their way. */
export function warnAboutMiddleware(settings: Settings, req: OtpRequest): void {
  if (hasLostCookie(req)) {
    const cure = "Set app.set('trust proxy', …) if a proxy ends TLS, or `secure: false` where there is none."
    warnOnce(
      'OTP_SECURE_COOKIE',
      `the session cookie is \`Secure\` and the request came without TLS: it is not set. ${cure}`,
    )
  }
  const { csrfToken } = req as { csrfToken?: unknown }
  // With templates of its own a host may have put the token into them.
  const mayHaveToken = settings.formFields !== null || settings.viewFolders.length > 0
  if (typeof csrfToken === 'function' && !mayHaveToken) {
    const cure =
      'Mount the router before that middleware, since it checks the origin of each POST itself, or give `formFields`.'
    warnOnce(
      'OTP_CSRF',
      `CSRF middleware stands in front of the router and refuses its forms, which have no token. ${cure}`,
    )
  }
}

/** express-session sets no `Secure` cookie then. A client that has one is behind a proxy that it knows of. */
function hasLostCookie(req: OtpRequest): boolean {
  const { session, secure } = req as { session?: { cookie?: { secure?: unknown } }; secure?: unknown }
  return session?.cookie?.secure === true && secure === false && sharedId(req) === null
}
