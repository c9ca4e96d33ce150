import {
  callback,
  invalidOption,
  knownKeys,
  line,
  localeTag,
  mountPath,
  oneOf,
  seconds,
  sitePath,
  whole,
} from './check.js'
import type { CodeFormat } from './code.js'
import { type KeyRing, keyRing } from './keys.js'
import type { OtpOptions } from './options.js'
import { type Limits, resolveCode, resolveLimits } from './policy.js'
import { isSitePath, parseUrl } from './same-origin.js'

export interface Site {
  readonly name: string
  readonly origin: string | null
  readonly domain: string | null
  readonly supportUrl: string | null
}

/** The options, checked once and made whole. Nothing in here is optional. */
export interface Settings {
  readonly keys: KeyRing
  readonly site: Site
  readonly user: NonNullable<OtpOptions['user']> | null
  readonly typedEmail: { readonly accept: NonNullable<AcceptOption> } | null
  readonly onVerified: NonNullable<OtpOptions['onVerified']>
  readonly path: string
  readonly home: string | null
  readonly autoSend: boolean
  readonly signIn: string | null
  readonly code: CodeFormat
  readonly codeInSubject: 'auto' | 'always' | 'never'
  readonly lifetime: number
  readonly attempts: number
  readonly grantMaxAge: number
  readonly limits: Limits
  readonly viewFolders: readonly string[]
  readonly locale: string
  readonly locals: NonNullable<OtpOptions['locals']>
  readonly contentSecurityPolicy: string | null
  readonly now: () => number
}

type AcceptOption = Exclude<OtpOptions['typedEmail'], boolean | undefined>['accept']

const STRICT_CSP = [
  "default-src 'none'",
  "style-src 'self'",
  "script-src 'self'",
  "img-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ')

/** What may stand in a mail header and in the line that binds a code; URLs allow more. */
const HOST = /^([a-z0-9-]+(\.[a-z0-9-]+)*|\[[0-9a-f:.]+\])$/

const OPTIONS =
  'secret site mail user typedEmail onVerified path home autoSend signIn code lifetime attempts grantMaxAge limits ' +
  'store views locale locals contentSecurityPolicy now'

/**
 * Resolves what the host wrote. Never touches it.
 * @throws OtpError `invalid_option`, naming option, value and cure
 */
export function resolveSettings(options: OtpOptions): Settings {
  knownKeys('options', options, OPTIONS.split(' '))
  const { typedEmail = false, now, contentSecurityPolicy = STRICT_CSP } = options
  const user = callback('user', options.user, null)
  if (!user && !typedEmail) {
    throw invalidOption('user', undefined, 'Give `user: (req) => …`, or `typedEmail: true` to prove typed addresses.')
  }
  const code = resolveCode(options.code, user ? 6 : 8)
  return Object.freeze({
    keys: resolveSecrets(options.secret),
    site: resolveSite(options.site),
    user,
    typedEmail: resolveTypedEmail(typedEmail),
    onVerified: callback('onVerified', options.onVerified, () => undefined),
    path: mountPath(or(options.path, '/2fa')),
    home: options.home === undefined ? null : sitePath('home', options.home),
    autoSend: oneOf('autoSend', or(options.autoSend, user !== null), [true, false]),
    signIn: options.signIn === undefined ? null : sitePath('signIn', options.signIn),
    code,
    codeInSubject: oneOf('code.subject', or(options.code?.subject, 'auto'), ['auto', 'always', 'never'] as const),
    // NIST SP 800-63B-4 3.1.3.2: an out-of-band secret is valid for at most ten minutes.
    lifetime: seconds('lifetime', or(options.lifetime, 600), 600),
    attempts: whole('attempts', or(options.attempts, 5), 1, 10),
    grantMaxAge: seconds('grantMaxAge', or(options.grantMaxAge, 43_200)),
    limits: resolveLimits(or(options.limits, {}), code),
    viewFolders: [options.views ?? []].flat().map((folder) => line('views', folder)),
    locale: localeTag(or(options.locale, 'en')),
    locals: callback('locals', options.locals, () => ({})),
    contentSecurityPolicy:
      contentSecurityPolicy === false ? null : line('contentSecurityPolicy', contentSecurityPolicy),
    now: callback('now', now, Date.now),
  })
}

function resolveSecrets(secret: unknown): KeyRing {
  const secrets = [secret].flat()
  for (const one of secrets) {
    if (typeof one === 'string' && one.length >= 32) continue
    const cure = 'Give at least 32 random characters from your environment; `openssl rand -base64 32` makes some.'
    throw invalidOption('secret', one, cure)
  }
  const [first, ...rest] = secrets as string[]
  if (first === undefined) throw invalidOption('secret', undefined, 'Give at least one secret.')
  return keyRing([first, ...rest])
}

function resolveSite(site: unknown): Site {
  knownKeys('site', site, ['name', 'origin', 'supportUrl'])
  const { name, origin, supportUrl } = site as OtpOptions['site']
  const parsed = origin === undefined ? null : parseUrl(line('site.origin', origin))
  if (
    origin !== undefined &&
    (!parsed ||
      !/^https?:$/.test(parsed.protocol) ||
      parsed.origin !== origin.toLowerCase() ||
      !HOST.test(parsed.hostname))
  ) {
    throw invalidOption('site.origin', origin, 'Give scheme and host only, such as https://acme.example.')
  }
  const support = supportUrl === undefined ? null : line('site.supportUrl', supportUrl)
  if (support && !isSitePath(support) && !/^(https?|mailto):/i.test(support)) {
    throw invalidOption('site.supportUrl', support, 'Give a path, or an https: or mailto: address.')
  }
  return {
    name: line('site.name', name),
    origin: parsed?.origin ?? null,
    domain: parsed?.hostname ?? null,
    supportUrl: support,
  }
}

function resolveTypedEmail(typedEmail: NonNullable<OtpOptions['typedEmail']>): Settings['typedEmail'] {
  if (typedEmail === false) return null
  if (typedEmail === true) return { accept: () => true }
  knownKeys('typedEmail', typedEmail, ['accept'])
  return { accept: callback('typedEmail.accept', typedEmail.accept, () => true) }
}

/** The default stands for what is left out; a null is no such thing, and is refused like any other wrong value. */
function or<T>(given: T | undefined, otherwise: T): T {
  return given === undefined ? otherwise : given
}
