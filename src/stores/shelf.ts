/** Entries looked at in one go: far below a millisecond, so that no request waits for the sweeper. */
const CHUNK = 2_000

/**
 * A bounded map whose entries run out. A full shelf refuses new keys; what stands there is never thrown out before its
 * time, since that would forget somebody's guesses.
 */
export class Shelf<Entry> {
  readonly #entries = new Map<string, Entry>()

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

  /** Throws before anything is changed when the shelf is full and the key is new. */
  makeRoom(key: string, now: number): void {
    if (this.#entries.has(key) || this.#entries.size < this.capacity) return
    this.#sweepFrom(this.#entries.entries(), now)
    if (this.#entries.size >= this.capacity) throw new Error(`full: ${this.capacity} live entries`)
  }

  set(key: string, entry: Entry): void {
    this.#entries.set(key, entry)
  }

  delete(key: string): void {
    this.#entries.delete(key)
  }

  /** Removes what has run out, chunk by chunk, letting requests through in between. */
  sweep(now: () => number, entries = this.#entries.entries()): void {
    if (this.#sweepFrom(entries, now())) setImmediate(() => this.sweep(now, entries)).unref()
  }

  #sweepFrom(entries: MapIterator<[string, Entry]>, now: number): boolean {
    for (let i = 0; i < CHUNK; i++) {
      const { done, value } = entries.next()
      if (done) return false
      if (this.runsOut(value[1]) <= now) this.#entries.delete(value[0])
    }
    return true
  }
}
