import type { Clock } from '../../clock.js'
import type { Failure, SendResult } from '../smtp/classify.js'
import { FAILURE_POLICY } from '../smtp/failure-policy.js'

/** `closed`: mail flows. `open`: the server is left alone. `half-open`: one probe shows whether it is back. */
export type BreakerState = 'closed' | 'open' | 'half-open'

export type Permit = 'normal' | 'probe'

/** Called at each change, with the failure that opened it and the seconds until the next probe. */
export type BreakerListener = (state: 'closed' | 'open', failure: Failure | null, seconds: number) => void

/** Failures in a row within a minute that open it. */
const FAILURE_THRESHOLD = 5
const FAILURE_WINDOW_MS = 60_000
/** Seconds until the next probe: at first, and after each that failed. */
const OPEN_SECONDS = [15, 60, 900] as const
const DAILY_QUOTA_OPEN_SECONDS = 3_600

/** Stops mail while the server fails, so that requests fail at once and the server is not flooded with retries. */
export class CircuitBreaker {
  readonly #clock: Pick<Clock, 'now'>
  readonly #onChange: BreakerListener
  #failedAt: number[] = []
  /** When the next probe may begin; null while it is closed. */
  #probeAt: number | null = null
  #consecutiveOpens = 0
  #isProbing = false

  constructor(clock: Pick<Clock, 'now'>, onChange: BreakerListener) {
    this.#clock = clock
    this.#onChange = onChange
  }

  get state(): BreakerState {
    if (this.#probeAt === null) return 'closed'
    return this.#remaining > 0 ? 'open' : 'half-open'
  }

  /** Whole seconds until mail is accepted again; 0 while it is. */
  get retryAfter(): number {
    return Math.ceil(this.#remaining / 1000)
  }

  /** Milliseconds until `acquire()` may give a permit; Infinity while that depends on a probe under way. */
  get delay(): number {
    return this.#isProbing ? Infinity : this.#remaining
  }

  get #remaining(): number {
    return this.#probeAt === null ? 0 : Math.max(0, this.#probeAt - this.#clock.now())
  }

  /** A permit for one send attempt, or null. Every permit must be followed by `record()`. */
  acquire(): Permit | null {
    if (this.state === 'closed') return 'normal'
    if (this.delay > 0) return null
    this.#isProbing = true
    return 'probe'
  }

  /**
   * @param result null if there was no send attempt
   * @param isAboutAll whether it is about all mail, not just about the recipient
   */
  record(permit: Permit, result: SendResult | null, isAboutAll: boolean): void {
    if (permit === 'probe') this.#isProbing = false
    // This attempt began before the breaker opened, which its result cannot change.
    else if (this.#probeAt !== null) return
    if (result === null) return
    if (result.outcome === 'accepted') return this.#reset()
    if (!isAboutAll) return hasReplied(result) ? this.#reset() : undefined
    const effect = effectOf(result)
    if (effect === 'reset') this.#reset()
    else if (permit === 'probe' || effect === 'open') this.#open(result)
    else if (effect === 'count') this.#count(result)
  }

  /**
   * Ends a probe that was a check of the connection.
   * @param result null if there was no check
   */
  recordCheck(result: SendResult | null): void {
    this.#isProbing = false
    if (result === null) return
    // Whether mail flows is not known yet. If it does not, the next pause is longer than the last one.
    if (result.outcome === 'accepted') this.#close()
    else this.#open(result)
  }

  #count(failure: Failure): void {
    const now = this.#clock.now()
    this.#failedAt = [...this.#failedAt.filter((at) => now - at < FAILURE_WINDOW_MS), now]
    if (this.#failedAt.length >= FAILURE_THRESHOLD) this.#open(failure)
  }

  #open(failure: Failure): void {
    const seconds = failure.isDailyQuota
      ? DAILY_QUOTA_OPEN_SECONDS
      : (OPEN_SECONDS[this.#consecutiveOpens] ?? OPEN_SECONDS[2])
    this.#consecutiveOpens += 1
    this.#failedAt = []
    this.#probeAt = this.#clock.now() + seconds * 1000
    this.#onChange('open', failure, seconds)
  }

  #reset(): void {
    this.#consecutiveOpens = 0
    this.#close()
  }

  #close(): void {
    this.#failedAt = []
    if (this.#probeAt === null) return
    this.#probeAt = null
    this.#onChange('closed', null, 0)
  }
}

function effectOf({ failureClass, isTransient, isDailyQuota }: Failure): 'open' | 'count' | 'reset' | 'none' {
  switch (FAILURE_POLICY[failureClass].breaker) {
    case 'counts':
      return 'count'
    case 'opensIfPermanent':
      return isTransient ? 'none' : 'open'
    case 'opensIfDaily':
      return isDailyQuota ? 'open' : 'reset'
    case 'resets':
      return 'reset'
    case 'ignored':
      return 'none'
  }
}

/** Whether the server replied, which shows that it works. The other failures are timeouts and disconnects. */
function hasReplied({ failureClass }: Failure): boolean {
  return FAILURE_POLICY[failureClass].aboutAllElsewhere !== 'signedIn'
}
