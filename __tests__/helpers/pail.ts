import type { Limit } from '../../src/stores/gcra.js'

/** A bucket told at length: permits, each counted, and a running refill that starts when the bucket is not full. */
export class Pail {
  #permits: number
  /** Milliseconds already waited for the next permit. */
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
  giveBack(): void {
    this.#permits = Math.min(this.limit.capacity, this.#permits + 1)
    if (this.#permits === this.limit.capacity) this.#waited = 0
  }
  get permits(): number {
    return this.#permits
  }
  /** Whole seconds. */
  get untilNext(): number {
    return Math.ceil((this.limit.refill * 1000 - this.#waited) / 1000)
  }
}
