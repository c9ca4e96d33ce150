/** Entries looked at in one go: far below a millisecond, so that no request waits for the sweeper. */
const CHUNK = 2_000

/**
 * A bounded map whose entries run out. A full shelf refuses new keys; what stands there is never thrown out before its
 * time, since that would forget somebody's guesses.
 */
export class Shelf<Entry> {
  readonly #entries = new Map<string, Entry>()
  #searched = -Infinity

  /**
   * @param capacity entries at most
   * @param runsOut the moment in milliseconds from which an entry means nothing any more
   */
  constructor(
    readonly capacity: number,
    readonly runsOut: (entry: Entry) => number,
  ) {}

  get(key: string, now: number): Entry | undefined {
    const entry = this.#entries.get(key)
    return entry !== undefined && this.runsOut(entry) > now ? entry : undefined
  }

  /** Throws before anything is changed when there is no room for those keys that are new. */
  makeRoom(now: number, ...keys: readonly string[]): void {
    const added = keys.filter((key) => !this.#entries.has(key)).length
    if (this.#entries.size + added <= this.capacity) return
    // What has run out may stand behind thousands that have not. To look at all of it takes milliseconds: not for each
    // request of a flood, but once a second.
    const isDue = now - this.#searched >= 1000
    if (isDue) this.#searched = now
    this.#sweepFrom(this.#entries.entries(), now, isDue ? Infinity : CHUNK)
    if (this.#entries.size + added > this.capacity) throw new Error(`full: ${this.capacity} live entries`)
  }

  set(key: string, entry: Entry): void {
    this.#entries.set(key, entry)
  }

  delete(key: string): void {
    this.#entries.delete(key)
  }

  /** Removes what has run out, chunk by chunk, letting requests through in between. */
  sweep(now: () => number, entries = this.#entries.entries()): void {
    if (this.#sweepFrom(entries, now(), CHUNK)) setImmediate(() => this.sweep(now, entries)).unref()
  }

  #sweepFrom(entries: MapIterator<[string, Entry]>, now: number, most: number): boolean {
    for (let i = 0; i < most; i++) {
      const { done, value } = entries.next()
      if (done) return false
      if (this.runsOut(value[1]) <= now) this.#entries.delete(value[0])
    }
    return true
  }
}
