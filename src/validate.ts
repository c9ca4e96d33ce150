import { OtpError } from './errors.js'
import { didYouMean } from './suggest.js'
import { isSitePath } from './url.js'

/** The option names of `T`: the compiler refuses a list that misses one or has one too many. */
export function optionNames<T extends object>(names: Readonly<Record<keyof T, true>>): readonly string[] {
  return Object.keys(names)
}

/**
 * Checks the options of one function. Every error begins with the name of that function and says which option is
 * wrong, what it was, and what to write instead.
 */
export class OptionChecker {
  /** @param caller what the host called: `emailOtp`, `requireOtp`, `RedisStore` … */
  constructor(readonly caller: string) {}

  invalid(option: string, value: unknown, hint: string): OtpError {
    const message = `${this.caller}: option \`${option}\` is ${formatValue(option, value)}. ${hint}`
    return new OtpError('invalid_option', message)
  }

  /** Refuses unknown options and names the nearest known one. `prefix` is empty for options at the top level. */
  rejectUnknownKeys(prefix: string, value: unknown, allowed: readonly string[]): void {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      const list = allowed.map((key) => `\`${key}\``).join(', ')
      throw this.invalid(prefix || 'options', value, `Give an object with ${list}.`)
    }
    for (const key of Object.keys(value)) {
      if (allowed.includes(key)) continue
      const option = prefix ? `${prefix}.${key}` : key
      const hint = `${didYouMean(key, allowed)} Known here: ${allowed.join(', ')}.`
      throw new OtpError('invalid_option', `${this.caller}: unknown option \`${option}\`.${hint}`)
    }
  }

  /** Text for a header or a page: one line, no control characters (CWE-93). */
  singleLine(option: string, value: unknown): string {
    if (typeof value !== 'string' || value.trim() === '') throw this.invalid(option, value, 'Give some text.')
    if (/\p{Cc}/u.test(value)) {
      throw this.invalid(option, value, 'Remove line breaks and control characters: this stands in mail headers.')
    }
    return value
  }

  integer(option: string, value: unknown, min: number, max: number): number {
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= min && value <= max) return value
    throw this.invalid(option, value, `Give a whole number from ${min} to ${max}.`)
  }

  /** Seconds, also parts of one; a year at most by default. */
  seconds(option: string, value: unknown, min = 1, max = 31_536_000): number {
    if (typeof value === 'number' && value >= min && value <= max) return value
    throw this.invalid(option, value, `Give seconds, a number from ${min} to ${max}.`)
  }

  /** A number above zero, such as a rate. */
  positive(option: string, value: unknown, max: number): number {
    if (typeof value === 'number' && value > 0 && value <= max) return value
    throw this.invalid(option, value, `Give a number above 0, and ${max} at most.`)
  }

  oneOf<T>(option: string, value: unknown, allowed: readonly T[]): T {
    if (allowed.includes(value as T)) return value as T
    throw this.invalid(option, value, `Give one of ${allowed.map((one) => JSON.stringify(one)).join(', ')}.`)
  }

  /** A function of the host's, or the given default. */
  optionalFunction<F>(option: string, value: F | undefined, fallback: F): F {
    if (value === undefined || typeof value === 'function') return value ?? fallback
    throw this.invalid(option, value, 'Give a function.')
  }

  /** A path on this site that is safe to redirect to. */
  sitePath(option: string, value: unknown): string {
    if (typeof value === 'string' && isSitePath(value)) return value
    throw this.invalid(option, value, 'Give a path on this site that begins with one slash, such as /account.')
  }

  /** Where the router is mounted: any path but the root. */
  mountPath(option: string, value: unknown): string {
    const path = this.sitePath(option, value).replace(/\/+$/, '')
    if (path === '' || /[?#]/.test(path)) throw this.invalid(option, value, 'Give one of its own, such as /2fa.')
    return path
  }

  localeTag(option: string, value: string): string {
    try {
      return new Intl.Locale(value).toString()
    } catch {
      throw this.invalid(option, value, 'Give a BCP 47 tag such as en or pt-BR.')
    }
  }
}

// A secret must not get into a log through its own error message.
function formatValue(option: string, value: unknown): string {
  if (value === undefined) return 'missing'
  if (/secret|transport|^mail$|^store$|^options$/.test(option)) return 'not usable'
  if (typeof value === 'function') return 'a function'
  if (typeof value === 'symbol') return 'a symbol'
  if (typeof value === 'number' || typeof value === 'bigint') return String(value)
  try {
    return JSON.stringify(value)
  } catch {
    return 'an object' // a cycle
  }
}
