import { randomInt } from 'node:crypto'
import type { Failure, FailureClass } from './failure.js'

/** When a mail is tried again: seconds after the first try, each a quarter sooner or later so that mails spread out. */
const AGAIN_AT = [2, 8, 30, 90, 240] as const
/** And then, for a mail that is worth it that long: seconds after each try. */
const THEN = 240
/** Five minutes, and what a server needs that asks for exactly these. */
const LONGEST_MS = 305_000
/** A mail that comes this late before its code expires is of no use to anybody. */
const USELESS_MS = 120_000

/** But it may wait at least this long for its first try, however short the lifetime. */
const FIRST_TRY_MS = 10_000

type Again = 'never' | 'once' | 'often'

/** Whether another try can end differently. Never in clear text, never with a password that was refused. */
const AGAIN: Readonly<Record<FailureClass, (failure: Failure) => Again>> = {
  aborted: () => 'never',
  config: () => 'never',
  tls: ifPassing, // 454: "TLS not available due to temporary reason" (RFC 3207 4)
  auth: ifPassing, // 454 4.7.0: the server could not look at the password (RFC 4954 6)
  quota: ({ isDaily }) => (isDaily ? 'never' : 'often'),
  sender: () => 'never',
  content: () => 'never',
  'mailbox-full': ifPassing,
  recipient: () => 'never',
  greylist: () => 'often',
  connect: () => 'often',
  blocked: () => 'never',
  transient: () => 'often',
  unknown: () => 'once',
}

/** Whether another try, by whatever queue, can end better. */
export function isWorthAnother(failure: Failure): boolean {
  return AGAIN[failure.class](failure) !== 'never'
}

/** Whether it is too late for another try; for the first one, of a mail posted at `postedAt`, a little later. */
export function isTooLate(now: number, postedAt: number | null, until: number): boolean {
  return now > (postedAt === null ? until : Math.max(until, postedAt + FIRST_TRY_MS))
}

/** Until when the mail of a code is of use, in milliseconds. */
export function usefulUntil(expires: number): number {
  return expires - USELESS_MS
}

/** Until when a mail that is posted now may be tried again, in milliseconds. */
export function lastTry(now: number, expires: number): number {
  return Math.min(now + LONGEST_MS, usefulUntil(expires))
}

/** The tries of one mail so far. All times are milliseconds. */
export interface Tries {
  readonly count: number
  readonly firstAt: number
  /** From `lastTry()`. */
  readonly until: number
}

/** When to try again after a failure, in milliseconds; null when that is of no use, or too late. */
export function nextTry(failure: Failure, { count, firstAt, until }: Tries, now: number): number | null {
  const again = AGAIN[failure.class](failure)
  if (again === 'never' || (again === 'once' && count > 1)) return null
  // Asked to wait, we wait; a second more, since greylists count whole ones.
  const earliest = now + (failure.wait === null ? 0 : (failure.wait + 1) * 1000)
  const times = AGAIN_AT.slice(count - 1).map((seconds) => firstAt + spread(seconds))
  const at = Math.max(times.find((time) => time > now) ?? now + spread(THEN), earliest)
  return at <= until ? at : null
}

function spread(seconds: number): number {
  return seconds * (750 + randomInt(501))
}

function ifPassing({ isPassing }: Failure): Again {
  return isPassing ? 'often' : 'never'
}
