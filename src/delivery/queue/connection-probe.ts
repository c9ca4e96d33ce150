import type { Clock } from '../../clock.js'
import type { MailTransporter } from '../../config/options.js'
import type { CircuitBreaker } from './circuit-breaker.js'
import { checkConnection } from '../smtp/check-connection.js'
import type { Failure } from '../smtp/classify.js'

interface ConnectionProbeDeps {
  readonly transporter: MailTransporter
  readonly clock: Clock
  readonly breaker: CircuitBreaker
  readonly onFailure: (failure: Failure) => void
  /** Called after each probe: mail may be able to start. */
  readonly onEnd: () => void
}

/**
 * Probes whether the mail server is back, with a check of the connection. A mail to a typed address is no probe: its
 * effect on the breaker would tell whether the address is one that gets mail.
 */
export class ConnectionProbe {
  readonly #deps: ConnectionProbeDeps
  #canCheck: boolean
  #isClosed = false

  constructor(deps: ConnectionProbeDeps) {
    this.#deps = deps
    this.#canCheck = typeof deps.transporter.verify === 'function'
  }

  /** Milliseconds until a mail that waits may start; Infinity while a probe is under way. Starts a probe that is due. */
  delay(): number {
    const { breaker } = this.#deps
    if (this.#canCheck && breaker.state === 'half-open' && breaker.delay === 0 && !this.#isClosed) void this.#check()
    return breaker.delay
  }

  /** Whether the next mail is the probe, since the transporter can check nothing. */
  isNextMail(): boolean {
    return !this.#canCheck && this.#deps.breaker.state === 'half-open'
  }

  /** Ignores the result of a check under way. */
  close(): void {
    this.#isClosed = true
  }

  async #check(): Promise<void> {
    const { transporter, clock, breaker, onFailure, onEnd } = this.#deps
    breaker.acquire()
    const result = await checkConnection(transporter, clock)
    if (this.#isClosed) return
    if (result === null) this.#canCheck = false
    else if (result.outcome !== 'accepted') onFailure(result)
    breaker.recordCheck(result)
    onEnd()
  }
}
