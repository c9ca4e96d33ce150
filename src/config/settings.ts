import { type Clock, clockFrom, systemClock } from '../clock.js'
import { resolveCode } from './code-format.js'
import { type Limits, resolveLimits } from './limits.js'
import type { OtpOptions } from './options.js'
import type { CodeFormat } from '../crypto/code.js'
import { type KeyRing, keyRing } from '../crypto/keys.js'
import { isSitePath, parseUrl } from '../url.js'
import {
  integer,
  invalidOption,
  localeTag,
  mountPath,
  oneOf,
  optionalFunction,
  rejectUnknownKeys,
  seconds,
  singleLine,
  sitePath,
} from '../validate.js'

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
  /** Milliseconds since the epoch: what sessions and mails say. */
  readonly now: () => number
  /** What limits, retries and timeouts are measured by. */
  readonly clock: Clock
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
const HOST_PATTERN = /^([a-z0-9-]+(\.[a-z0-9-]+)*|\[[0-9a-f:.]+\])$/

const OPTION_KEYS =
  'secret site mail user typedEmail onVerified path home autoSend signIn code lifetime attempts grantMaxAge limits ' +
  'store views locale locals contentSecurityPolicy now'

/**
 * Resolves what the host wrote. Never touches it.
 * @throws OtpError `invalid_option`, naming option, value and cure
 */
export function resolveSettings(options: OtpOptions): Settings {
  rejectUnknownKeys('options', options, OPTION_KEYS.split(' '))
  const { typedEmail = false, now, contentSecurityPolicy = STRICT_CSP } = options
  const user = optionalFunction('user', options.user, null)
  if (!user && !typedEmail) {
    throw invalidOption('user', undefined, 'Give `user: (req) => …`, or `typedEmail: true` to prove typed addresses.')
  }
  const code = resolveCode(options.code, user ? 6 : 8)
  return Object.freeze({
    keys: resolveSecrets(options.secret),
    site: resolveSite(options.site),
    user,
    typedEmail: resolveTypedEmail(typedEmail),
    onVerified: optionalFunction('onVerified', options.onVerified, () => undefined),
    path: mountPath(withDefault(options.path, '/2fa')),
    home: options.home === undefined ? null : sitePath('home', options.home),
    autoSend: oneOf('autoSend', withDefault(options.autoSend, user !== null), [true, false]),
    signIn: options.signIn === undefined ? null : sitePath('signIn', options.signIn),
    code,
    codeInSubject: oneOf('code.subject', withDefault(options.code?.subject, 'auto'), [
      'auto',
      'always',
      'never',
    ] as const),
    // NIST SP 800-63B-4 3.1.3.2: an out-of-band secret is valid for at most ten minutes.
    lifetime: seconds('lifetime', withDefault(options.lifetime, 600), 600),
    attempts: integer('attempts', withDefault(options.attempts, 5), 1, 10),
    grantMaxAge: seconds('grantMaxAge', withDefault(options.grantMaxAge, 43_200)),
    limits: resolveLimits(withDefault(options.limits, {}), code),
    viewFolders: [options.views ?? []].flat().map((folder) => singleLine('views', folder)),
    locale: localeTag(withDefault(options.locale, 'en')),
    locals: optionalFunction('locals', options.locals, () => ({})),
    contentSecurityPolicy:
      contentSecurityPolicy === false ? null : singleLine('contentSecurityPolicy', contentSecurityPolicy),
    now: optionalFunction('now', now, Date.now),
    clock: now === undefined ? systemClock : clockFrom(now),
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
  rejectUnknownKeys('site', site, ['name', 'origin', 'supportUrl'])
  const { name, origin, supportUrl } = site as OtpOptions['site']
  const parsed = origin === undefined ? null : parseUrl(singleLine('site.origin', origin))
  if (
    origin !== undefined &&
    (!parsed ||
      !/^https?:$/.test(parsed.protocol) ||
      parsed.origin !== origin.toLowerCase() ||
      !HOST_PATTERN.test(parsed.hostname))
  ) {
    throw invalidOption('site.origin', origin, 'Give scheme and host only, such as https://acme.example.')
  }
  const support = supportUrl === undefined ? null : singleLine('site.supportUrl', supportUrl)
  if (support && !isSitePath(support) && !/^(https?|mailto):/i.test(support)) {
    throw invalidOption('site.supportUrl', support, 'Give a path, or an https: or mailto: address.')
  }
  return {
    name: singleLine('site.name', name),
    origin: parsed?.origin ?? null,
    domain: parsed?.hostname ?? null,
    supportUrl: support,
  }
}

function resolveTypedEmail(typedEmail: NonNullable<OtpOptions['typedEmail']>): Settings['typedEmail'] {
  if (typedEmail === false) return null
  if (typedEmail === true) return { accept: () => true }
  rejectUnknownKeys('typedEmail', typedEmail, ['accept'])
  return { accept: optionalFunction('typedEmail.accept', typedEmail.accept, () => true) }
}

/** The default stands for what is left out; a null is no such thing, and is refused like any other wrong value. */
function withDefault<T>(given: T | undefined, fallback: T): T {
  return given === undefined ? fallback : given
}
