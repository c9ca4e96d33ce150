import { randomInt } from 'node:crypto'
import type { Failure, FailureClass } from '../smtp/classify.js'
import type { MailRequest } from '../../mail/mail-request.js'

/** When a mail is tried again: seconds after the first try, each a quarter sooner or later so that mails spread out. */
const RETRY_OFFSETS = [2, 8, 30, 90, 240] as const
/** And then, for a mail that is worth it that long: seconds after each try. */
const LATER_RETRY_INTERVAL = 240
/** Five minutes, and what a server needs that asks for exactly these. */
const RETRY_WINDOW_MS = 305_000
/** A mail that comes this late before its code expires is of no use to anybody. */
const MIN_REMAINING_LIFETIME_MS = 120_000

/** But it may wait at least this long for its first try, however short the lifetime. */
const FIRST_ATTEMPT_GRACE_MS = 10_000

/** An alert says when something happened; an hour later it is of no use. */
const ALERT_LIFETIME_MS = 3_600_000

type Again = 'never' | 'once' | 'often'

/** Whether another try can end differently. Never in clear text, never with a password that was refused. */
const AGAIN: Readonly<Record<FailureClass, (failure: Failure) => Again>> = {
  aborted: () => 'never',
  config: () => 'never',
  tls: ifPassing, // 454: "TLS not available due to temporary reason" (RFC 3207 4)
  auth: ifPassing, // 454 4.7.0: the server could not look at the password (RFC 4954 6)
  quota: ({ isDailyQuota }) => (isDailyQuota ? 'never' : 'often'),
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
export function isRetryable(failure: Failure): boolean {
  return AGAIN[failure.failureClass](failure) !== 'never'
}

/** Whether it is too late for another try; for the first one, of a mail posted at `postedAt`, a little later. */
export function isPastDeadline(now: number, postedAt: number | null, until: number): boolean {
  return now > (postedAt === null ? until : Math.max(until, postedAt + FIRST_ATTEMPT_GRACE_MS))
}

/** Until when the mail of a code is of use, in milliseconds. */
export function codeDeliveryDeadline(expires: number): number {
  return expires - MIN_REMAINING_LIFETIME_MS
}

/** Until when a mail that is posted now may be tried again, in milliseconds. */
export function codeLastAttemptAt(now: number, expires: number): number {
  return Math.min(now + RETRY_WINDOW_MS, codeDeliveryDeadline(expires))
}

/** Until when the mail is of use, in milliseconds. */
export function deliveryDeadline(mailRequest: MailRequest): number {
  return mailRequest.type === 'code'
    ? codeDeliveryDeadline(mailRequest.challenge.expires)
    : mailRequest.at + ALERT_LIFETIME_MS
}

/** When the last attempt may begin, of a mail that is queued `now`. An alert may also wait for the end of an outage. */
export function lastAttemptAt(mailRequest: MailRequest, now: number): number {
  return mailRequest.type === 'code'
    ? codeLastAttemptAt(now, mailRequest.challenge.expires)
    : deliveryDeadline(mailRequest)
}

/** The tries of one mail so far. All times are milliseconds. */
export interface AttemptHistory {
  readonly count: number
  readonly firstAt: number
  /** From `lastTry()`. */
  readonly until: number
}

/** When to try again after a failure, in milliseconds; null when that is of no use, or too late. */
export function nextRetryAt(failure: Failure, { count, firstAt, until }: AttemptHistory, now: number): number | null {
  const again = AGAIN[failure.failureClass](failure)
  if (again === 'never' || (again === 'once' && count > 1)) return null
  // Asked to wait, we wait; a second more, since greylists count whole ones.
  const earliest = now + (failure.retryAfter === null ? 0 : (failure.retryAfter + 1) * 1000)
  const times = RETRY_OFFSETS.slice(count - 1).map((seconds) => firstAt + withJitter(seconds))
  const at = Math.max(times.find((time) => time > now) ?? now + withJitter(LATER_RETRY_INTERVAL), earliest)
  return at <= until ? at : null
}

function withJitter(seconds: number): number {
  return seconds * (750 + randomInt(501))
}

function ifPassing({ isTransient }: Failure): Again {
  return isTransient ? 'often' : 'never'
}
