import type { Clock } from '../../clock.js'
import type { Priority } from './connection-slots.js'
import { parentDomainOf } from './recipient-domain.js'
import type { SendResult } from '../smtp/classify.js'
import { FAILURE_POLICY } from '../smtp/failure-policy.js'
import type { FailureClass } from '../../events.js'

/** Recipients' domains that must get a failure within a minute before it is about all mail. */
const MIN_DOMAINS = 3
const WINDOW_MS = 60_000

/**
 * Tells results that are about all mail from those that may be about one recipient. A relay repeats what the recipient's
 * server said, with the same words and codes as its own: only the number of domains that get them tells the two apart.
 */
export class FailureScope {
  readonly #clock: Pick<Clock, 'now'>
  /** When each domain got a failure of the class, the newest last. */
  readonly #quotedAt = new Map<FailureClass, Map<string, number>>()

  constructor(clock: Pick<Clock, 'now'>) {
    this.#clock = clock
  }

  /** Whether the result of an attempt is about all mail. Each result is given once. */
  isAboutAll(result: SendResult, address: string, priority: Priority): boolean {
    if (result.outcome === 'accepted') {
      this.#quotedAt.clear()
      return true
    }
    const { aboutAllAt, aboutAllElsewhere } = FAILURE_POLICY[result.failureClass]
    if (aboutAllAt.includes(result.stage)) return true
    if (aboutAllElsewhere === 'threeDomains') return this.#isQuotedToMany(result.failureClass, parentDomainOf(address))
    return aboutAllElsewhere === 'signedIn' && priority === 'signed-in'
  }

  #isQuotedToMany(failureClass: FailureClass, domain: string): boolean {
    const now = this.#clock.now()
    const earlier = [...(this.#quotedAt.get(failureClass) ?? [])]
    const others = earlier.filter(([other, at]) => other !== domain && now - at < WINDOW_MS)
    // More than the newest few are never needed.
    const recent = new Map([...others.slice(1 - MIN_DOMAINS), [domain, now] as const])
    this.#quotedAt.set(failureClass, recent)
    return recent.size >= MIN_DOMAINS
  }
}
