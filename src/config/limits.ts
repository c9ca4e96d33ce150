import type { LimitOptions } from './options.js'
import { keyspace, type ShortFormats } from '../crypto/code.js'
import type { Limit } from '../stores/gcra.js'
import { OptionChecker } from '../validate.js'

const check = new OptionChecker('emailOtp')

/** One limit for each bucket. */
export type Limits = Readonly<Record<'sendsPerUser' | 'sendsPerAddress' | 'sendsPerIp' | 'failures' | 'resend', Limit>>

/** Upper bound for an attacker who guesses all year; with the defaults it is below one in ten thousand. */
const MAX_YEARLY_GUESS_PROBABILITY = 0.01
const SECONDS_A_YEAR = 31_536_000
/** A campus behind one address. */
const MAX_IP_CAPACITY = 100_000

/** The limits with their defaults. None can be switched off, not even by very large numbers. */
export function resolveLimits(options: LimitOptions = {}, code: ShortFormats): Limits {
  check.rejectUnknownKeys('limits', options, [
    'sendsPerUser',
    'sendsPerAddress',
    'sendsPerIp',
    'failures',
    'resendAfter',
  ])
  const { resendAfter = 30 } = options
  const failures = limit('failures', options.failures, { capacity: 10, refill: 432_000 })
  const guesses = failures.capacity + SECONDS_A_YEAR / failures.refill
  const weakest = Math.min(...Object.values(code).map((format) => Number(keyspace(format))))
  const guessProbability = guesses / weakest
  if (guessProbability > MAX_YEARLY_GUESS_PROBABILITY) {
    const chance = `${Math.round(guesses)} guesses a year, a ${(guessProbability * 100).toPrecision(2)} % chance`
    const hint = `That allows ${chance}. Lower the capacity or lengthen the refill.`
    throw check.invalid('limits.failures', options.failures, hint)
  }
  return {
    sendsPerUser: limit('sendsPerUser', options.sendsPerUser, { capacity: 5, refill: 5_760 }),
    sendsPerAddress: limit('sendsPerAddress', options.sendsPerAddress, { capacity: 30, refill: 600 }),
    sendsPerIp: limit('sendsPerIp', options.sendsPerIp, { capacity: 30, refill: 120 }, MAX_IP_CAPACITY),
    failures,
    resend: { capacity: 1, refill: check.seconds('limits.resendAfter', resendAfter, 1, 600) },
  }
}

function limit(name: string, options: Partial<Limit> | undefined, fallback: Limit, maxCapacity = 1_000): Limit {
  if (options === undefined) return fallback
  check.rejectUnknownKeys(`limits.${name}`, options, ['capacity', 'refill'])
  const { capacity = fallback.capacity, refill = fallback.refill } = options
  return {
    capacity: check.integer(`limits.${name}.capacity`, capacity, 1, maxCapacity),
    refill: check.seconds(`limits.${name}.refill`, refill),
  }
}
