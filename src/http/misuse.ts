import type { Settings } from '../config/settings.js'
import type { OtpRequest } from '../express-types.js'
import { sharedId } from '../session/host-session.js'
import { didYouMean } from '../suggest.js'
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

/** The purposes that guards, `check()` and `start()` of a plugin have named by the first request of its router. */
const namedPurposes = new WeakMap<Settings, Set<string>>()

export function notePurpose(settings: Settings, purpose: string): void {
  if (reached.has(settings)) return
  const named = namedPurposes.get(settings) ?? new Set()
  namedPurposes.set(settings, named.add(purpose))
}

/**
 * Called for the requests of the router. Warns of mail templates whose purpose nothing has named so far: most often it is
 * mistyped, and the mail would be that of `code`. Not in production, where other processes may name it.
 */
export function warnAboutUnusedMails(settings: Settings, mailFolders: readonly string[]): void {
  if (process.env.NODE_ENV === 'production') return
  const named = namedPurposes.get(settings) ?? new Set()
  for (const folder of mailFolders) {
    if (named.has(folder) || ['access', 'code', 'alert'].includes(folder)) continue
    const message = `mail/${folder}/ in \`views\` is for a purpose that no guard, check() or start() has named so far.`
    const cure = `${didYouMean(folder, named)} Give the folder the name of its purpose.`
    warnOnce('OTP_UNUSED_MAIL', message + cure, `${settings.viewFolders.join()} ${folder}`)
  }
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
  if (typeof csrfToken === 'function' && settings.formFields === null && settings.viewFolders.length === 0) {
    const cure =
      'Give the token by `formFields`, or mount the router before that middleware: it checks each POST itself.'
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
