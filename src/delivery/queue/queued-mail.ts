import type { Failure, SendResult } from '../smtp/classify.js'
import type { OutgoingMessage } from '../smtp/send-once.js'

/** A mail in the send queue. Its times are milliseconds of the queue's clock. */
export interface QueuedMail {
  readonly address: string
  /** Called once, as soon as the mail is in the queue, so that it can be cancelled meanwhile. Never rejects. */
  readonly compose: () => Promise<OutgoingMessage | Failure>
  /** The challenge by which `cancel()` finds the mail; null if there is none. */
  readonly challengeId: string | null
  readonly firstAttemptUntil: number
  /** Whether it takes a connection for as long as a mail does, and is not sent. */
  readonly isDecoy?: boolean
  /** Null for a job, which gets one attempt. */
  readonly retryUntil: number | null
  /** Called after each attempt and at the end. */
  readonly onUpdate: (update: DeliveryUpdate) => void
}

/** The result of a send attempt. It is the final one if `retryInMs` is null. */
export interface DeliveryUpdate {
  readonly result: SendResult | Cancelled
  /** Number of attempts so far. */
  readonly attempt: number
  /** Milliseconds that the attempt took. */
  readonly durationMs: number
  readonly retryInMs: number | null
}

/** The mail is not needed any more: its code was used up or replaced. */
export interface Cancelled {
  readonly outcome: 'cancelled'
  readonly reason: 'used' | 'superseded'
}
