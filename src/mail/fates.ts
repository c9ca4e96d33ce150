import type { FailureClass } from './failure.js'

/** What became of the mail of a challenge after the answer was out. */
export interface Fate {
  readonly delivery: 'sent' | 'queued' | 'failed'
  /** Why it has not gone out, or not yet; null when nothing has gone wrong. */
  readonly class: FailureClass | null
}

/** One mail of a challenge: each send moves the time from which the next one is allowed. */
interface Sent {
  readonly id: string
  readonly resendAt: number
}

const MOST = 10_000

/**
 * Remembers it for the page: a mail may fail when nobody's request is there that could write it into a session. In this
 * process only; another one says what the session says. So does this one once the session knows of a newer mail, which
 * may have gone out from elsewhere.
 */
export class Fates {
  readonly #fates = new Map<string, Fate>()

  of(sent: Sent): Fate | null {
    return this.#fates.get(nameOf(sent)) ?? null
  }

  /** The newest ten thousand stay. */
  set(sent: Sent, fate: Fate): void {
    this.#fates.delete(nameOf(sent))
    this.#fates.set(nameOf(sent), fate)
    const [oldest] = this.#fates.keys()
    if (this.#fates.size > MOST && oldest !== undefined) this.#fates.delete(oldest)
  }
}

function nameOf({ id, resendAt }: Sent): string {
  return `${id} ${resendAt}`
}
