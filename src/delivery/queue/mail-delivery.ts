import type { Clock } from '../../clock.js'
import type { MailTransporter } from '../../config/options.js'
import type { CircuitBreaker, Permit } from './circuit-breaker.js'
import type { ConnectionSlots, Priority } from './connection-slots.js'
import type { FailureScope } from './failure-scope.js'
import { attemptDecoy } from './decoy-attempt.js'
import type { RealTime } from './delayed-starts.js'
import type { Cancelled, QueuedMail } from './queued-mail.js'
import type { RecentDurations } from './recent-durations.js'
import { nextRetryAt } from './retry-schedule.js'
import { type Failure, localFailure, type SendResult } from '../smtp/classify.js'
import { type OutgoingMessage, sendOnce } from '../smtp/send-once.js'

export interface MailDeliveryDeps {
  readonly transporter: MailTransporter
  readonly clock: Clock
  readonly slots: ConnectionSlots
  readonly breaker: CircuitBreaker
  readonly scope: FailureScope
  /** Of the newest send attempts. */
  readonly durations: RecentDurations
  readonly realTime: RealTime
  /** Whether mail to signed-in users can come, so that mail to typed addresses never has to be the breaker's probe. */
  readonly hasUsers: boolean
  readonly onFailure: (failure: Failure) => void
}

const EXPIRED = localFailure('connect', 'too late')

/** The coroutine of one mail: composes, waits for a connection, sends, waits for the next attempt, and so on. It ends once. */
export class MailDelivery {
  readonly mail: QueuedMail
  readonly priority: Priority
  readonly #deps: MailDeliveryDeps
  readonly #onEnd: () => void
  readonly #cancelExpiry: () => void
  #attempts = 0
  #firstAttemptAt = 0
  #state: 'waiting' | 'sending' | 'ended' = 'waiting'
  #isLastAttempt = false
  /** No further attempt may start. */
  #isStopped = false
  #lastFailure: Failure | null = null
  #cancelled: Cancelled | null = null
  #cancelSlotRequest = (): void => undefined
  #wake = (): void => undefined
  #endDecoy = (): void => undefined

  constructor(deps: MailDeliveryDeps, mail: QueuedMail, priority: Priority, onEnd: () => void) {
    this.mail = mail
    this.priority = priority
    this.#deps = deps
    this.#onEnd = onEnd
    const { clock } = deps
    this.#cancelExpiry = clock.after(mail.firstAttemptUntil + 1 - clock.now(), () => this.#expire())
  }

  async run(): Promise<void> {
    const composed = await this.mail.compose()
    if ('failureClass' in composed) return void this.end(composed)
    while (!this.#isStopped) {
      const retryAt = await this.#attempt(composed)
      if (retryAt === null) return
      await this.#sleepUntil(retryAt)
    }
  }

  /** Ends a waiting mail; one that is being sent gets no further attempt. Returns whether it was waiting. */
  stop(result: Failure | Cancelled): boolean {
    const wasWaiting = this.#state === 'waiting'
    if (wasWaiting) this.end(result)
    else if (result.outcome === 'cancelled') this.#cancelled = result
    this.#isStopped = true
    this.#cancelSlotRequest()
    this.#wake()
    return wasWaiting
  }

  /** For a closing queue: the next attempt is made now, and is the last one. */
  makeLastAttempt(): void {
    this.#isLastAttempt = true
    this.#wake()
    this.#endDecoy()
  }

  end(result: SendResult | Cancelled, durationMs = 0): void {
    if (this.#state === 'ended') return
    this.#state = 'ended'
    this.#cancelExpiry()
    this.#onEnd()
    const final = result.outcome === 'accepted' ? result : (this.#cancelled ?? result)
    this.mail.onUpdate({ result: final, attempt: this.#attempts, durationMs, retryInMs: null })
  }

  /** One attempt, unless the mail ends before. Returns the time of the next one; null if there is none. */
  async #attempt(message: OutgoingMessage): Promise<number | null> {
    const { slots, breaker, clock } = this.#deps
    for (;;) {
      const { granted, cancel } = slots.request(this.mail.address, this.priority, this.#canProbe)
      this.#cancelSlotRequest = cancel
      const releaseSlot = await granted
      if (releaseSlot === null) return null
      try {
        const { firstAttemptUntil, retryUntil } = this.mail
        if (clock.now() > (this.#attempts === 0 ? firstAttemptUntil : (retryUntil ?? 0))) this.#expire()
        if (this.#isStopped) return null
        // Asked after the connection was granted: the breaker may have opened during the wait.
        const permit = breaker.acquire()
        if (permit !== null) return await this.#send(permit, message)
      } finally {
        releaseSlot()
      }
    }
  }

  async #send(permit: Permit, message: OutgoingMessage): Promise<number | null> {
    const { transporter, clock, breaker, scope, durations } = this.#deps
    if (this.mail.isDecoy) return this.#pretend(permit, message)
    this.#state = 'sending'
    if (this.#attempts === 0) this.#firstAttemptAt = clock.now()
    this.#attempts += 1
    const startedAt = performance.now()
    let result: SendResult | null = null
    let isAboutAll = false
    try {
      result = await sendOnce({ transporter, clock }, message)
      isAboutAll = scope.isAboutAll(result, this.mail.address, this.priority)
    } finally {
      breaker.record(permit, result, isAboutAll)
    }
    const durationMs = performance.now() - startedAt
    durations.add(durationMs)
    const retryAt = result.outcome === 'accepted' ? null : this.#afterFailure(result, isAboutAll)
    if (retryAt === null) {
      this.end(result, durationMs)
    } else {
      this.#state = 'waiting'
      this.mail.onUpdate({ result, attempt: this.#attempts, durationMs, retryInMs: retryAt - clock.now() })
    }
    return retryAt
  }

  /** The attempt of a decoy, which says nothing about the server. */
  async #pretend(permit: Permit, message: OutgoingMessage): Promise<null> {
    const { breaker, durations, realTime } = this.#deps
    this.#state = 'sending'
    const { ended, end } = attemptDecoy(message, durations.draw(), realTime)
    this.#endDecoy = end
    if (this.#isLastAttempt) end()
    await ended
    breaker.record(permit, null, false)
    this.end({ outcome: 'accepted' })
    return null
  }

  /** The fallback for an app that mails typed addresses only: with no other mail to come, nothing would ever probe. */
  get #canProbe(): boolean {
    const isJob = this.mail.retryUntil === null
    return !this.mail.isDecoy && (this.priority === 'signed-in' || isJob || !this.#deps.hasUsers)
  }

  #afterFailure(failure: Failure, isAboutAll: boolean): number | null {
    const { slots, clock, onFailure } = this.#deps
    this.#lastFailure = failure
    onFailure(failure)
    const { retryUntil } = this.mail
    const history = { attempts: this.#attempts, firstAttemptAt: this.#firstAttemptAt }
    const isLast = this.#isLastAttempt || this.#isStopped || retryUntil === null
    const retryAt = isLast ? null : nextRetryAt(failure, history, retryUntil, clock.now())
    const isTooFast = failure.failureClass === 'quota' && isAboutAll && !failure.isDailyQuota
    if (isTooFast && !this.#isLastAttempt) slots.throttleUntil(retryAt ?? Infinity)
    return retryAt
  }

  #sleepUntil(time: number): Promise<void> {
    if (this.#isLastAttempt || this.#isStopped) return Promise.resolve()
    const { clock } = this.#deps
    return new Promise((resolve) => {
      const cancelTimer = clock.after(time - clock.now(), resolve)
      this.#wake = () => {
        cancelTimer()
        resolve()
      }
    })
  }

  #expire(): void {
    this.stop(this.#lastFailure ?? EXPIRED)
  }
}
