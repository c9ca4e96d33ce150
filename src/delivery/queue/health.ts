import type { BreakerState } from './circuit-breaker.js'
import type { FailureClass } from '../smtp/classify.js'

/** Where sending stands. */
export interface MailHealth {
  /** Mails that wait or are being handed over; 500 at most, 600 when some are to people who are signed in. */
  readonly queue: number
  readonly breaker: BreakerState
  /** Class of the newest failure; null when there was none. */
  readonly lastError: FailureClass | null
  /** Seconds until mail is taken again; 0 while it is. */
  readonly retryAfter: number
}
