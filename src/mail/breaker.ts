import type { Delivery, Failure, FailureClass } from './failure.js'

/** `closed`: mail flows. `open`: the server is left alone. `half-open`: one mail finds out whether it is back. */
export type BreakerState = 'closed' | 'open' | 'half-open'

/** Called at each change, with the failure that opened it and the seconds until the next look. */
export type BreakerListener = (state: 'closed' | 'open', failure: Failure | null, seconds: number) => void

/** Failures in a row within a minute that open it. */
const MANY = 5
const WINDOW_MS = 60_000
/** Seconds until the next look: at first, and after each look in vain. */
const PAUSES = [15, 60, 900] as const
const PAUSE_OF_A_DAY = 3_600

const COUNTED: readonly FailureClass[] = ['connect', 'tls', 'blocked']
/** Endings that show a server at work, whatever it thinks of the one mail. */
const AT_WORK: readonly FailureClass[] = ['sender', 'content', 'mailbox-full', 'recipient', 'greylist', 'transient']

/**
 * The circuit breaker before the mail server: while nothing can go out, the person is told at once, and the server is
 * not run down by those who try. Opens after five failures in a row within a minute, and at once when the password was
 * refused or the quota of the day is used up, since trying on would lock the account.
 */
export class Breaker {
  readonly #now: () => number
  readonly #tell: BreakerListener
  #failures: number[] = []
  #openUntil: number | null = null
  #trips = 0
  #isLooking = false

  constructor(now: () => number, tell: BreakerListener) {
    this.#now = now
    this.#tell = tell
  }

  get state(): BreakerState {
    if (this.#openUntil === null) return 'closed'
    return this.#openUntil > this.#now() ? 'open' : 'half-open'
  }

  /** Whole seconds until mail is taken again; 0 when it is. */
  get retryAfter(): number {
    return this.state === 'open' ? Math.max(1, Math.ceil(((this.#openUntil ?? 0) - this.#now()) / 1000)) : 0
  }

  /** Lets a mail through, or does not. Whoever was let through must `report`. */
  admit(): 'free' | 'probe' | null {
    const { state } = this
    if (state === 'closed') return 'free'
    if (state === 'open' || this.#isLooking) return null
    this.#isLooking = true
    return 'probe'
  }

  report(pass: 'free' | 'probe', delivery: Delivery): void {
    if (pass === 'probe') {
      this.#isLooking = false
      if (delivery.outcome !== 'accepted' && !isAtWork(delivery)) this.#open(delivery)
      else this.#close()
    } else if (this.#openUntil === null) {
      this.#count(delivery)
    } // else it set out before the breaker opened, and tells nothing new
  }

  #count(delivery: Delivery): void {
    if (delivery.outcome === 'accepted') {
      this.#failures = []
      return
    }
    if (opensAtOnce(delivery)) return void this.#open(delivery)
    if (!COUNTED.includes(delivery.class)) return
    const now = this.#now()
    this.#failures = [...this.#failures.filter((at) => now - at < WINDOW_MS), now]
    if (this.#failures.length >= MANY) this.#open(delivery)
  }

  #open(failure: Failure): void {
    const pause = failure.isDaily ? PAUSE_OF_A_DAY : (PAUSES[this.#trips] ?? PAUSES[2])
    this.#trips += 1
    this.#failures = []
    this.#openUntil = this.#now() + pause * 1000
    this.#tell('open', failure, pause)
  }

  #close(): void {
    this.#trips = 0
    this.#openUntil = null
    this.#tell('closed', null, 0)
  }
}

function opensAtOnce({ class: found, isPassing, isDaily }: Failure): boolean {
  return isDaily || (found === 'auth' && !isPassing)
}

function isAtWork(failure: Failure): boolean {
  return AT_WORK.includes(failure.class) || (failure.class === 'quota' && !failure.isDaily)
}
