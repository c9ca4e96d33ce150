import type { Limit } from '../../src/stores/gcra.js'

/** A bucket in plain terms: a count of permits, and the time since the last refill while it is not full. */
export class ReferenceBucket {
  #permits: number
  /** Milliseconds since the last refill. */
  #waited = 0
  constructor(readonly limit: Limit) {
    this.#permits = limit.capacity
  }
  wait(ms: number): void {
    const refill = this.limit.refill * 1000
    this.#waited += ms
    while (this.#waited >= refill && this.#permits < this.limit.capacity) {
      this.#permits += 1
      this.#waited -= refill
    }
    if (this.#permits === this.limit.capacity) this.#waited = 0
  }
  take(): boolean {
    if (this.#permits < 1) return false
    this.#permits -= 1
    return true
  }
  refund(): void {
    this.#permits = Math.min(this.limit.capacity, this.#permits + 1)
    if (this.#permits === this.limit.capacity) this.#waited = 0
  }
  get permits(): number {
    return this.#permits
  }
  /** Whole seconds until the next permit. */
  get untilNext(): number {
    return Math.ceil((this.limit.refill * 1000 - this.#waited) / 1000)
  }
}
