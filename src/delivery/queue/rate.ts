import { type Limit, permitIntervalMs, take } from '../../stores/gcra.js'

/** So many a second, in an even flow: a tenth of a second's worth at once. */
export class Rate {
  readonly #limit: Limit | null
  readonly #now: () => number
  #full = 0

  constructor(perSecond: number | null, now: () => number) {
    this.#limit = perSecond === null ? null : { capacity: Math.ceil(perSecond / 10), refill: 1 / perSecond }
    this.#now = now
  }

  /** Takes a permit, if there is one. */
  take(): boolean {
    if (this.#limit === null) return true
    const now = this.#now()
    // No bucket is ever further from full than this; it is when the clock was put back.
    const isOdd = this.#full > now + (this.#limit.capacity + 1) * permitIntervalMs(this.#limit)
    const taken = take(isOdd ? 0 : this.#full, now, this.#limit)
    if (taken.allowed) this.#full = taken.fullAt
    return taken.allowed
  }
}
