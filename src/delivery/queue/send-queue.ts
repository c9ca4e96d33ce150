import type { Clock } from '../../clock.js'
import type { MailSettings } from '../../config/mail-settings.js'
import { type BreakerListener, type BreakerState, CircuitBreaker } from './circuit-breaker.js'
import { ConnectionSlots, type Priority } from './connection-slots.js'
import { FailureScope } from './failure-scope.js'
import { MailDelivery, type MailDeliveryDeps } from './mail-delivery.js'
import type { Cancelled, DeliveryUpdate, QueuedMail } from './queued-mail.js'
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

const QUEUE_FULL_RETRY_AFTER = 10
const CLOSE_TIMEOUT_MS = 10_000
const CLOSED = localFailure('connect', 'closed')
export const BREAKER_OPEN = localFailure('connect', 'breaker open')

/** A bounded queue in memory. Sends mails by priority, as many at once as there are connections. */
export class SendQueue {
  readonly #clock: Clock
  readonly #deps: MailDeliveryDeps
  readonly #closeTransport: () => void
  readonly #capacity = new QueueCapacity()
  /** With the promise that resolves at the end of each. */
  readonly #deliveries = new Map<MailDelivery, Promise<void>>()
  #lastError: FailureClass | null = null
  #isClosed = false

  constructor(
    settings: Pick<MailSettings, 'transporter' | 'connections' | 'rate' | 'close'>,
    clock: Clock,
    onBreakerChange: BreakerListener,
    anonymousConnections = settings.connections,
  ) {
    const breaker = new CircuitBreaker(clock, (state, failure, seconds) => {
      onBreakerChange(state, failure, seconds)
      if (state === 'open') this.#onBreakerOpen()
    })
    this.#clock = clock
    this.#closeTransport = settings.close
    this.#deps = {
      transporter: settings.transporter,
      clock,
      breaker,
      scope: new FailureScope(clock),
      slots: new ConnectionSlots(clock, { ...settings, anonymousConnections }, () => breaker.delay),
      onFailure: ({ failureClass }) => (this.#lastError = failureClass),
    }
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

  /** Ends waiting mails of a challenge; one being sent gets no further attempt. Returns whether one was waiting. */
  cancel(challengeId: string, result: Failure | Cancelled): boolean {
    const ofChallenge = [...this.#deliveries.keys()].filter(({ mail }) => mail.challengeId === challengeId)
    return ofChallenge.filter((delivery) => delivery.stop(result)).length > 0
  }

  /** Makes one attempt, as soon as there is a connection, and no later than `deadline`. Another queue retries jobs. */
  sendJob(message: OutgoingMessage, priority: Priority, deadline: number): Promise<JobUpdate> {
    return new Promise((resolve) => {
      const onUpdate = ({ result, ...update }: DeliveryUpdate): void => {
        resolve({ ...update, result: result.outcome === 'cancelled' ? CLOSED : result })
      }
      const job = { ...message, challengeId: null, firstAttemptUntil: deadline, retryUntil: null, onUpdate }
      if (this.#deps.breaker.state === 'open' && !this.#isClosed) reject(job, BREAKER_OPEN)
      else this.#start(job, priority)
    })
  }

  readonly health = (): MailHealth => {
    const { state: breaker, retryAfter } = this.#deps.breaker
    return { queue: this.#deliveries.size, breaker, lastError: this.#lastError, retryAfter }
  }

  /** Accepts no more mail, gives waiting mail a last attempt (10 s in all), and closes the connections. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#deps.slots.throttleUntil(0)
    for (const delivery of this.#deliveries.keys()) delivery.makeLastAttempt()
    if (this.#deps.breaker.state === 'open') this.#onBreakerOpen()
    const drained = Promise.all(this.#deliveries.values())
    await withTimeout(this.#clock, CLOSE_TIMEOUT_MS, drained).catch(() => undefined)
    for (const delivery of this.#deliveries.keys()) {
      delivery.end(CLOSED)
      delivery.stop(CLOSED)
    }
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
