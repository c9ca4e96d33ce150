import { type Limit, permitIntervalMs } from './gcra.js'
import type { OpenOutcome, OpenRequest, RedeemOutcome, SpendOutcome } from './store.js'

/*
 * What the scripts of the Redis store and the functions of the Postgres store answer: a list of whole numbers, since
 * those come through every client and protocol version alike. The first one is the outcome:
 *   open    0 opened, repeated?, long?, attempts left, seconds left | 1 resend throttled, seconds | 2 sends throttled, seconds
 *   redeem  0 redeemed | 1 mismatch, attempts left, escalated? | 2 exhausted | 3 absent | 4 longer
 *   spend   0 spent | 1 throttled, seconds
 * Any other answer is an error, so that the request ends as 503.
 */

const REDEEMED: readonly RedeemOutcome[] = [
  { outcome: 'redeemed' },
  { outcome: 'mismatch', attemptsLeft: 0, escalated: false }, // stands for its number; the rest is in the reply
  { outcome: 'exhausted' },
  { outcome: 'not_found' },
  { outcome: 'long_code_required' },
]

export function openOutcome(reply: unknown, { existing, fresh }: OpenRequest): OpenOutcome {
  const numbers = wholeNumbers(reply)
  if (numbers.length === 2) {
    const [throttledBucket = 0, retryAfter = 0] = numbers
    if (throttledBucket === 1 || throttledBucket === 2) {
      return { outcome: 'throttled', bucket: throttledBucket === 1 ? 'resend' : 'sends', retryAfter }
    }
  }
  const [outcome, repeated = 0, long = 0, attemptsLeft = 0, expiresIn = 0] = numbers
  if (numbers.length !== 5 || outcome !== 0) throw unexpectedReply(reply)
  const candidate = toBoolean(repeated, reply) ? existing : fresh
  if (!candidate) throw unexpectedReply(reply)
  const kind = toBoolean(long, reply) ? 'long' : 'short'
  return { outcome: 'opened', id: candidate.id, repeated: repeated === 1, kind, attemptsLeft, expiresIn }
}

export function redeemOutcome(reply: unknown): RedeemOutcome {
  const numbers = wholeNumbers(reply)
  const [outcome = -1, attemptsLeft = 0, escalated = 0] = numbers
  const known = REDEEMED[outcome]
  if (known?.outcome === 'mismatch' && numbers.length === 3) {
    return { outcome: 'mismatch', attemptsLeft, escalated: toBoolean(escalated, reply) }
  }
  if (!known || known.outcome === 'mismatch' || numbers.length !== 1) throw unexpectedReply(reply)
  return known
}

export function spendOutcome(reply: unknown): SpendOutcome {
  const numbers = wholeNumbers(reply)
  const [outcome, retryAfter] = numbers
  if (outcome === 0 && numbers.length === 1) return { outcome: 'spent' }
  if (outcome === 1 && numbers.length === 2 && retryAfter !== undefined) return { outcome: 'throttled', retryAfter }
  throw unexpectedReply(reply)
}

/** A limit as the scripts take it: permits, and whole milliseconds until one is back. */
export function inMilliseconds(limit: Limit): [capacity: number, refill: number] {
  return [limit.capacity, permitIntervalMs(limit)]
}

// Clients may be set to give integers as strings or BigInts; nothing else is taken for a number.
function wholeNumbers(reply: unknown): number[] {
  if (!Array.isArray(reply)) throw unexpectedReply(reply)
  return reply.map((value: unknown) => {
    const isText = typeof value === 'string' && /^\d{1,15}$/.test(value)
    const number = isText || typeof value === 'bigint' ? Number(value) : value
    if (typeof number !== 'number' || !Number.isSafeInteger(number) || number < 0) throw unexpectedReply(reply)
    return number
  })
}

function toBoolean(value: number, reply: unknown): boolean {
  if (value !== 0 && value !== 1) throw unexpectedReply(reply)
  return value === 1
}

function unexpectedReply(reply: unknown): Error {
  const kind = Array.isArray(reply) ? `a list of ${reply.length}` : reply === null ? 'null' : `a ${typeof reply}`
  return new Error(`the answer (${kind}) is none that these scripts give`)
}
