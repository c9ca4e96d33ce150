/** Entries examined in one step, in well under a millisecond, so that no request waits for a sweep. */
const SWEEP_BATCH = 2_000

/** The part of a map that anonymous users may fill. Strangers can make up any number of them. */
const ANONYMOUS_SHARE = 4 / 5

/** How often a full map searches all of its entries for expired ones, in milliseconds. */
const FULL_SWEEP_INTERVAL = 1_000

/**
 * A bounded map whose entries expire. A full map refuses new keys. It never evicts a live entry, since that would forget
 * wrong guesses.
 */
export class ExpiringMap<Entry> {
  readonly #entries = new Map<string, Entry>()
  /** Where the next step of a sweep continues. */
  #cursor: MapIterator<[string, Entry]> | null = null
  #lastFullSweep = -Infinity

  /**
   * @param capacity maximum number of entries
   * @param expiresAt time in milliseconds from which an entry no longer counts
   */
  constructor(
    readonly capacity: number,
    readonly expiresAt: (entry: Entry) => number,
  ) {}

  get(key: string, now: number): Entry | undefined {
    const entry = this.#entries.get(key)
    return entry !== undefined && this.expiresAt(entry) > now ? entry : undefined
  }

  /**
   * Throws, before anything has changed, if there is no room for those keys that are new. For an anonymous user there is
   * room only below 4/5 of the capacity. A full map searches one batch of entries at once and the others in the
   * background, so that a later request finds the room.
   */
  ensureCapacity(now: number, isAnonymous: boolean, ...keys: readonly string[]): void {
    const added = keys.filter((key) => !this.#entries.has(key)).length
    const limit = isAnonymous ? Math.floor(this.capacity * ANONYMOUS_SHARE) : this.capacity
    const isFull = (): boolean => added > 0 && this.#entries.size + added > limit
    if (!isFull()) return
    this.#removeExpired(now)
    if (!isFull()) return
    if (now - this.#lastFullSweep >= FULL_SWEEP_INTERVAL) {
      this.#lastFullSweep = now
      this.sweep(() => now)
    }
    throw new Error(`full${isAnonymous ? ' for anonymous users' : ''}: ${limit} live entries`)
  }

  set(key: string, entry: Entry): void {
    this.#entries.set(key, entry)
  }

  delete(key: string): void {
    this.#entries.delete(key)
  }

  /** Removes all expired entries, in batches between which requests are served. */
  sweep(now: () => number, remaining = this.#entries.size): void {
    this.#removeExpired(now())
    if (remaining > SWEEP_BATCH) setImmediate(() => this.sweep(now, remaining - SWEEP_BATCH)).unref()
  }

  /** Examines one batch, from where the last one ended. */
  #removeExpired(now: number): void {
    for (let remaining = Math.min(SWEEP_BATCH, this.#entries.size); remaining > 0; remaining--) {
      const next = (this.#cursor ??= this.#entries.entries()).next()
      if (next.done) {
        this.#cursor = null
        continue
      }
      const [key, entry] = next.value
      if (this.expiresAt(entry) <= now) this.#entries.delete(key)
    }
  }
}

/** A key for several names. `join` makes one flat string; V8 lets a template string keep its parts in memory. */
export function joinKey(...names: readonly string[]): string {
  return names.join(' ')
}
