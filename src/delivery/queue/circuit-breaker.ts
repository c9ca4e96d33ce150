import type { Failure, FailureClass, SendResult } from '../smtp/classify.js'

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
  #openedAt = 0
  /** Seconds that it stays open; null while it is closed. */
  #pause: number | null = null
  #trips = 0
  #isLooking = false

  constructor(now: () => number, tell: BreakerListener) {
    this.#now = now
    this.#tell = tell
  }

  get state(): BreakerState {
    if (this.#pause === null) return 'closed'
    return this.#rest > 0 ? 'open' : 'half-open'
  }

  /** Whole seconds until mail is taken again; 0 when it is. */
  get retryAfter(): number {
    return Math.ceil(this.#rest)
  }

  /** Seconds of the pause that are left. A clock that was put back ends it: else it would last as long as the jump. */
  get #rest(): number {
    if (this.#pause === null) return 0
    const passed = (this.#now() - this.#openedAt) / 1000
    return passed < 0 ? 0 : Math.max(0, this.#pause - passed)
  }

  /** Lets a mail through, or does not. Whoever was let through must `report`. */
  admit(): 'free' | 'probe' | null {
    const { state } = this
    if (state === 'closed') return 'free'
    if (state === 'open' || this.#isLooking) return null
    this.#isLooking = true
    return 'probe'
  }

  /** `isKnown`: the letter is to somebody who is signed in, not to any address that anybody may type. */
  report(pass: 'free' | 'probe', delivery: SendResult, isKnown: boolean): void {
    if (pass === 'probe') {
      this.#isLooking = false
      if (delivery.outcome === 'accepted' || isAtWork(delivery)) this.#close()
      else if (isCounted(delivery, isKnown)) this.#open(delivery)
      // else it told nothing of the server, and the next letter finds out
    } else if (this.#pause === null) {
      this.#count(delivery, isKnown)
    } // else it set out before the breaker opened, and tells nothing new
  }

  #count(delivery: SendResult, isKnown: boolean): void {
    if (delivery.outcome === 'accepted' || isAtWork(delivery)) {
      this.#failures = []
      return
    }
    if (opensAtOnce(delivery)) return void this.#open(delivery)
    if (!COUNTED.includes(delivery.failureClass) || !isCounted(delivery, isKnown)) return
    const now = this.#now()
    this.#failures = [...this.#failures.filter((at) => now - at < WINDOW_MS), now]
    if (this.#failures.length >= MANY) this.#open(delivery)
  }

  #open(failure: Failure): void {
    const pause =
      failure.isDailyQuota && failure.scope === 'server' ? PAUSE_OF_A_DAY : (PAUSES[this.#trips] ?? PAUSES[2])
    this.#trips += 1
    this.#failures = []
    this.#pause = pause
    this.#openedAt = this.#now()
    this.#tell('open', failure, pause)
  }

  #close(): void {
    this.#trips = 0
    this.#pause = null
    this.#tell('closed', null, 0)
  }
}

function opensAtOnce({ failureClass: found, isTransient, isDailyQuota, scope }: Failure): boolean {
  return scope === 'server' && (isDailyQuota || (found === 'auth' && !isTransient))
}

/** Whoever types addresses whose server is silent or slow could open it, or keep it open, otherwise. */
function isCounted({ failureClass: found, scope }: Failure, isKnown: boolean): boolean {
  return (scope === 'server' && found !== 'aborted') || isKnown
}

function isAtWork({ failureClass: found, isDailyQuota, scope }: Failure): boolean {
  // Any reply about one letter is one: what is left of that kind is silence.
  if (scope === 'letter') return found !== 'connect'
  return AT_WORK.includes(found) || (found === 'quota' && !isDailyQuota)
}
