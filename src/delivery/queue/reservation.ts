import type { Priority } from './connection-slots.js'
import type { QueuedMail } from './queued-mail.js'

/** Why no mail is taken at the moment, and after how many seconds to ask again. */
export interface Rejection {
  readonly outcome: 'rejected'
  readonly reason: 'breaker_open' | 'queue_full' | 'closed'
  readonly retryAfter: number
}

/** Mails that wait or are being sent, and reservations. */
const MAX_QUEUED = 500
/** Including those to signed-in users, so that whoever types addresses cannot take every place. */
const MAX_QUEUED_TOTAL = 600

/** Counts places from when they are reserved, so that many requests at once do not overfill the queue. */
export class QueueCapacity {
  readonly #taken = { 'signed-in': 0, anonymous: 0 }

  isFull(priority: Priority): boolean {
    const { 'signed-in': signedIn, anonymous } = this.#taken
    if (priority === 'anonymous') return signedIn + anonymous >= MAX_QUEUED
    return signedIn + anonymous >= MAX_QUEUED_TOTAL || signedIn >= MAX_QUEUED
  }

  /** Occupies a place. Gives the function that frees it, any number of times. */
  occupy(priority: Priority): () => void {
    this.#taken[priority] += 1
    let isTaken = true
    return () => {
      if (isTaken) this.#taken[priority] -= 1
      isTaken = false
    }
  }
}

/** A place in the queue, taken before any address is looked at and anything is counted. */
export class Reservation {
  readonly outcome = 'reserved'
  /** Puts a mail into the place. */
  readonly enqueue: (mail: QueuedMail) => void
  /** Gives the place back; harmless when it is used or given back already. */
  readonly release: () => void
  #isKept = false

  constructor(enqueue: (mail: QueuedMail) => void, release: () => void) {
    this.release = release
    this.enqueue = (mail) => {
      enqueue(mail) // it occupies a place of its own
      release()
    }
  }

  /** Runs `act`, and then releases the place, unless a mail is in it or `keep()` was called and `act` did not throw. */
  async use<T>(act: () => Promise<T>): Promise<T> {
    try {
      return await act()
    } catch (error) {
      this.#isKept = false
      throw error
    } finally {
      if (!this.#isKept) this.release()
    }
  }

  /** For a mail that is dispatched after `use()`: whoever calls this dispatches or releases later. */
  keep(): void {
    this.#isKept = true
  }
}
