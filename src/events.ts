import { channel } from 'node:diagnostics_channel'
import { EventEmitter } from 'node:events'
import { inspect } from 'node:util'
import type { OtpError } from './errors.js'
import { warn } from './warn.js'

/** Why a mail was not sent. delivery/smtp/failure-policy says what follows for retries, breaker and visitors. */
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

/** The user and the purpose of an event. Never a code, an address or a session id (ASVS 16.2.5). */
export interface EventContext {
  /** The host's user id; null for a typed address. */
  readonly user: string | null
  readonly purpose: string
  /** The three letters on page and mail; null before there is a challenge. */
  readonly tag: string | null
}

/** Which mail an event is about, and which send attempt. */
export interface MailAttempt {
  /** Id of the mail, the same for all its send attempts. */
  readonly mail: string
  /** The folder of its templates below `views/mail`. */
  readonly view: string
  readonly locale: string
  /** Number of the send attempt, from 1; 0 if there was none. */
  readonly attempt: number
  /** Milliseconds that the send attempt took. */
  readonly ms: number
  readonly messageId: string
}

/** Why a send attempt failed. Contains no address and no code. */
export interface Undelivered {
  readonly failureClass: FailureClass
  /** Codes only, such as `EENVELOPE RCPT TO 550 5.1.1`. */
  readonly reason: string
  /** What the server said, without addresses and long runs of digits. */
  readonly text: string
  readonly severity: Severity
  /** What to look at. */
  readonly advice: string
  /** Seconds until the next send attempt; null if there is none. */
  readonly retryIn: number | null
}

/** One event for each path that a request can take; a union on `type`. */
export type OtpEvent =
  | (EventContext & { readonly type: 'issued'; readonly outcome: 'created' | 'resent' })
  | (EventContext & MailAttempt & { readonly type: 'sent'; readonly outcome: 'accepted' })
  | (EventContext &
      MailAttempt &
      Undelivered & {
        readonly type: 'undelivered'
        /** `deferred`: another attempt follows. `cancelled`: the code was used, used up or replaced. */
        readonly outcome: 'deferred' | 'refused' | 'unavailable' | 'cancelled'
      })
  | (EventContext & {
      readonly type: 'verified'
      readonly outcome: 'redeemed'
      /** Since the mail was requested. */
      readonly seconds: number
    })
  | (EventContext & {
      readonly type: 'rejected'
      readonly outcome: 'mismatch' | 'exhausted' | 'not_found' | 'long_code_required'
    })
  | (EventContext & {
      readonly type: 'throttled'
      readonly outcome: 'sendsPerUser' | 'sendsPerAddress' | 'sendsPerIp' | 'resendAfter'
    })
  | (EventContext & { readonly type: 'escalated'; readonly outcome: 'long_code_required' })
  | (EventContext & {
      readonly type: 'refused'
      readonly outcome: 'cross_site' | 'not_accepted' | 'mail_breaker_open' | 'mail_queue_full' | 'mail_closed'
    })
  | {
      readonly type: 'breaker'
      /** `open`: nothing is sent for `seconds`, and requests for a mail end as 503. */
      readonly outcome: 'open' | 'closed'
      readonly failureClass: FailureClass | null
      readonly seconds: number
    }
  | { readonly type: 'failed'; readonly outcome: OtpError['code']; readonly error: OtpError }

/** An event as listeners get it; `at` is milliseconds since the epoch. */
export type Published<E = OtpEvent> = E & { readonly at: number }

export type OtpEventMap = { [T in OtpEvent['type']]: [event: Published<Extract<OtpEvent, { type: T }>>] }

/**
 * `otp.events.on('verified', (event) => …)`. A listener that throws or rejects does not affect the request; it is
 * reported as a process warning.
 *
 * Each event is also published on the channel `express-email-otp:<type>` of `node:diagnostics_channel`, of all plugins in
 * the process. If a subscriber of the channel throws, Node makes it an uncaught exception.
 */
export class OtpEvents extends EventEmitter<OtpEventMap> {
  readonly #now: () => number

  constructor(now: () => number) {
    super()
    this.#now = now
  }

  /** Calls the listeners. What is broken and has no listener goes to the console, so that it is not lost. */
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
      warn('OTP_LISTENER', `a listener of "${event.type}" failed: ${show(error)}.`)
    }
  }
}

function logUnhandled(event: OtpEvent): void {
  if (event.type === 'failed') console.error('express-email-otp:', show(event.error))
  if (event.type !== 'undelivered' || event.severity === 'info') return
  const when = event.retryIn === null ? '' : ` yet, next attempt in ${event.retryIn} s`
  console.error(
    `express-email-otp: a mail was not sent${when} (${event.failureClass}: ${event.reason}). ${event.advice}`,
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
