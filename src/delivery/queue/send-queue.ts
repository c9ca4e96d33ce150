import type { Clock } from '../../clock.js'
import type { MailSettings } from '../../config/mail-settings.js'
import { type BreakerListener, type BreakerState, CircuitBreaker } from './circuit-breaker.js'
import { ConnectionSlots, type Priority } from './connection-slots.js'
import { MailDelivery, type MailDeliveryDeps } from './mail-delivery.js'
import type { Cancelled, DeliveryUpdate, QueuedMail } from './queued-mail.js'
import { QueueCapacity, type Rejection, Reservation } from './reservation.js'
import { type Failure, localFailure, type SendResult } from '../smtp/classify.js'
import type { OutgoingMessage } from '../smtp/send-once.js'
import type { FailureClass } from '../../events.js'
import { withTimeout } from '../../timeout.js'

/** State of the send queue. */
export interface MailHealth {
  /** Mails that wait or are being sent; 500 at most, 600 when some are to signed-in users. */
  readonly queue: number
  readonly breaker: BreakerState
  /** Class of the newest failure; null when there was none. */
  readonly lastError: FailureClass | null
  /** Seconds until mail is taken again; 0 while it is. */
  readonly retryAfter: number
}

/** How the one attempt at a job ended. */
export type JobUpdate = DeliveryUpdate & { readonly result: SendResult }

const QUEUE_FULL_RETRY_AFTER = 10
const CLOSE_TIMEOUT_MS = 10_000
const CLOSED = localFailure('connect', 'closed')
export const BREAKER_OPEN = localFailure('connect', 'breaker open')

/** Bounded, in memory: hands mails to the mail server by priority, as many at once as there are connections. */
export class SendQueue {
  readonly #clock: Clock
  readonly #deps: MailDeliveryDeps
  readonly #closeTransport: () => void
  readonly #capacity = new QueueCapacity()
  /** Each with what resolves when it is over. */
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
      slots: new ConnectionSlots(clock, { ...settings, anonymousConnections }, () => breaker.delay),
      onFailure: ({ failureClass }) => (this.#lastError = failureClass),
    }
  }

  /** A place for one mail. With `canWaitForOutage` it is given while the breaker is open, too. */
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

  /** Ends the mails of a challenge that wait; one being sent gets no retry. Whether there was one that waited. */
  cancel(challengeId: string, result: Failure | Cancelled): boolean {
    const ofChallenge = [...this.#deliveries.keys()].filter(({ mail }) => mail.challengeId === challengeId)
    return ofChallenge.filter((delivery) => delivery.stop(result)).length > 0
  }

  /** One attempt, as soon as there is a connection and no later than `deadline`: for jobs, which another queue retries. */
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

  /** Takes no more mail, gives what waits a last attempt (10 s in all), and closes the connections. */
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

  /** Jobs do not wait for an outage to end; when the queue is closed, nothing does. */
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
