import type { Clock } from '../../clock.js'
import { domainOf } from './recipient-domain.js'
import { type Limit, permitIntervalMs, takeForced } from '../../stores/gcra.js'

/** Mail to signed-in users goes before mail to typed addresses. */
export type Priority = 'signed-in' | 'anonymous'

export interface SlotOptions {
  /** Attempts at once: one for each connection. */
  readonly connections: number
  /** Maximum connections for mail to typed addresses; the others are reserved for signed-in users. */
  readonly anonymousConnections: number
  /** Attempts a second, or null. */
  readonly rate: number | null
}

/** A request for a connection. An AbortSignal for each mail would cost more than the rest of the queue. */
export interface SlotRequest {
  /** Resolves to the function that releases the connection, or to null if the request was cancelled. */
  readonly granted: Promise<(() => void) | null>
  readonly cancel: () => void
}

/** What the breaker lets through. */
export interface ProbeState {
  /** Milliseconds until a mail may start; Infinity while that depends on a probe under way. */
  delay(): number
  /** Whether the next mail is the probe. */
  isNextMail(): boolean
}

interface Waiter {
  readonly address: string
  readonly canProbe: boolean
  readonly start: () => void
}

/** A server that says "too fast" pauses all mail for at most this long, whatever it asks for. */
const MAX_THROTTLE_MS = 30_000

/**
 * A semaphore over the connections to the mail server. At most one connection mails to the same address, and of mail to
 * typed addresses at most one to the same domain: otherwise a domain whose server is slow could hold up all the others.
 */
export class ConnectionSlots {
  readonly #clock: Clock
  readonly #options: SlotOptions
  readonly #limit: Limit | null
  readonly #probe: ProbeState
  readonly #waiting = { 'signed-in': new Set<Waiter>(), anonymous: new Set<Waiter>() }
  readonly #inUse = new Map<string, Priority>()
  #rateFullAt = 0
  #throttledUntil = 0
  #cancelTimer = (): void => undefined

  constructor(clock: Clock, options: SlotOptions, probe: ProbeState) {
    this.#clock = clock
    this.#options = options
    this.#probe = probe
    // Evenly spaced: at once at most the mails of a tenth of a second.
    const { rate } = options
    this.#limit = rate === null ? null : { capacity: Math.ceil(rate / 10), refill: 1 / rate }
  }

  /** Asks for a connection. If the next mail is the probe, only one that `canProbe` gets it. */
  request(address: string, priority: Priority, canProbe: boolean): SlotRequest {
    const waiting = this.#waiting[priority]
    let resolve: (release: (() => void) | null) => void = () => undefined
    const granted = new Promise<(() => void) | null>((done) => (resolve = done))
    const start = (): void => {
      waiting.delete(waiter)
      this.#inUse.set(address, priority)
      resolve(() => {
        this.#inUse.delete(address)
        this.fill()
      })
    }
    const waiter: Waiter = { address, canProbe, start }
    waiting.add(waiter)
    this.fill()
    const cancel = (): void => {
      waiting.delete(waiter)
      resolve(null)
    }
    return { granted, cancel }
  }

  /** Starts nothing before `time`. 0 ends the pause. */
  throttleUntil(time: number): void {
    this.#throttledUntil = Math.min(time, this.#clock.now() + MAX_THROTTLE_MS)
    this.fill()
  }

  /** Starts what may start. */
  fill(): void {
    this.#cancelTimer()
    for (let next = this.#next(); next !== null; next = this.#next()) {
      const now = this.#clock.now()
      const delay = Math.max(this.#throttledUntil - now, this.#probe.delay(), this.#rateDelay(now))
      if (delay > 0) {
        // Infinity: a probe is being sent. When it has ended, this runs again.
        if (delay < Infinity)
          this.#cancelTimer = this.#clock.after(delay, () => {
            this.fill()
          })
        return
      }
      if (this.#limit) this.#rateFullAt = takeForced(this.#rateFullAt, now, this.#limit)
      next.start()
    }
  }

  #next(): Waiter | null {
    const { connections, anonymousConnections } = this.#options
    if (this.#inUse.size >= connections) return null
    const isProbe = this.#probe.isNextMail()
    const mayStart = ({ address, canProbe }: Waiter): boolean => !this.#inUse.has(address) && (canProbe || !isProbe)
    const { 'signed-in': signedIn, anonymous } = this.#waiting
    for (const waiter of signedIn) if (mayStart(waiter)) return waiter
    const typed = [...this.#inUse].flatMap(([address, priority]) => (priority === 'anonymous' ? [address] : []))
    if (typed.length >= anonymousConnections) return null
    const domains = new Set(typed.map(domainOf))
    for (const waiter of anonymous) if (mayStart(waiter) && !domains.has(domainOf(waiter.address))) return waiter
    return null
  }

  /** Milliseconds until the rate allows another attempt. */
  #rateDelay(now: number): number {
    if (this.#limit === null) return 0
    const interval = permitIntervalMs(this.#limit)
    return this.#rateFullAt + interval - now - this.#limit.capacity * interval
  }
}
