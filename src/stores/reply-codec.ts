import { type Limit, permitIntervalMs } from './gcra.js'
import type { OpenOutcome, OpenRequest, RedeemOutcome, SpendOutcome } from './store.js'

/*
 * Replies of the Lua scripts and the SQL functions: lists of whole numbers, which every client and protocol version
 * returns in the same form. The first number is the outcome:
 *   open    0 opened, repeated?, long?, attempts left, seconds left | 1 resend throttled, seconds | 2 sends throttled, seconds
 *           | 3 first extra bucket throttled, seconds | 4 second extra bucket throttled, seconds | and so on
 *   redeem  0 redeemed | 1 mismatch, attempts left, escalated? | 2 exhausted | 3 not found | 4 long code required
 *   spend   0 spent | 1 throttled, seconds
 * Any other reply is an error, so that the request ends as 503.
 */

const REDEEMED: readonly RedeemOutcome[] = [
  { outcome: 'redeemed' },
  { outcome: 'mismatch', attemptsLeft: 0, escalated: false }, // a placeholder: its numbers are in the reply
  { outcome: 'exhausted' },
  { outcome: 'not_found' },
  { outcome: 'long_code_required' },
]

export function openOutcome(reply: unknown, { existing, fresh, extraBuckets = [] }: OpenRequest): OpenOutcome {
  const numbers = wholeNumbers(reply)
  const [outcome = -1, second = 0, long = 0, attemptsLeft = 0, expiresIn = 0] = numbers
  if (numbers.length === 2) {
    const bucket = ['resend', 'sends', ...extraBuckets.map((extra) => extra.bucket)][outcome - 1]
    if (bucket === undefined) throw unexpectedReply(reply)
    return { outcome: 'throttled', bucket, retryAfter: second }
  }
  if (numbers.length !== 5 || outcome !== 0) throw unexpectedReply(reply)
  const repeated = toBoolean(second, reply)
  const candidate = repeated ? existing : fresh
  if (!candidate) throw unexpectedReply(reply)
  const kind = toBoolean(long, reply) ? 'long' : 'short'
  return { outcome: 'opened', id: candidate.id, repeated, kind, attemptsLeft, expiresIn }
}

export function redeemOutcome(reply: unknown): RedeemOutcome {
  const numbers = wholeNumbers(reply)
  const [outcome = -1, attemptsLeft = 0, escalated = 0] = numbers
  const redeemed = REDEEMED[outcome]
  if (redeemed?.outcome === 'mismatch' && numbers.length === 3) {
    return { outcome: 'mismatch', attemptsLeft, escalated: toBoolean(escalated, reply) }
  }
  if (!redeemed || redeemed.outcome === 'mismatch' || numbers.length !== 1) throw unexpectedReply(reply)
  return redeemed
}

export function spendOutcome(reply: unknown): SpendOutcome {
  const numbers = wholeNumbers(reply)
  const [outcome, retryAfter] = numbers
  if (outcome === 0 && numbers.length === 1) return { outcome: 'spent' }
  if (outcome === 1 && numbers.length === 2 && retryAfter !== undefined) return { outcome: 'throttled', retryAfter }
  throw unexpectedReply(reply)
}

/** A limit as the scripts and functions take it: permits, and the refill interval in whole milliseconds. */
export function inMilliseconds(limit: Limit): [capacity: number, refill: number] {
  return [limit.capacity, permitIntervalMs(limit)]
}

// Clients may be configured to return integers as strings or BigInts.
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
  return new Error(`unexpected reply (${kind})`)
}
