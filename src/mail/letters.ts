import type { Letter } from './attempt.js'
import { type Delivery, type Failure, failureOf } from './failure.js'
import { isTooLate, lastTry, type Tries } from './retry.js'

/** A letter on its way. */
export interface Post extends Letter {
  /** One letter for each waits at a time; a newer one takes its place. */
  readonly key: string
  /** The challenge that it belongs to. */
  readonly challenge: string
  /** Milliseconds, when it is of no more use. */
  readonly expires: number
  /** Told of every try, and of the end. */
  readonly tell: (news: News) => void
}

/** What became of a letter: of one try, or at last, when `again` is null. */
export interface News {
  readonly delivery: Delivery | Withdrawn
  /** How many tries there were. */
  readonly attempt: number
  /** Milliseconds that the try took. */
  readonly ms: number
  /** Milliseconds of the clock, when it is tried again; null when it is not. */
  readonly again: number | null
}

/** It was not tried any more, since nobody waits for it. */
export interface Withdrawn {
  readonly outcome: 'withdrawn'
  readonly reason: 'used' | 'replaced'
}

/** A letter with its tries so far. */
export interface Entry extends Tries {
  readonly post: Post
  count: number
  firstAt: number
  until: number
  due: number
  last: Failure | null
  isOver: boolean
}

/** The letters that wait and those that are being handed over: one that waits for each key. */
export class Letters {
  readonly #now: () => number
  readonly #waiting = new Map<string, Entry>()
  readonly #flying = new Set<Entry>()
  #whenGone: (() => void)[] = []

  constructor(now: () => number) {
    this.#now = now
  }

  get size(): number {
    return this.#waiting.size + this.#flying.size
  }

  get flying(): number {
    return this.#flying.size
  }

  /** Takes in a letter, in place of one that waits for the same key. */
  add(post: Post): void {
    const older = this.#waiting.get(post.key)
    if (older) this.end(older, replacement(older, post))
    const now = this.#now()
    const until = lastTry(now, post.expires)
    this.#waiting.set(post.key, { post, count: 0, firstAt: now, until, due: now, last: null, isOver: false })
  }

  /** One that is tried once and never waits. */
  once(post: Post): Entry {
    return { post, count: 0, firstAt: 0, until: -Infinity, due: 0, last: null, isOver: false }
  }

  waiting(): Entry[] {
    return [...this.#waiting.values()]
  }

  /** The first whose time has come; an older one for the same key must have landed before. */
  next(): Entry | null {
    const now = this.#now()
    const isFree = ({ key }: Post): boolean => ![...this.#flying].some(({ post }) => post.key === key)
    for (const entry of this.#waiting.values()) if (entry.due <= now && isFree(entry.post)) return entry
    return null
  }

  nextDue(): number {
    return Math.min(Infinity, ...this.waiting().map(({ due }) => due))
  }

  tooLate(): Entry[] {
    const now = this.#now()
    return this.waiting().filter(({ count, until, firstAt, post }) =>
      count === 0 ? isTooLate(now, firstAt, post.expires) : now > until,
    )
  }

  takeOff(entry: Entry): void {
    this.#waiting.delete(entry.post.key)
    this.#flying.add(entry)
    if (entry.count === 0) entry.firstAt = this.#now()
    entry.count += 1
  }

  /** Takes in how a try ended: at last, or to wait for the next one. */
  land(entry: Entry, delivery: Delivery, ms: number, again: number | null): void {
    this.#flying.delete(entry)
    if (delivery.outcome === 'accepted' || again === null) return this.end(entry, delivery, ms)
    entry.last = delivery
    entry.due = again
    this.#tell(entry, { delivery, attempt: entry.count, ms, again })
    const newer = this.#waiting.get(entry.post.key)
    if (newer) this.end(entry, replacement(entry, newer.post))
    else this.#waiting.set(entry.post.key, entry)
  }

  /** The last word about a letter; whatever comes later of a try that is under way is told to nobody. */
  end(entry: Entry, delivery: Delivery | Withdrawn, ms = 0): void {
    if (this.#waiting.get(entry.post.key) === entry) this.#waiting.delete(entry.post.key)
    this.#tell(entry, { delivery, attempt: entry.count, ms, again: null })
    entry.isOver = true
    if (this.size === 0) for (const gone of this.#whenGone.splice(0)) gone()
  }

  /** Ends what waits for a challenge; what is under way is not tried again. Whether there was something to end. */
  withdraw(challenge: string, delivery: Failure | Withdrawn): boolean {
    for (const entry of this.#flying) if (entry.post.challenge === challenge) entry.until = -Infinity
    const waits = this.waiting().filter(({ post }) => post.challenge === challenge)
    for (const entry of waits) this.end(entry, delivery)
    return waits.length > 0
  }

  /** Makes everything due now. */
  hurry(): void {
    for (const entry of this.#waiting.values()) entry.due = this.#now()
  }

  endAll(failure: Failure): void {
    for (const entry of [...this.#waiting.values(), ...this.#flying]) this.end(entry, entry.last ?? failure)
  }

  async allGone(): Promise<void> {
    if (this.size > 0) await new Promise<void>((resolve) => this.#whenGone.push(resolve))
  }

  #tell(entry: Entry, news: News): void {
    if (!entry.isOver) entry.post.tell(news)
  }
}

/** What becomes of a letter that a newer one displaces: nothing is lost if that is about the same challenge. */
function replacement({ post }: Entry, newer: Post): Failure | Withdrawn {
  if (post.challenge === newer.challenge) return { outcome: 'withdrawn', reason: 'replaced' }
  return failureOf('aborted', 'replaced')
}
