import { type Entry, waitingEntry } from './entry.js'
import { type News, type Post, replacement, type Withdrawn } from './queued-mail.js'
import { isPastDeadline } from './retry-schedule.js'
import type { Failure, SendResult } from '../smtp/classify.js'

/** The letters that wait and those that are being handed over: one that waits for each key. */
export class Letters {
  readonly #now: () => number
  /** Those that wait, by key: to people who are signed in, and to others. */
  readonly #known = new Map<string, Entry>()
  readonly #others = new Map<string, Entry>()
  readonly #flying = new Set<Entry>()
  #whenGone: (() => void)[] = []
  #whenLanded: (() => void)[] = []

  constructor(now: () => number) {
    this.#now = now
  }

  get size(): number {
    return this.#known.size + this.#others.size + this.#flying.size
  }

  get flying(): number {
    return this.#flying.size
  }

  /** Takes in a letter, in place of one that waits for the same key. */
  add(post: Post): void {
    const waiting = this.#placeOf(post)
    const older = waiting.get(post.key)
    if (older) this.end(older, replacement(older.post, post))
    waiting.set(post.key, waitingEntry(post, this.#now()))
  }

  waiting(): Entry[] {
    return [...this.#known.values(), ...this.#others.values()]
  }

  /**
   * The first whose time has come, among those to known people before others; none to an address that a letter is under
   * way to. `onlyKnown` leaves out the others.
   */
  next(onlyKnown: boolean): Entry | null {
    const now = this.#now()
    for (const waiting of onlyKnown ? [this.#known] : [this.#known, this.#others])
      for (const entry of waiting.values())
        if (entry.due <= now && !this.#isUnderWayTo(entry.post.address)) return entry
    return null
  }

  /** How many there are to people who are signed in. */
  get knownOnes(): number {
    return this.#known.size + this.flying - this.flyingOthers
  }

  /** How many are under way to addresses that anybody may have typed. */
  get flyingOthers(): number {
    return [...this.#flying].filter(({ post }) => !post.isKnown).length
  }

  /** Resolves when the next one has landed, or all were ended. */
  async landing(): Promise<void> {
    await new Promise<void>((resolve) => this.#whenLanded.push(resolve))
  }

  nextDue(): number {
    let soonest = Infinity
    for (const waiting of [this.#known, this.#others])
      for (const { due } of waiting.values()) soonest = Math.min(soonest, due)
    return soonest
  }

  tooLate(): Entry[] {
    const now = this.#now()
    return this.waiting().filter(({ count, until, firstAt }) =>
      isPastDeadline(now, count === 0 ? firstAt : null, until),
    )
  }

  takeOff(entry: Entry): void {
    this.#placeOf(entry.post).delete(entry.post.key)
    this.#flying.add(entry)
    if (entry.count === 0) entry.firstAt = this.#now()
    entry.count += 1
  }

  /** Takes in how a try ended: at last, or to wait for the next one. */
  land(entry: Entry, delivery: SendResult, ms: number, again: number | null): void {
    this.#flying.delete(entry)
    for (const wake of this.#whenLanded.splice(0)) wake()
    if (delivery.outcome === 'accepted' || again === null) {
      return this.end(entry, delivery.outcome === 'accepted' ? delivery : (entry.withdrawn ?? delivery), ms)
    }
    entry.last = delivery
    entry.due = again
    this.#tell(entry, { delivery, attempt: entry.count, ms, again })
    const waiting = this.#placeOf(entry.post)
    const newer = waiting.get(entry.post.key)
    if (newer) this.end(entry, replacement(entry.post, newer.post))
    else waiting.set(entry.post.key, entry)
  }

  /** The last word about a letter; whatever comes later of a try that is under way is told to nobody. */
  end(entry: Entry, delivery: SendResult | Withdrawn, ms = 0): void {
    const waiting = this.#placeOf(entry.post)
    if (waiting.get(entry.post.key) === entry) waiting.delete(entry.post.key)
    this.#tell(entry, { delivery, attempt: entry.count, ms, again: null })
    entry.isOver = true
    if (this.size === 0) for (const gone of this.#whenGone.splice(0)) gone()
  }

  /** Ends what waits for a challenge; what is under way is not tried again. Whether there was something to end. */
  withdraw(challenge: string, delivery: Failure | Withdrawn): boolean {
    for (const entry of this.#flying) {
      if (entry.post.challenge === challenge)
        Object.assign(entry, { until: -Infinity, withdrawn: delivery.outcome === 'cancelled' ? delivery : null })
    }
    const waits = this.waiting().filter(({ post }) => post.challenge === challenge)
    for (const entry of waits) this.end(entry, delivery)
    return waits.length > 0
  }

  /** The clock was put back by so many milliseconds: nothing waits longer for that. */
  shift(ms: number): void {
    for (const entry of [...this.waiting(), ...this.#flying]) {
      for (const time of ['firstAt', 'due', 'until'] as const) entry[time] -= ms
    }
  }

  /** Makes everything due now. */
  hurry(): void {
    for (const entry of this.waiting()) entry.due = this.#now()
  }

  endAll(failure: Failure): void {
    for (const entry of [...this.waiting(), ...this.#flying]) this.end(entry, entry.last ?? failure)
    for (const wake of this.#whenLanded.splice(0)) wake()
  }

  async allGone(): Promise<void> {
    if (this.size > 0) await new Promise<void>((resolve) => this.#whenGone.push(resolve))
  }

  #isUnderWayTo(address: string): boolean {
    for (const { post } of this.#flying) if (post.address === address) return true
    return false
  }

  #placeOf({ isKnown }: Post): Map<string, Entry> {
    return isKnown ? this.#known : this.#others
  }

  #tell(entry: Entry, news: News): void {
    if (!entry.isOver) entry.post.tell(news)
  }
}
