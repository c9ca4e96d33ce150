import { randomInt } from 'node:crypto'
import type { Failure } from '../smtp/classify.js'
import { FAILURE_POLICY } from '../smtp/failure-policy.js'
import type { MailRequest } from '../../mail/mail-request.js'

/** Seconds after the first attempt, each up to a quarter earlier or later so that mails spread out. */
const RETRY_OFFSETS = [2, 8, 30, 90, 240] as const
/** Seconds between later attempts. Only an alert is retried that long. */
const LATER_RETRY_INTERVAL = 240
/** 5 minutes plus 5 seconds, so that a server asking for a retry in exactly 5 minutes still gets one. */
const RETRY_WINDOW_MS = 305_000
/** A code with less time left than this is not mailed. */
const MIN_REMAINING_LIFETIME_MS = 120_000
/** The first attempt may wait at least this long, however short the lifetime. */
const FIRST_ATTEMPT_GRACE_MS = 10_000
/** An alert is sent for up to an hour: it says when it happened. */
const ALERT_LIFETIME_MS = 3_600_000

/** Until when send attempts are made, in milliseconds of one clock. */
export interface AttemptWindow {
  readonly firstAttemptUntil: number
  readonly retryUntil: number
}

/** The attempts so far. All times are milliseconds of one clock. */
export interface AttemptHistory {
  readonly attempts: number
  readonly firstAttemptAt: number
}

/** The times for a mail that is queued at `now`, in milliseconds since the epoch. */
export function attemptWindow(mailRequest: MailRequest, now: number): AttemptWindow {
  const deadline = deliveryDeadline(mailRequest)
  // An alert may also wait for a server that is down, so it is retried for its whole lifetime.
  const retryUntil = mailRequest.type === 'code' ? Math.min(now + RETRY_WINDOW_MS, deadline) : deadline
  return { firstAttemptUntil: Math.max(retryUntil, now + FIRST_ATTEMPT_GRACE_MS), retryUntil }
}

/** Until when attempts at a job are made. How many there are is up to the queue that it comes from. */
export function jobDeadline(mailRequest: MailRequest, enqueuedAt: number): number {
  return Math.max(deliveryDeadline(mailRequest), enqueuedAt + FIRST_ATTEMPT_GRACE_MS)
}

function deliveryDeadline(mailRequest: MailRequest): number {
  return mailRequest.type === 'code'
    ? mailRequest.challenge.expires - MIN_REMAINING_LIFETIME_MS
    : mailRequest.at + ALERT_LIFETIME_MS
}

/** Whether another attempt may end better. */
export function isRetryable(failure: Failure): boolean {
  return maxAttempts(failure) > 1
}

/** The time of the next attempt after a failure; null if there is none, or if it would be later than `retryUntil`. */
export function nextRetryAt(
  failure: Failure,
  { attempts, firstAttemptAt }: AttemptHistory,
  retryUntil: number,
  now: number,
): number | null {
  if (attempts >= maxAttempts(failure)) return null
  // One second more than the server asks for, since greylists count whole seconds.
  const earliest = now + (failure.retryAfter === null ? 0 : (failure.retryAfter + 1) * 1000)
  const offsets = RETRY_OFFSETS.slice(attempts - 1).map((seconds) => firstAttemptAt + withJitter(seconds))
  const at = Math.max(offsets.find((time) => time > now) ?? now + withJitter(LATER_RETRY_INTERVAL), earliest)
  return at <= retryUntil ? at : null
}

function maxAttempts({ failureClass, isTransient, isDailyQuota }: Failure): number {
  switch (FAILURE_POLICY[failureClass].retry) {
    case 'never':
      return 1
    case 'once':
      return 2
    case 'ifTransient':
      return isTransient ? Infinity : 1
    case 'unlessDaily':
      return isDailyQuota ? 1 : Infinity
    case 'always':
      return Infinity
  }
}

function withJitter(seconds: number): number {
  return seconds * (750 + randomInt(501))
}
