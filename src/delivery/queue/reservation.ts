import type { Priority } from './connection-slots.js'
import type { QueuedMail } from './queued-mail.js'

/** Why no mail is accepted at the moment, and for how many seconds. */
export interface Rejection {
  readonly outcome: 'rejected'
  readonly reason: 'breaker_open' | 'queue_full' | 'closed'
  readonly retryAfter: number
}

/** Mails that wait or are being sent, and reservations. */
const MAX_QUEUED = 500
/** With the places that only mail to signed-in users gets, so that typed addresses cannot take every place. */
const MAX_QUEUED_TOTAL = 600

/** Counts places from their reservation on, so that many requests at once do not overfill the queue. */
export class QueueCapacity {
  readonly #taken = { 'signed-in': 0, anonymous: 0 }

  isFull(priority: Priority): boolean {
    const { 'signed-in': signedIn, anonymous } = this.#taken
    if (priority === 'anonymous') return signedIn + anonymous >= MAX_QUEUED
    return signedIn + anonymous >= MAX_QUEUED_TOTAL || signedIn >= MAX_QUEUED
  }

  /** Occupies a place. Returns the function that frees it, which can be called more than once. */
  occupy(priority: Priority): () => void {
    this.#taken[priority] += 1
    let isTaken = true
    return () => {
      if (isTaken) this.#taken[priority] -= 1
      isTaken = false
    }
  }
}

/** A place in the queue, taken before anything is counted. */
export class Reservation {
  readonly outcome = 'reserved'
  /** Puts a mail into the place. */
  readonly enqueue: (mail: QueuedMail) => void
  /** Releases the place. Does nothing if that has happened already. */
  readonly release: () => void
  #isKept = false

  constructor(enqueue: (mail: QueuedMail) => void, release: () => void) {
    this.release = release
    this.enqueue = (mail) => {
      enqueue(mail) // which occupies a place of its own
      release()
    }
  }

  /** Runs `callback` and then releases the place, unless `keep()` was called and `callback` did not throw. */
  async use<T>(callback: () => Promise<T>): Promise<T> {
    try {
      return await callback()
    } catch (error) {
      this.#isKept = false
      throw error
    } finally {
      if (!this.#isKept) this.release()
    }
  }

  /** For a mail that is dispatched after `use()`: the caller dispatches it or releases the place later. */
  keep(): void {
    this.#isKept = true
  }
}
