import type { Letters } from './entries.js'
import type { Post } from './queued-mail.js'

export type Reservation = Place
export interface Rejection extends NoPlace {
  readonly outcome: 'rejected'
}
/** Room for one letter, taken before any address is looked at. Post into it or release it. */
export interface Place {
  readonly outcome: 'reserved'
  readonly keep: () => void
  readonly use: <T>(act: () => Promise<T>) => Promise<T>
  readonly post: (post: Post) => void
  readonly release: () => void
}

/** Why no mail is taken at the moment, and after how many seconds to ask again. */
export interface NoPlace {
  readonly reason: 'breaker_open' | 'queue_full' | 'closed'
  readonly retryAfter: number
}

/** Letters that wait or are under way. */
const MOST = 500
/** So many more for people who are signed in, so that whoever types addresses cannot take every place. */
const MOST_WITH_KNOWN = 600

/** Counts places from when they are taken, so that many who ask at once do not overfill the queue. */
export class Places {
  readonly #letters: Letters
  readonly #taken = { known: 0, others: 0 }

  constructor(letters: Letters) {
    this.#letters = letters
  }

  isFull(isKnown: boolean): boolean {
    const all = this.#letters.size + this.#taken.known + this.#taken.others
    if (!isKnown) return all >= MOST
    return all >= MOST_WITH_KNOWN || this.#letters.knownOnes + this.#taken.known >= MOST
  }

  /** A place that is held until a letter is posted into it, or until it is released; both any number of times. */
  take(isKnown: boolean, accept: (post: Post) => void): Place {
    const kind = isKnown ? 'known' : 'others'
    this.#taken[kind] += 1
    let isHeld = true
    const release = (): void => {
      if (isHeld) this.#taken[kind] -= 1
      isHeld = false
    }
    const post = (one: Post): void => {
      release()
      accept(one)
    }
    let isKept = false
    const use = async <T>(act: () => Promise<T>): Promise<T> => {
      try {
        return await act()
      } finally {
        if (!isKept) release()
      }
    }
    const keep = (): void => {
      isKept = true
    }
    return { outcome: 'reserved', post, release, use, keep }
  }
}
