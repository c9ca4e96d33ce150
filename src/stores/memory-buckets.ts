import { charge, giveBack, isVoid, type Limit, take, type Taken } from '../bucket.js'
import { Shelf } from './shelf.js'

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
  readonly #others: Shelf<number>
  readonly #failures: Shelf<Failures>

  /** @param capacity buckets at most, of either kind */
  constructor(capacity: number) {
    this.#others = new Shelf(capacity, (full) => full)
    this.#failures = new Shelf(capacity, (failures) => failures.full)
  }

  /** What taking a permit would do. Nothing is taken before `keep`. */
  look(user: string, name: string, limit: Limit, now: number): Taken {
    return take(this.#full(user, name, now), now, limit)
  }

  /** Throws where there is no room for what is new among these. */
  makeRoom(user: string, names: readonly string[], now: number): void {
    this.#failures.makeRoom(now, ...names.filter((name) => name === FAILURES).map(() => user))
    this.#others.makeRoom(now, ...names.filter((name) => name !== FAILURES).map((name) => `${user} ${name}`))
  }

  keep(user: string, name: string, full: number, now: number): void {
    const isFailures = name === FAILURES
    if (full <= now) return isFailures ? this.#failures.delete(user) : this.#others.delete(`${user} ${name}`)
    if (isFailures) this.#failures.set(user, { ...this.#failuresOf(user, now), full })
    else this.#others.set(`${user} ${name}`, full)
  }

  giveBack(user: string, name: string, limit: Limit, permits: number, now: number): void {
    this.keep(user, name, giveBack(this.#full(user, name, now), now, limit, permits), now)
  }

  /** Whether short codes of the user are void. */
  isVoid(user: string, limit: Limit, now: number): boolean {
    const { full, wasEmpty } = this.#failuresOf(user, now)
    if (!isVoid(full, now, limit, wasEmpty)) return false
    if (!wasEmpty) this.#failures.set(user, { full, wasEmpty: true })
    return true
  }

  /** Takes the permit of a wrong short code, and tells whether it was the last one. */
  fail(user: string, limit: Limit, now: number): boolean {
    const full = charge(this.#full(user, FAILURES, now), now, limit)
    const wasEmpty = isVoid(full, now, limit, false)
    this.#failures.set(user, { full, wasEmpty })
    return wasEmpty
  }

  sweep(now: () => number): void {
    this.#others.sweep(now)
    this.#failures.sweep(now)
  }

  #full(user: string, name: string, now: number): number {
    if (name === FAILURES) return this.#failuresOf(user, now).full
    return this.#others.get(`${user} ${name}`, now) ?? -Infinity
  }

  #failuresOf(user: string, now: number): Failures {
    return this.#failures.get(user, now) ?? { full: -Infinity, wasEmpty: false }
  }
}
