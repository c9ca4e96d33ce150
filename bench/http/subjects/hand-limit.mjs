/** So many per user at once, and one more every `refill` seconds. */
export class Limit {
  #full = new Map()

  constructor(capacity, refill) {
    this.capacity = capacity
    this.refill = refill * 1_000
  }

  take(id) {
    const now = Date.now()
    const full = Math.max(this.#full.get(id) ?? 0, now) + this.refill
    if (full - now > this.capacity * this.refill) return false
    this.#full.set(id, full)
    return true
  }

  reset(id) {
    this.#full.delete(id)
  }

  clear() {
    this.#full.clear()
  }
}
