import type { Settings } from './settings.js'
import type { HostFunction, OtpRequest } from '../express-types.js'
import { isUnder } from '../url.js'
import { type OptionChecker, optionNames } from '../validate.js'

/** What a route asks for. */
export interface GuardOptions {
  /** What the verification is good for; `access` by default. It never opens another purpose. */
  purpose?: string
  /** Seconds since the verification at most, never refreshed by use; `grantMaxAge` by default. */
  maxAge?: number
  /**
   * Binds code and grant to exactly this JSON value, such as amount and payee: 16 384 characters at most. The grant is
   * good for one use.
   */
  details?: HostFunction<[req: OtpRequest], unknown>
  /**
   * The action as page and mail describe it; 140 characters at most. Avoid runs of 4 to 8 digits: mail programs take
   * them for the code.
   */
  describe?: HostFunction<[req: OtpRequest], string>
  /**
   * Where to go after verifying: a path on this site, or a function that gives one; anything else that it gives counts as
   * `home`. By default a GET goes to its own URL, anything else to the page that it came from.
   */
  returnTo?: string | HostFunction<[req: OtpRequest], PagePath | Promise<PagePath>>
}

type PagePath = string | null | undefined

/** The guard's options, checked once. */
export interface GuardSettings {
  readonly purpose: string
  /** Seconds; null means `grantMaxAge`. */
  readonly maxAge: number | null
  readonly details: NonNullable<GuardOptions['details']> | null
  readonly describe: NonNullable<GuardOptions['describe']> | null
  readonly returnTo: NonNullable<GuardOptions['returnTo']> | null
}

const OPTION_NAMES = optionNames<GuardOptions>({
  ...{ purpose: true, maxAge: true, details: true, describe: true, returnTo: true },
})

/** @throws OtpError `invalid_option`, which names the function that `check` is for */
export function parseGuardOptions(
  check: OptionChecker,
  options: GuardOptions,
  { grantMaxAge, path }: Pick<Settings, 'grantMaxAge' | 'path'>,
): GuardSettings {
  check.rejectUnknownKeys('', options, OPTION_NAMES)
  const maxAge = options.maxAge === undefined ? null : check.seconds('maxAge', options.maxAge)
  const details = check.optionalFunction('details', options.details, null)
  if (details && (maxAge ?? grantMaxAge) > grantMaxAge) {
    const hint = `With \`details\` give at most \`grantMaxAge\`, ${grantMaxAge}: such a grant is for one action, soon.`
    throw check.invalid('maxAge', maxAge, hint)
  }
  return {
    purpose: parsePurpose(check, options.purpose),
    maxAge,
    details,
    describe: check.optionalFunction('describe', options.describe, null),
    returnTo: parseReturnTo(check, options.returnTo, path),
  }
}

function parseReturnTo(
  check: OptionChecker,
  returnTo: GuardOptions['returnTo'],
  path: string,
): GuardSettings['returnTo'] {
  if (returnTo === undefined) return null
  if (typeof returnTo === 'function') return returnTo
  const page = check.sitePath('returnTo', returnTo)
  if (!isUnder(page, path)) return page
  throw check.invalid('returnTo', page, `Give a page of yours: everything below ${path} belongs to the router.`)
}

/** @throws OtpError `invalid_option` */
export function parsePurpose(check: OptionChecker, purpose: unknown = 'access'): string {
  if (typeof purpose !== 'string' || !/^[a-z0-9][a-z0-9_-]{0,63}$/.test(purpose)) {
    throw check.invalid('purpose', purpose, 'Give 1 to 64 lower-case letters, digits, dashes or underscores.')
  }
  // The mail of that purpose would use the templates of the alert, which contain no code.
  if (purpose === 'alert') throw check.invalid('purpose', purpose, 'That is the name of a mail: give another one.')
  return purpose
}
