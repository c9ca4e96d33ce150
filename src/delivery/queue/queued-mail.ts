import type { SendResult } from '../smtp/classify.js'
import type { OutgoingMessage } from '../smtp/send-once.js'

/** A composed mail in the send queue. Its times are milliseconds of the queue's clock. */
export interface QueuedMail extends OutgoingMessage {
  /** The challenge that `cancel()` finds it by; null for a mail without one. */
  readonly challengeId: string | null
  readonly firstAttemptUntil: number
  /** Null for a job, which gets one attempt. */
  readonly retryUntil: number | null
  /** Called after each attempt and at the end. */
  readonly onUpdate: (update: DeliveryUpdate) => void
}

/** What became of a queued mail: after one attempt, or in the end when `retryInMs` is null. */
export interface DeliveryUpdate {
  readonly result: SendResult | Cancelled
  /** How many attempts there were. */
  readonly attempt: number
  /** Milliseconds that the attempt took. */
  readonly durationMs: number
  readonly retryInMs: number | null
}

/** There is no further attempt, because nobody waits for the mail. */
export interface Cancelled {
  readonly outcome: 'cancelled'
  readonly reason: 'used' | 'superseded'
}
