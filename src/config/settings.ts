import { type BrandSettings, resolveBrand } from './brand.js'
import { type Clock, clockFrom, systemClock } from '../clock.js'
import { resolveCode } from './code-format.js'
import { type Limits, resolveLimits } from './limits.js'
import type { OtpOptions } from './options.js'
import type { Site } from './page.js'
import { resolveSite, resolveTrustedOrigins } from './site.js'
import type { ShortFormats } from '../crypto/code.js'
import { type KeyRing, keyRing } from '../crypto/keys.js'
import { isSitePath } from '../url.js'
import { OptionChecker, optionNames } from '../validate.js'

export type { Site } from './page.js'

const check = new OptionChecker('emailOtp')

/** The checked options, with all defaults. */
export interface Settings extends BrandSettings {
  readonly keys: KeyRing
  readonly site: Site
  readonly user: NonNullable<OtpOptions['user']> | null
  readonly typedEmail: { readonly accept: NonNullable<AcceptOption> } | null
  readonly onVerified: NonNullable<OtpOptions['onVerified']>
  /** Where the router is mounted. */
  readonly path: string
  /** What a proxy strips in front of the app; empty if there is none. */
  readonly basePath: string
  /** The URL of our page, as browsers see it: `basePath` and `path`. */
  readonly publicPath: string
  /** The one property of `req.session` that is ours. */
  readonly sessionKey: string
  /** With `basePath`. */
  readonly home: string
  readonly autoSend: boolean
  /** With `site.origin`. */
  readonly trustedOrigins: readonly string[]
  /** With `basePath`, if it is a path. */
  readonly signIn: NonNullable<OtpOptions['signIn']> | null
  /** Days that a browser may be trusted; null if the option is off. */
  readonly trustDays: number | null
  readonly code: ShortFormats
  readonly codeInSubject: (typeof SUBJECT_MODES)[number]
  readonly lifetime: number
  readonly attempts: number
  readonly grantMaxAge: number
  readonly limits: Limits
  readonly viewFolders: readonly string[]
  readonly locale: string
  readonly locals: NonNullable<OtpOptions['locals']>
  readonly renderPage: NonNullable<OtpOptions['renderPage']> | null
  readonly formFields: NonNullable<OtpOptions['formFields']> | null
  readonly contentSecurityPolicy: string | null
  /** Milliseconds since the epoch, for sessions and mails. */
  readonly now: () => number
  /** For rates, retries and timeouts. */
  readonly clock: Clock
}

type AcceptOption = Exclude<OtpOptions['typedEmail'], boolean | undefined>['accept']

const SUBJECT_MODES = ['auto', 'always', 'never'] as const

const STRICT_CSP = [
  "default-src 'none'",
  "style-src 'self'",
  "script-src 'self'",
  "img-src 'self'",
  "font-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ')

const OPTION_NAMES = optionNames<OtpOptions>({
  ...{ secret: true, site: true, mail: true, user: true, typedEmail: true, onVerified: true, path: true, home: true },
  ...{ autoSend: true, signIn: true, sessionKey: true, code: true, lifetime: true, attempts: true, grantMaxAge: true },
  ...{ limits: true, store: true, brand: true, views: true, locale: true, locals: true, contentSecurityPolicy: true },
  ...{
    trustedOrigins: true,
    basePath: true,
    trustBrowser: true,
    formFields: true,
    renderPage: true,
    helpers: true,
    now: true,
  },
})

/** Names in a session that belong to the session middleware, to Passport or to the host. */
const FOREIGN_SESSION_KEYS = 'cookie user passport id req save reload regenerate destroy touch resetMaxAge'.split(' ')

/**
 * Resolves the options. Never modifies the host's object.
 * @throws OtpError `invalid_option`, naming option, value and cure
 */
export function resolveSettings(options: OtpOptions): Settings {
  check.rejectUnknownKeys('', options, OPTION_NAMES)
  // Only undefined gets the default; null is refused like any other wrong value.
  const { typedEmail = false, path: givenPath = '/2fa', lifetime = 600, attempts = 5, grantMaxAge = 43_200 } = options
  const { home = '/', locale = 'en', contentSecurityPolicy = STRICT_CSP, now } = options
  const user = check.optionalFunction('user', options.user, null)
  if (!user && !typedEmail) {
    throw check.invalid('user', undefined, 'Give `user: (req) => …`, or `typedEmail: true` to prove typed addresses.')
  }
  const code = resolveCode(options.code, user !== null)
  const path = check.mountPath('path', givenPath)
  const basePath = resolveBasePath(options.basePath)
  const { subject = 'auto' } = options.code ?? {}
  const { sessionKey: givenKey = `emailOtp:${path}`, autoSend = user !== null } = options
  const sessionKey = resolveSessionKey(givenKey)
  const site = resolveSite(options.site, basePath)
  return Object.freeze({
    keys: resolveSecrets(options.secret, sessionKey),
    site,
    trustedOrigins: resolveTrustedOrigins(options.trustedOrigins, site),
    user,
    typedEmail: resolveTypedEmail(typedEmail),
    onVerified: check.optionalFunction('onVerified', options.onVerified, () => undefined),
    path,
    basePath,
    publicPath: basePath + path,
    sessionKey,
    home: basePath + check.sitePath('home', home),
    autoSend: check.oneOf('autoSend', autoSend, [true, false]),
    signIn: resolveSignIn(options.signIn, basePath),
    trustDays: resolveTrustBrowser(options),
    code,
    codeInSubject: check.oneOf('code.subject', subject, SUBJECT_MODES),
    // NIST SP 800-63B-4 3.1.3.2: an out-of-band secret is valid for at most ten minutes.
    lifetime: check.seconds('lifetime', lifetime, 1, 600),
    attempts: check.integer('attempts', attempts, 1, 10),
    grantMaxAge: check.seconds('grantMaxAge', grantMaxAge),
    limits: resolveLimits(options.limits, code),
    ...resolveBrand(options.brand, site.name),
    viewFolders: [options.views ?? []].flat().map((folder) => check.singleLine('views', folder)),
    locale: check.localeTag('locale', locale),
    locals: check.optionalFunction('locals', options.locals, () => ({})),
    renderPage: check.optionalFunction('renderPage', options.renderPage, null),
    formFields: check.optionalFunction('formFields', options.formFields, null),
    contentSecurityPolicy:
      contentSecurityPolicy === false ? null : check.singleLine('contentSecurityPolicy', contentSecurityPolicy),
    now: check.optionalFunction('now', now, Date.now),
    clock: now === undefined ? systemClock : clockFrom(now),
  })
}

/** Strict, since it stands in front of every URL: `/shop/` would make `/shop//2fa`, and `//shop` another host. */
function resolveBasePath(basePath: unknown = ''): string {
  if (basePath === '') return ''
  const isSound = typeof basePath === 'string' && isSitePath(basePath) && !/[?#]|\/$|\/\//.test(basePath)
  if (isSound) return basePath
  const hint = 'Give what a proxy strips in front of the app, such as /shop: one slash at the front, none at the end.'
  throw check.invalid('basePath', basePath, hint)
}

function resolveSecrets(secret: unknown, sessionKey: string): KeyRing {
  const secrets = [secret].flat()
  for (const one of secrets) {
    if (typeof one === 'string' && one.length >= 32) continue
    const hint = 'Give at least 32 random characters from your environment; `openssl rand -base64 32` makes some.'
    throw check.invalid('secret', one, hint)
  }
  const [first, ...rest] = secrets as string[]
  if (first === undefined) throw check.invalid('secret', undefined, 'Give at least one secret.')
  return keyRing([first, ...rest], sessionKey)
}

function resolveSessionKey(sessionKey: unknown): string {
  const key = check.singleLine('sessionKey', sessionKey)
  if (!FOREIGN_SESSION_KEYS.includes(key) && !(key in Object.prototype)) return key
  throw check.invalid('sessionKey', key, 'That property of the session is used by others: give one of your own.')
}

function resolveTrustBrowser({ trustBrowser, user }: OtpOptions): number | null {
  if (trustBrowser === undefined) return null
  check.rejectUnknownKeys('trustBrowser', trustBrowser, ['days'])
  if (user) return check.integer('trustBrowser.days', trustBrowser.days, 1, 30)
  throw check.invalid('trustBrowser', trustBrowser, 'Give `user` too: a trusted browser belongs to a signed-in user.')
}

function resolveSignIn(signIn: OtpOptions['signIn'], basePath: string): Settings['signIn'] {
  if (signIn === undefined) return null
  return typeof signIn === 'function' ? signIn : basePath + check.sitePath('signIn', signIn)
}

function resolveTypedEmail(typedEmail: NonNullable<OtpOptions['typedEmail']>): Settings['typedEmail'] {
  if (typedEmail === false) return null
  if (typedEmail === true) return { accept: () => true }
  check.rejectUnknownKeys('typedEmail', typedEmail, ['accept'])
  return { accept: check.optionalFunction('typedEmail.accept', typedEmail.accept, () => true) }
}
