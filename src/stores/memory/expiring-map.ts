/** Entries looked at in one go: far below a millisecond, so that no request waits for the sweeper. */
const SWEEP_BATCH = 2_000

/** A Map of a million entries that grows or shrinks is copied in one go, for tens of milliseconds; these are not. */
const SHARDS = 64

/**
 * A bounded map whose entries run out. A full shelf refuses new keys; what stands there is never thrown out before its
 * time, since that would forget somebody's guesses.
 */
export class ExpiringMap<Entry> {
  readonly #shards: Map<string, Entry>[] = Array.from({ length: SHARDS }, () => new Map<string, Entry>())
  #size = 0
  #lastFullSweep = -Infinity
  /** Where the sweeper stands, for the next time. */
  #shard = 0
  #cursor = this.#shardAt(0).entries()

  /**
   * @param capacity entries at most
   * @param expiresAt the moment in milliseconds from which an entry means nothing any more
   */
  constructor(
    readonly capacity: number,
    readonly expiresAt: (entry: Entry) => number,
  ) {}

  get(key: string, now: number): Entry | undefined {
    const entry = this.#shardOf(key).get(key)
    return entry !== undefined && this.expiresAt(entry) > now ? entry : undefined
  }

  /**
   * Throws before anything is changed when there is no room for those keys that are new. Room is looked for a little
   * way; what has run out further behind is removed soon after, and found by the next request.
   */
  ensureCapacity(now: number, ...keys: readonly string[]): void {
    const isFull = (): boolean => this.#size + added > this.capacity
    const added = keys.filter((key) => !this.#shardOf(key).has(key)).length
    if (!isFull()) return
    this.#removeExpired(now, SWEEP_BATCH)
    if (!isFull()) return
    if (now - this.#lastFullSweep >= 1000) {
      this.#lastFullSweep = now
      this.sweep(() => now)
    }
    throw new Error(`full: ${this.capacity} live entries`)
  }

  set(key: string, entry: Entry): void {
    const shard = this.#shardOf(key)
    const before = shard.size
    shard.set(key, entry)
    this.#size += shard.size - before
  }

  delete(key: string): void {
    if (this.#shardOf(key).delete(key)) this.#size -= 1
  }

  /** Removes what has run out, chunk by chunk, letting requests through in between. */
  sweep(now: () => number, left = this.#size): void {
    this.#removeExpired(now(), SWEEP_BATCH)
    if (left > SWEEP_BATCH) setImmediate(() => this.sweep(now, left - SWEEP_BATCH)).unref()
  }

  /** Looks at so many entries, from where it stopped the last time on. */
  #removeExpired(now: number, most: number): void {
    for (let looked = 0, ended = 0; looked < most && ended <= SHARDS;) {
      const { done, value } = this.#cursor.next()
      if (done) {
        ended += 1
        this.#shard = (this.#shard + 1) % SHARDS
        this.#cursor = this.#shardAt(this.#shard).entries()
        continue
      }
      looked += 1
      if (this.expiresAt(value[1]) <= now) this.delete(value[0])
    }
  }

  // Keys begin with a keyed hash, so their first characters spread evenly.
  #shardOf(key: string): Map<string, Entry> {
    let hash = 0
    for (let i = 0; i < key.length && i < 12; i++) hash = (hash * 31 + key.charCodeAt(i)) | 0
    return this.#shardAt(hash & (SHARDS - 1))
  }

  #shardAt(i: number): Map<string, Entry> {
    const shard = this.#shards[i]
    if (!shard) throw new RangeError('no such shard')
    return shard
  }
}
