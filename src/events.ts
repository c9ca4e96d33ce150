import { channel } from 'node:diagnostics_channel'
import { EventEmitter } from 'node:events'
import { inspect } from 'node:util'
import type { OtpError } from './errors.js'

/** Why a mail did not go out. What each class means for retries, the breaker and people: delivery/smtp/failure-policy. */
export type FailureClass =
  | 'aborted'
  | 'config'
  | 'tls'
  | 'auth'
  | 'quota'
  | 'sender'
  | 'content'
  | 'mailbox-full'
  | 'recipient'
  | 'greylist'
  | 'connect'
  | 'blocked'
  | 'transient'
  | 'unknown'

/** `error`: act now, `warning`: keep watching, `info`: nothing to do. */
export type Severity = 'info' | 'warning' | 'error'

/** Whom and what an event is about. Never a code, an address or a session id (ASVS 16.2.5). */
export interface EventContext {
  /** The host's user id; null when the user is a typed address. */
  readonly user: string | null
  readonly purpose: string
  /** The three letters on page and mail; null before there is a challenge. */
  readonly tag: string | null
}

/** Which mail an event is about, and which try at it. */
export interface MailAttempt {
  /** Names the mail from its first try to its last. */
  readonly mail: string
  /** The folder of its templates below `views/mail`. */
  readonly view: string
  readonly locale: string
  /** 1 for the first try; 0 when there was none. */
  readonly attempt: number
  /** Milliseconds that the try took. */
  readonly ms: number
  readonly messageId: string
}

/** Why a try did not get a mail out. Nothing in it repeats an address or a code. */
export interface Undelivered {
  readonly failureClass: FailureClass
  /** Codes only, such as `EENVELOPE RCPT TO 550 5.1.1`. */
  readonly reason: string
  /** What the server said, with addresses and runs of digits masked. */
  readonly text: string
  readonly severity: Severity
  /** What to look at. */
  readonly advice: string
  /** Seconds until the next try; null when there is none. */
  readonly retryIn: number | null
}

/** One event per path that a request can take; a union on `type`. */
export type OtpEvent =
  | (EventContext & { readonly type: 'issued'; readonly outcome: 'created' | 'resent' })
  | (EventContext & MailAttempt & { readonly type: 'sent'; readonly outcome: 'accepted' })
  | (EventContext &
      MailAttempt &
      Undelivered & {
        readonly type: 'undelivered'
        /** `deferred` is tried again. `cancelled`: the code was used or asked for anew, so nobody waits for it. */
        readonly outcome: 'deferred' | 'refused' | 'unavailable' | 'cancelled'
      })
  | (EventContext & {
      readonly type: 'verified'
      readonly outcome: 'redeemed'
      /** Since the mail was asked for. */
      readonly seconds: number
    })
  | (EventContext & {
      readonly type: 'rejected'
      readonly outcome: 'mismatch' | 'exhausted' | 'not_found' | 'long_code_required'
    })
  | (EventContext & {
      readonly type: 'throttled'
      readonly outcome: 'sendsPerUser' | 'sendsPerIp' | 'resendAfter'
    })
  | (EventContext & { readonly type: 'escalated'; readonly outcome: 'long_code_required' })
  | (EventContext & {
      readonly type: 'refused'
      readonly outcome: 'cross_site' | 'not_accepted' | 'mail_breaker_open' | 'mail_queue_full' | 'mail_closed'
    })
  | {
      readonly type: 'breaker'
      /** `open`: nothing is sent for `seconds`, and whoever asks is told so. */
      readonly outcome: 'open' | 'closed'
      readonly failureClass: FailureClass | null
      readonly seconds: number
    }
  | { readonly type: 'failed'; readonly outcome: OtpError['code']; readonly error: OtpError }

/** An event as listeners get it; `at` is milliseconds since the epoch. */
export type Published<E = OtpEvent> = E & { readonly at: number }

export type OtpEventMap = { [T in OtpEvent['type']]: [event: Published<Extract<OtpEvent, { type: T }>>] }

/**
 * `otp.events.on('verified', (event) => …)`. A listener that throws or rejects changes nothing for the person
 * at the keyboard; it is reported as a process warning.
 *
 * Each event is also published on the channel `express-email-otp:<type>` of `node:diagnostics_channel`, of all plugins in
 * the process, so that tracing can listen without knowing any of them. What a subscriber there throws is, as Node has it,
 * an uncaught exception.
 */
export class OtpEvents extends EventEmitter<OtpEventMap> {
  readonly #now: () => number

  constructor(now: () => number) {
    super()
    this.#now = now
  }

  /** Tells the listeners. What wants a hand and nobody listens to goes to the console: it must not be lost. */
  publish(event: OtpEvent): void {
    const listeners = this.rawListeners(event.type) as ((event: unknown) => unknown)[]
    if (listeners.length === 0) logUnhandled(event)
    const published: Published = { ...event, at: this.#now() }
    for (const listener of listeners) void this.#call(listener, { ...published })
    channel(`express-email-otp:${event.type}`).publish(published)
  }

  async #call(listener: (event: unknown) => unknown, event: Published): Promise<void> {
    try {
      await listener.call(this, event)
    } catch (error) {
      process.emitWarning(`a listener of "${event.type}" failed: ${show(error)}`, 'ExpressEmailOtpWarning')
    }
  }
}

function logUnhandled(event: OtpEvent): void {
  if (event.type === 'failed') console.error('express-email-otp:', show(event.error))
  if (event.type !== 'undelivered' || event.severity === 'info') return
  const when = event.retryIn === null ? '' : ` yet, next try in ${event.retryIn} s`
  console.error(
    `express-email-otp: a mail did not go out${when} (${event.failureClass}: ${event.reason}). ${event.advice}`,
  )
}

/** As the console would show it. Hosts may throw anything, and a getter that throws must not stop the process. */
function show(error: unknown): string {
  try {
    return inspect(error)
  } catch {
    return 'an error that cannot be shown'
  }
}
