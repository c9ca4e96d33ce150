import { type Clock, systemClock } from '../../clock.js'
import type { MailSettings } from '../../config/mail-settings.js'
import { type BreakerListener, type BreakerState, CircuitBreaker } from './circuit-breaker.js'
import { ConnectionProbe } from './connection-probe.js'
import { ConnectionSlots, type Priority } from './connection-slots.js'
import { DelayedStarts, type RealTime } from './delayed-starts.js'
import { FailureScope } from './failure-scope.js'
import { MailDelivery, type MailDeliveryDeps } from './mail-delivery.js'
import type { Cancelled, DeliveryUpdate, QueuedMail } from './queued-mail.js'
import { RecentDurations } from './recent-durations.js'
import { QueueCapacity, type Rejection, Reservation } from './reservation.js'
import { type Failure, localFailure, type SendResult } from '../smtp/classify.js'
import type { OutgoingMessage } from '../smtp/send-once.js'
import type { FailureClass } from '../../events.js'
import { withTimeout } from '../../timeout.js'

/** State of the send queue. */
export interface MailHealth {
  /** Mails that wait or are being sent; 500 at most, 600 with those to signed-in users. */
  readonly queue: number
  readonly breaker: BreakerState
  /** Class of the newest failure; null if there was none. */
  readonly lastError: FailureClass | null
  /** Seconds until mail is accepted again; 0 while it is. */
  readonly retryAfter: number
}

/** How the one attempt at a job ended. */
export type JobUpdate = DeliveryUpdate & { readonly result: SendResult }

export interface SendQueueOptions {
  /** Whether the app has signed-in users. Then a connection is reserved for them if there are two or more. */
  readonly hasUsers?: boolean
  readonly realTime?: RealTime
}

const QUEUE_FULL_RETRY_AFTER = 10
const CLOSE_TIMEOUT_MS = 10_000
const CLOSED = localFailure('connect', 'closed')
export const BREAKER_OPEN = localFailure('connect', 'breaker open')

/** A bounded queue in memory. Sends mails by priority, as many at once as there are connections. */
export class SendQueue {
  readonly #clock: Clock
  readonly #deps: MailDeliveryDeps
  readonly #closeTransport: () => void
  readonly #probe: ConnectionProbe
  readonly #delayed: DelayedStarts
  readonly #capacity = new QueueCapacity()
  readonly #outageListeners = new Set<() => void>()
  /** With the promise that resolves at the end of each. */
  readonly #deliveries = new Map<MailDelivery, Promise<void>>()
  #lastError: FailureClass | null = null
  #isClosed = false

  constructor(
    settings: Pick<MailSettings, 'transporter' | 'connections' | 'rate' | 'close'>,
    clock: Clock,
    onBreakerChange: BreakerListener,
    { hasUsers = false, realTime = systemClock }: SendQueueOptions = {},
  ) {
    const breaker = new CircuitBreaker(clock, (state, failure, seconds) => {
      onBreakerChange(state, failure, seconds)
      if (state === 'open') this.#onBreakerOpen()
    })
    const { transporter, connections, rate } = settings
    const onFailure = ({ failureClass }: Failure): void => void (this.#lastError = failureClass)
    this.#probe = new ConnectionProbe({ transporter, clock, breaker, onFailure, onEnd: () => slots.fill() })
    const anonymousConnections = hasUsers ? Math.max(1, connections - 1) : connections
    const slots = new ConnectionSlots(clock, { connections, anonymousConnections, rate }, this.#probe)
    this.#clock = clock
    this.#closeTransport = settings.close
    this.#delayed = new DelayedStarts(realTime)
    const [scope, durations] = [new FailureScope(clock), new RecentDurations()]
    this.#deps = { transporter, clock, slots, breaker, scope, durations, realTime, hasUsers, onFailure }
  }

  /** Reserves a place for one mail; with `canWaitForOutage` also while the breaker is open. */
  reserve(priority: Priority, { canWaitForOutage = false } = {}): Reservation | Rejection {
    const { breaker } = this.#deps
    if (this.#isClosed) return rejected('closed')
    if (breaker.state === 'open' && !canWaitForOutage) return rejected('breaker_open', breaker.retryAfter)
    if (this.#capacity.isFull(priority)) return rejected('queue_full')
    const enqueue = (mail: QueuedMail): void => {
      this.#start(mail, priority, this.#capacity.occupy(priority))
    }
    return new Reservation(enqueue, this.#capacity.occupy(priority))
  }

  /**
   * Starts a mail to a typed address, or its decoy, at a random moment within two seconds. It starts at once if it is
   * cancelled before, or when the queue closes.
   */
  startLater(challengeId: string, start: () => unknown): void {
    if (this.#isClosed) start()
    else this.#delayed.add(challengeId, start)
  }

  /** Calls the listener whenever the breaker opens. Returns the function that ends this. */
  onOutage(listener: () => void): () => void {
    this.#outageListeners.add(listener)
    return () => void this.#outageListeners.delete(listener)
  }

  /** Ends waiting mails of a challenge; one being sent gets no further attempt. Returns whether one was waiting. */
  cancel(challengeId: string, result: Failure | Cancelled): boolean {
    void this.#delayed.startNow(challengeId)
    const ofChallenge = [...this.#deliveries.keys()].filter(({ mail }) => mail.challengeId === challengeId)
    return ofChallenge.filter((delivery) => delivery.stop(result)).length > 0
  }

  /** Makes one attempt, as soon as there is a connection, and no later than `deadline`. Another queue retries jobs. */
  sendJob(message: OutgoingMessage, priority: Priority, deadline: number): Promise<JobUpdate> {
    return new Promise((resolve) => {
      const onUpdate = ({ result, ...update }: DeliveryUpdate): void => {
        resolve({ ...update, result: result.outcome === 'cancelled' ? CLOSED : result })
      }
      const { address } = message
      const compose = (): Promise<OutgoingMessage> => Promise.resolve(message)
      const job = { address, compose, challengeId: null, firstAttemptUntil: deadline, retryUntil: null, onUpdate }
      if (this.#deps.breaker.state === 'open' && !this.#isClosed) reject(job, BREAKER_OPEN)
      else this.#start(job, priority)
    })
  }

  readonly health = (): MailHealth => {
    const { state: breaker, retryAfter } = this.#deps.breaker
    return { queue: this.#delayed.size + this.#deliveries.size, breaker, lastError: this.#lastError, retryAfter }
  }

  /** Accepts no more mail, gives waiting mail a last attempt (10 s in all), and closes the connections. */
  async close(): Promise<void> {
    const started = this.#delayed.startNow()
    this.#isClosed = true
    this.#deps.slots.throttleUntil(0)
    for (const delivery of this.#deliveries.keys()) delivery.makeLastAttempt()
    if (this.#deps.breaker.state === 'open') this.#onBreakerOpen()
    const drained = Promise.all([started, ...this.#deliveries.values()])
    await withTimeout(this.#clock, CLOSE_TIMEOUT_MS, drained).catch(() => undefined)
    for (const delivery of this.#deliveries.keys()) {
      delivery.end(CLOSED)
      delivery.stop(CLOSED)
    }
    this.#probe.close()
    this.#closeTransport()
  }

  #start(mail: QueuedMail, priority: Priority, release?: () => void): void {
    if (this.#isClosed) {
      release?.()
      return reject(mail, CLOSED)
    }
    const onEnd = (): void => {
      this.#deliveries.delete(delivery)
      release?.()
    }
    const delivery = new MailDelivery(this.#deps, mail, priority, onEnd)
    this.#deliveries.set(delivery, delivery.run())
  }

  /** Jobs do not wait for the end of an outage; in a closed queue, no mail does. */
  #onBreakerOpen(): void {
    for (const listener of this.#outageListeners) listener()
    for (const delivery of this.#deliveries.keys()) {
      if (this.#isClosed) delivery.stop(CLOSED)
      else if (delivery.mail.retryUntil === null) delivery.stop(BREAKER_OPEN)
    }
  }
}

function reject({ onUpdate }: QueuedMail, result: Failure): void {
  onUpdate({ result, attempt: 0, durationMs: 0, retryInMs: null })
}

function rejected(reason: Rejection['reason'], retryAfter = QUEUE_FULL_RETRY_AFTER): Rejection {
  return { outcome: 'rejected', reason, retryAfter }
}
