import { type Limit, refund, shortCodesDisabled, take, takeForced } from '../gcra.js'
import { ExpiringMap, joinKey } from './expiring-map.js'

interface Failures {
  fullAt: number
  /** The bucket was empty: short codes stay disabled until half of its capacity is back. */
  wasEmpty: boolean
}

/** A bucket and its limit. */
export interface NamedLimit extends Limit {
  readonly bucket: string
}

/** A bucket without a permit, and whole seconds until it has one. */
interface EmptyBucket {
  readonly bucket: string
  readonly retryAfter: number
}

/** The bucket that counts wrong codes. */
const FAILURES = 'failures'

/**
 * The buckets of the memory store, by user and name. A full bucket has no entry. The `failures` buckets have a map of
 * their own, so that a flood of sends leaves room to count guesses.
 */
export class MemoryBuckets {
  /** The time at which a bucket will be full. */
  readonly #general: ExpiringMap<number>
  readonly #failures: ExpiringMap<Failures>

  /** @param capacity maximum number of `failures` buckets, and of other buckets */
  constructor(capacity: number) {
    this.#general = new ExpiringMap(capacity, (fullAt) => fullAt)
    this.#failures = new ExpiringMap(capacity, (failures) => failures.fullAt)
  }

  /**
   * Takes a permit from each of the buckets, or from none. Returns the empty bucket with the longest wait, if any.
   * @throws Error if there is no room for those of the buckets that are new
   */
  takeAll(user: string, buckets: readonly NamedLimit[], now: number, isAnonymous: boolean): EmptyBucket | null {
    let empty: EmptyBucket | null = null
    const taken: [name: string, fullAt: number][] = []
    for (const limit of buckets) {
      const { retryAfter, fullAt } = take(this.#fullAt(user, limit.bucket, now), now, limit)
      if (retryAfter > (empty?.retryAfter ?? 0)) empty = { bucket: limit.bucket, retryAfter }
      taken.push([limit.bucket, fullAt])
    }
    if (empty) return empty
    this.#ensureCapacity(user, buckets, now, isAnonymous)
    for (const [name, fullAt] of taken) this.#put(user, name, fullAt, now)
    return null
  }

  /** Throws if there is no room to count a wrong code of the user. */
  ensureRoomForFailures(user: string, now: number, isAnonymous: boolean): void {
    this.#failures.ensureCapacity(now, isAnonymous, user)
  }

  refund(user: string, name: string, limit: Limit, permits: number, now: number): void {
    this.#put(user, name, refund(this.#fullAt(user, name, now), now, limit, permits), now)
  }

  /** Whether short codes of the user are disabled. */
  shortCodesDisabled(user: string, limit: Limit, now: number): boolean {
    const { fullAt, wasEmpty } = this.#failuresOf(user, now)
    if (!shortCodesDisabled(fullAt, now, limit, wasEmpty)) return false
    if (!wasEmpty) this.#failures.set(user, { fullAt, wasEmpty: true })
    return true
  }

  /** Takes a permit for a wrong short code. Returns whether the bucket is empty now. */
  recordFailure(user: string, limit: Limit, now: number): boolean {
    const fullAt = takeForced(this.#fullAt(user, FAILURES, now), now, limit)
    const wasEmpty = shortCodesDisabled(fullAt, now, limit, false)
    this.#failures.set(user, { fullAt, wasEmpty })
    return wasEmpty
  }

  sweep(now: () => number): void {
    this.#general.sweep(now)
    this.#failures.sweep(now)
  }

  #ensureCapacity(user: string, buckets: readonly NamedLimit[], now: number, isAnonymous: boolean): void {
    const names = buckets.map(({ bucket }) => bucket)
    if (names.includes(FAILURES)) this.ensureRoomForFailures(user, now, isAnonymous)
    const general = names.filter((name) => name !== FAILURES)
    this.#general.ensureCapacity(now, isAnonymous, ...general.map((name) => joinKey(user, name)))
  }

  #put(user: string, name: string, fullAt: number, now: number): void {
    const isFailures = name === FAILURES
    if (fullAt <= now) return isFailures ? this.#failures.delete(user) : this.#general.delete(joinKey(user, name))
    if (isFailures) this.#failures.set(user, { ...this.#failuresOf(user, now), fullAt })
    else this.#general.set(joinKey(user, name), fullAt)
  }

  #fullAt(user: string, name: string, now: number): number {
    if (name === FAILURES) return this.#failuresOf(user, now).fullAt
    return this.#general.get(joinKey(user, name), now) ?? -Infinity
  }

  #failuresOf(user: string, now: number): Failures {
    return this.#failures.get(user, now) ?? { fullAt: -Infinity, wasEmpty: false }
  }
}
