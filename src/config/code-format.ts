import type { Limit } from '../stores/gcra.js'
import { invalidOption, rejectUnknownKeys, seconds, integer } from '../validate.js'
import { type CodeFormat, DIGITS, keyspace } from '../crypto/code.js'
import type { CodeOptions, LimitOptions } from './options.js'

/** One limit for each bucket. */
export type Limits = Readonly<Record<'sendsPerUser' | 'sendsPerIp' | 'failures' | 'resend', Limit>>

/** What an attacker who guesses all year may reach at most; the defaults stay below one in ten thousand. */
const MAX_YEARLY_GUESS_PROBABILITY = 0.01
const SECONDS_A_YEAR = 31_536_000

/** The look of a short code, never below the floor of a million possibilities (ASVS 6.5.4). */
export function resolveCode(options: CodeOptions = {}, defaultDigits: number): CodeFormat {
  rejectUnknownKeys('code', options, ['digits', 'alphabet', 'length', 'subject'])
  const { digits = defaultDigits, alphabet, length } = options
  if (alphabet === undefined && length === undefined) {
    return assertKeyspace({ alphabet: DIGITS, length: integer('code.digits', digits, 1, 18) })
  }
  if (options.digits !== undefined) throw invalidOption('code', options, 'Give `digits`, or `alphabet` and `length`.')
  if (typeof alphabet !== 'string' || !/^(?:[0-9A-Z]{2,}|[0-9a-z]{2,})$/.test(alphabet)) {
    throw invalidOption('code.alphabet', alphabet, 'Give ASCII digits and letters of one case, at least two.')
  }
  if (new Set(alphabet).size < alphabet.length) {
    throw invalidOption('code.alphabet', alphabet, 'Give each character once, or codes are not uniform.')
  }
  return assertKeyspace({ alphabet, length: integer('code.length', length, 1, 32) })
}

function assertKeyspace(format: CodeFormat): CodeFormat {
  const count = keyspace(format)
  if (count >= 1_000_000n && count <= 2n ** 64n) return Object.freeze(format)
  const shape = `${format.length} of ${format.alphabet.length} characters`
  if (count > 2n ** 64n) throw invalidOption('code', shape, 'More than 2^64 possibilities gain nothing: shorten it.')
  const guessProbability = ((83 / Number(count)) * 100).toPrecision(2)
  throw invalidOption(
    'code',
    shape,
    `That makes ${count} possibilities: an attacker would have a ${guessProbability} % chance a year per user. ` +
      'Allow at least 1000000, such as `{ digits: 6 }`.',
  )
}

/** The buckets. None can be switched off, not even by numbers that amount to it. */
export function resolveLimits(options: LimitOptions, code: CodeFormat): Limits {
  rejectUnknownKeys('limits', options, ['sendsPerUser', 'sendsPerIp', 'failures', 'resendAfter'])
  const { resendAfter = 30 } = options
  const failures = limit('failures', options.failures, { capacity: 10, refill: 432_000 })
  const guesses = failures.capacity + SECONDS_A_YEAR / failures.refill
  const guessProbability = guesses / Number(keyspace(code))
  if (guessProbability > MAX_YEARLY_GUESS_PROBABILITY) {
    const cure = `That allows ${Math.round(guesses)} guesses a year, a ${(guessProbability * 100).toPrecision(2)} % chance. `
    throw invalidOption('limits.failures', options.failures, `${cure}Lower the capacity or lengthen the refill.`)
  }
  return {
    sendsPerUser: limit('sendsPerUser', options.sendsPerUser, { capacity: 5, refill: 5_760 }),
    sendsPerIp: limit('sendsPerIp', options.sendsPerIp, { capacity: 30, refill: 120 }),
    failures,
    resend: {
      capacity: 1,
      refill: seconds('limits.resendAfter', resendAfter, 600),
    },
  }
}

function limit(name: string, options: Partial<Limit> | undefined, fallback: Limit): Limit {
  if (options === undefined) return fallback
  rejectUnknownKeys(`limits.${name}`, options, ['capacity', 'refill'])
  const { capacity = fallback.capacity, refill = fallback.refill } = options
  return {
    capacity: integer(`limits.${name}.capacity`, capacity, 1, 1_000),
    refill: seconds(`limits.${name}.refill`, refill),
  }
}
