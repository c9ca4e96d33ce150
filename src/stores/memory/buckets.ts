import { type Limit, refund, shortCodesDisabled, take, takeForced, type TakeResult } from '../gcra.js'
import { ExpiringMap } from './expiring-map.js'

interface Failures {
  full: number
  /** Whether the bucket has been without a permit: then short codes are void until half of it is back. */
  wasEmpty: boolean
}

/** Wrong codes are counted here, and here only. */
const FAILURES = 'failures'

/**
 * The buckets of the memory store, by user and name. Those that are full again have no entry. `failures` stand apart, so
 * that a flood of sends leaves room to count guesses.
 */
export class MemoryBuckets {
  /** When a bucket is full again. */
  readonly #general: ExpiringMap<number>
  readonly #failures: ExpiringMap<Failures>

  /** @param capacity buckets at most, of either kind */
  constructor(capacity: number) {
    this.#general = new ExpiringMap(capacity, (full) => full)
    this.#failures = new ExpiringMap(capacity, (failures) => failures.full)
  }

  /** What taking a permit would do. Nothing is taken before `keep`. */
  peek(user: string, name: string, limit: Limit, now: number): TakeResult {
    return take(this.#full(user, name, now), now, limit)
  }

  /** Throws where there is no room for what is new among these. */
  ensureCapacity(user: string, names: readonly string[], now: number): void {
    this.#failures.ensureCapacity(now, ...names.filter((name) => name === FAILURES).map(() => user))
    this.#general.ensureCapacity(now, ...names.filter((name) => name !== FAILURES).map((name) => `${user} ${name}`))
  }

  put(user: string, name: string, full: number, now: number): void {
    const isFailures = name === FAILURES
    if (full <= now) return isFailures ? this.#failures.delete(user) : this.#general.delete(`${user} ${name}`)
    if (isFailures) this.#failures.set(user, { ...this.#failuresOf(user, now), full })
    else this.#general.set(`${user} ${name}`, full)
  }

  refund(user: string, name: string, limit: Limit, permits: number, now: number): void {
    this.put(user, name, refund(this.#full(user, name, now), now, limit, permits), now)
  }

  /** Whether short codes of the user are void. */
  shortCodesDisabled(user: string, limit: Limit, now: number): boolean {
    const { full, wasEmpty } = this.#failuresOf(user, now)
    if (!shortCodesDisabled(full, now, limit, wasEmpty)) return false
    if (!wasEmpty) this.#failures.set(user, { full, wasEmpty: true })
    return true
  }

  /** Takes the permit of a wrong short code, and tells whether it was the last one. */
  recordFailure(user: string, limit: Limit, now: number): boolean {
    const full = takeForced(this.#full(user, FAILURES, now), now, limit)
    const wasEmpty = shortCodesDisabled(full, now, limit, false)
    this.#failures.set(user, { full, wasEmpty })
    return wasEmpty
  }

  sweep(now: () => number): void {
    this.#general.sweep(now)
    this.#failures.sweep(now)
  }

  #full(user: string, name: string, now: number): number {
    if (name === FAILURES) return this.#failuresOf(user, now).full
    return this.#general.get(`${user} ${name}`, now) ?? -Infinity
  }

  #failuresOf(user: string, now: number): Failures {
    return this.#failures.get(user, now) ?? { full: -Infinity, wasEmpty: false }
  }
}
