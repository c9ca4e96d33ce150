import { OtpError } from './errors.js'
import { didYouMean } from './suggest.js'
import { isSitePath } from './url.js'

/** Says which option is wrong, what it was, and what to write instead. */
export function invalidOption(option: string, value: unknown, hint: string): OtpError {
  return new OtpError('invalid_option', `emailOtp: option \`${option}\` is ${formatValue(option, value)}. ${hint}`)
}

/** Refuses an option that does not exist, naming the nearest that does. */
export function rejectUnknownKeys(where: string, value: unknown, allowedKeys: readonly string[]): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw invalidOption(where, value, `Give an object with ${allowedKeys.map((key) => `\`${key}\``).join(', ')}.`)
  }
  for (const key of Object.keys(value)) {
    if (allowedKeys.includes(key)) continue
    const option = where === 'options' ? key : `${where}.${key}`
    const list = `Known here: ${allowedKeys.join(', ')}.`
    throw new OtpError(
      'invalid_option',
      `emailOtp: unknown option \`${option}\`.${didYouMean(key, allowedKeys)} ${list}`,
    )
  }
}

/** Text for a header or a page: one line, no control characters (CWE-93). */
export function singleLine(option: string, value: unknown): string {
  if (typeof value !== 'string' || value.trim() === '') throw invalidOption(option, value, 'Give some text.')
  if (/\p{Cc}/u.test(value)) {
    throw invalidOption(option, value, 'Remove line breaks and control characters: this stands in mail headers.')
  }
  return value
}

/** A whole number within bounds. */
export function integer(option: string, value: unknown, min: number, max: number): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= min && value <= max) return value
  throw invalidOption(option, value, `Give a whole number from ${min} to ${max}.`)
}

/** A number of seconds, above zero and finite. */
export function seconds(option: string, value: unknown, max = 31_536_000, min = 1): number {
  if (typeof value === 'number' && value >= min && value <= max) return value
  throw invalidOption(option, value, `Give seconds, a number from ${min} to ${max}.`)
}

/** A number above zero, such as a rate. */
export function positive(option: string, value: unknown, max: number): number {
  if (typeof value === 'number' && value > 0 && value <= max) return value
  throw invalidOption(option, value, `Give a number above 0, and ${max} at most.`)
}

export function oneOf<T>(option: string, value: unknown, allowed: readonly T[]): T {
  if (allowed.includes(value as T)) return value as T
  throw invalidOption(option, value, `Give one of ${allowed.map((one) => JSON.stringify(one)).join(', ')}.`)
}

/** A function of the host's, or the given default. */
export function optionalFunction<F>(option: string, value: F | undefined, fallback: F): F {
  if (value === undefined || typeof value === 'function') return value ?? fallback
  throw invalidOption(option, value, 'Give a function.')
}

/** Where the router hangs: a path that only it has. */
export function mountPath(value: unknown): string {
  const path = sitePath('path', value).replace(/\/+$/, '')
  if (path === '' || /[?#]/.test(path)) throw invalidOption('path', value, 'Give one of its own, such as /2fa.')
  return path
}

/** A path on this site, safe to lead to. */
export function sitePath(option: string, value: unknown): string {
  if (typeof value === 'string' && isSitePath(value)) return value
  throw invalidOption(option, value, 'Give a path on this site that begins with one slash, such as /account.')
}

export function localeTag(tag: string): string {
  try {
    return new Intl.Locale(tag).toString()
  } catch {
    throw invalidOption('locale', tag, 'Give a BCP 47 tag such as en or pt-BR.')
  }
}

// A secret must not reach a log by way of its own error message.
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
